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
    /// - Precondition: that is so. For masks from outside the program there is ``init(checkingMask:)``.
    public init(mask: [[Bool]]) {
        require(noProblem: Self.problem(mask: mask))
        self.init(lengths: Self.lengths(mask))
    }

    /// A batch of the lengths that a mask from outside the program shows.
    ///
    /// - Throws: where a sequence has no step, or a step behind one that is not there; or there is no sequence.
    public init(checkingMask mask: [[Bool]]) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(mask: mask))
        try self.init(checking: Self.lengths(mask))
    }

    private static func lengths(_ mask: [[Bool]]) -> [Int] { mask.map { $0.prefix { $0 }.count } }

    /// Why a mask shows no batch, lengths aside; nil: it does.
    private static func problem(mask: [[Bool]]) -> String? {
        for (sequence, steps) in mask.enumerated() {
            let length = steps.prefix { $0 }.count
            if let next = steps.dropFirst(length).firstIndex(of: true) {
                return "the mask of sequence \(sequence) has steps up to \(length) and again from \(next); "
                    + "steps that are there come first"
            }
        }
        return nil
    }

    /// The mask of a padded array of `steps` steps (by default the longest sequence's): for each sequence, which are there.
    ///
    /// - Precondition: no sequence has more steps.
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
    /// - Precondition: the array has a whole number of steps, and enough. ``validate(padded:)`` throws where it has not.
    public func pack<S: Scalar>(_ padded: Matrix<S>, order: PaddedOrder) -> Matrix<S> {
        require(noProblem: problem(padded: padded))
        let steps = padded.rows / sequenceCount
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
    /// - Precondition: there is a row for each of the batch, and no sequence has more steps.
    public func unpack<S: Scalar>(
        _ packed: Matrix<S>, order: PaddedOrder, steps: Int? = nil, padding: S = 0
    ) -> Matrix<S> {
        require(packed.rows == rowCount, "\(packed.rows) rows for a batch of \(rowCount) rows")
        let steps = checkedSteps(steps)
        var padded = Matrix<S>(rows: steps * sequenceCount, columns: packed.columns)
        let target = padded.mutableView()
        target.fill(padding)
        forEachRow(order, steps: steps) { target.row($1).copy(packed.view.row($0)) }
        return padded
    }

    /// Checks a padded array `[T B, n]` from outside the program before ``pack(_:order:)``.
    ///
    /// - Throws: where its rows are not a whole number of steps of every sequence, or fewer than the longest sequence's.
    public func validate<S: Scalar>(padded: Matrix<S>) throws(InvalidValue) {
        try InvalidValue.throwing(problem(padded: padded))
    }

    private func problem<S: Scalar>(padded: Matrix<S>) -> String? {
        padded.rows % sequenceCount == 0
            ? problem(steps: padded.rows / sequenceCount)
            : "\(padded.rows) rows of a padded array for \(sequenceCount) sequences: not a whole number of steps"
    }

    private func problem(steps: Int) -> String? {
        if steps < stepCount { return "\(steps) steps of padding for sequences of up to \(stepCount)" }
        return steps > Self.mostRows / sequenceCount
            ? "\(steps) steps of padding for \(sequenceCount) sequences; at most \(Self.mostRows) rows are possible"
            : nil
    }

    private func checkedSteps(_ steps: Int?) -> Int {
        let steps = steps ?? stepCount
        require(noProblem: problem(steps: steps))
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
