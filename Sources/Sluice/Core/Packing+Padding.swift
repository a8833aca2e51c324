/// In which order a padded array `[T, B, n]` or `[B, T, n]` has its rows.
public enum PaddedOrder: String, Codable, CaseIterable, Sendable {
    /// All sequences of a step together: row t B + b (PyTorch's default).
    case timeMajor
    /// All steps of a sequence together: row b T + t (`batch_first`, Keras).
    case batchMajor

    fileprivate func row(_ step: Int, _ sequence: Int, steps: Int, sequences: Int) -> Int {
        switch self {
        case .timeMajor: step * sequences + sequence
        case .batchMajor: sequence * steps + step
        }
    }
}

extension Packing {
    /// A batch of the lengths that a mask shows, as Keras makes it.
    ///
    /// - Parameter mask: for each sequence, which of its steps are there: at least one, and all of them before those that are
    ///   not.
    public init(mask: [[Bool]]) {
        let lengths = mask.map { $0.prefix { $0 }.count }
        for (index, steps) in mask.enumerated() {
            require(
                !steps.dropFirst(lengths[index]).contains(true),
                "the mask of sequence \(index) has a gap after step \(lengths[index]); steps that are there come first")
        }
        self.init(lengths: lengths)
    }

    /// The mask of a padded array of `steps` steps (by default the longest sequence's): for each sequence, which are there.
    public func mask(steps: Int? = nil) -> [[Bool]] {
        let steps = checkedSteps(steps)
        return lengths.map { length in (0..<steps).map { $0 < length } }
    }

    /// Takes the rows of a padded array that are there.
    ///
    /// - Parameters:
    ///   - padded: `[T B, n]`, T at least the longest sequence's steps.
    ///   - order: in which order its rows are.
    /// - Returns: `[N, n]`.
    public func pack<S: Scalar>(_ padded: Matrix<S>, order: PaddedOrder) -> Matrix<S> {
        require(
            padded.rows % sequenceCount == 0,
            "\(padded.rows) rows of a padded array for \(sequenceCount) sequences: not a whole number of steps")
        let steps = checkedSteps(padded.rows / sequenceCount)
        var packed = Matrix<S>(rows: rowCount, columns: padded.columns)
        let target = packed.mutableView()
        forEachRow(order, steps: steps) { target.row($0).copy(padded.view.row($1)) }
        return packed
    }

    /// Puts rows back into a padded array.
    ///
    /// - Parameters:
    ///   - packed: `[N, n]`.
    ///   - order: in which order the padded array's rows are to be.
    ///   - steps: T; by default the longest sequence's.
    ///   - padding: the value of steps that are not there.
    /// - Returns: `[T B, n]`.
    public func unpack<S: Scalar>(
        _ packed: Matrix<S>, order: PaddedOrder, steps: Int? = nil, padding: S = 0
    ) -> Matrix<S> {
        require(packed.rows == rowCount, "\(packed.rows) rows for a batch of \(rowCount)")
        let steps = checkedSteps(steps)
        var padded = Matrix<S>(rows: steps * sequenceCount, columns: packed.columns)
        let target = padded.mutableView()
        target.fill(padding)
        forEachRow(order, steps: steps) { target.row($1).copy(packed.view.row($0)) }
        return padded
    }

    private func checkedSteps(_ steps: Int?) -> Int {
        let steps = steps ?? stepCount
        require(steps >= stepCount, "\(steps) steps of padding for sequences of up to \(stepCount)")
        return steps
    }

    private func forEachRow(_ order: PaddedOrder, steps: Int, _ body: (_ packed: Int, _ padded: Int) -> Void) {
        for (sequence, length) in lengths.enumerated() {
            for step in 0..<length {
                body(
                    row(sequence: sequence, step: step),
                    order.row(step, sequence, steps: steps, sequences: sequenceCount))
            }
        }
    }
}
