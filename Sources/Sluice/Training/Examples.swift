/// A set of sequences and their targets, to learn from or to be judged by, held flat: sequence after sequence.
///
///     let examples = Examples<Float>(inputs: sequences, targets: labels)
///     var batches = Batches(examples, Batching(size: 32), random: Random(seed: 1))
public struct Examples<S: Scalar>: Sendable {
    /// The steps of each sequence.
    public let lengths: [Int]
    /// `[sum of the lengths, I]`
    public let inputs: Matrix<S>
    /// A row for each step, as the inputs have, or for each sequence.
    public let targets: Matrix<S>
    /// Whether every sequence has one row of targets, instead of every step.
    public let areSummedUp: Bool
    /// Sequence -> its first row of the inputs.
    private let offsets: [Int]

    /// - Parameters:
    ///   - inputs: `[T, I]` for each sequence, of T steps of its own.
    ///   - targets: for each sequence `[T, O]`, a row for each step, or for each `[1, O]`; classes are one column.
    /// - Precondition: ``init(checking:targets:)`` would throw nothing.
    public init(inputs: [Matrix<S>], targets: [Matrix<S>]) {
        require(noProblem: Self.problem(inputs, targets))
        self.init(inputs: Self.stacked(inputs), targets: Self.stacked(targets), lengths: inputs.map(\.rows))
    }

    /// The same of what comes from outside.
    ///
    /// - Throws: ``InvalidValue``, which names the first sequence whose shapes do not fit together, or not the others'.
    public init(checking inputs: [Matrix<S>], targets: [Matrix<S>]) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(inputs, targets))
        self.init(inputs: inputs, targets: targets)
    }

    /// - Parameters:
    ///   - inputs: `[sum of the lengths, I]`, sequence after sequence.
    ///   - targets: as many rows, one for each step, or one row for each sequence.
    ///   - lengths: the steps of each sequence, each at least 1.
    /// - Precondition: ``init(checking:targets:lengths:)`` would throw nothing.
    public init(inputs: Matrix<S>, targets: Matrix<S>, lengths: [Int]) {
        require(noProblem: Self.problem(inputs, targets, lengths))
        var offsets: [Int] = [], rows = 0
        for length in lengths {
            offsets.append(rows)
            rows += length
        }
        self.inputs = inputs
        self.targets = targets
        self.lengths = lengths
        self.offsets = offsets
        areSummedUp = targets.rows != rows
    }

    /// The same of what comes from outside.
    ///
    /// - Throws: ``InvalidValue``: a length below 1, inputs or targets of another number of rows than the lengths say.
    public init(checking inputs: Matrix<S>, targets: Matrix<S>, lengths: [Int]) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(inputs, targets, lengths))
        self.init(inputs: inputs, targets: targets, lengths: lengths)
    }

    /// The number of sequences.
    public var count: Int { lengths.count }

    /// All sequences in batches that stay: those of like length together, the longest first. For a validation set.
    ///
    /// - Parameter size: the sequences of a batch; the last may have fewer.
    public func batches(of size: Int) -> [Batch<S>] {
        require(size >= 1, "batches of \(size) sequences")
        let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        return stride(from: 0, to: count, by: size).map { batch(order[$0..<min($0 + size, count)]) }
    }

    private static func problem(_ inputs: [Matrix<S>], _ targets: [Matrix<S>]) -> String? {
        if inputs.isEmpty { return "no example" }
        if inputs.count != targets.count { return "\(inputs.count) sequences and targets of \(targets.count)" }
        // What the first sequence that has more than one step says of all.
        let first = inputs.firstIndex { $0.rows > 1 }
        let areSummedUp = first.map { targets[$0].rows == 1 } ?? true
        for (index, (x, y)) in zip(inputs, targets).enumerated() {
            if x.columns != inputs[0].columns || y.columns != targets[0].columns {
                return "sequence \(index) has \(x.columns) inputs and \(y.columns) targets, the first "
                    + "\(inputs[0].columns) and \(targets[0].columns)"
            }
            if let problem = lengthProblem(x.rows, of: index) { return problem }
            if y.rows != (areSummedUp ? 1 : x.rows) {
                return "sequence \(index) has \(x.rows) steps and \(y.rows) rows of targets: one row for each "
                    + (index == first ? "step or for the sequence" : areSummedUp ? "sequence" : "step") + " is needed"
            }
        }
        return nil
    }

    private static func problem(_ inputs: Matrix<S>, _ targets: Matrix<S>, _ lengths: [Int]) -> String? {
        if lengths.isEmpty { return "no example" }
        var rows = 0
        for (index, length) in lengths.enumerated() {
            if let problem = lengthProblem(length, of: index) { return problem }
            if length > inputs.rows - rows {
                return
                    "inputs of \(inputs.rows) rows, of which sequence \(index) would be \(length) from row \(rows) on"
            }
            rows += length
        }
        if inputs.rows != rows { return "inputs of \(inputs.rows) rows for \(rows) steps" }
        if targets.rows != rows && targets.rows != lengths.count {
            return "targets of \(targets.rows) rows for \(rows) steps of \(lengths.count) sequences"
        }
        return nil
    }

    private static func lengthProblem(_ length: Int, of sequence: Int) -> String? {
        length >= 1 ? nil : "sequence \(sequence) has length \(length); at least 1 is needed"
    }

    /// Matrices of as many columns, one under the other.
    private static func stacked(_ parts: [Matrix<S>]) -> Matrix<S> {
        var all = Matrix<S>(rows: parts.reduce(0) { $0 + $1.rows }, columns: parts[0].columns)
        let view = all.mutableView()
        var row = 0
        for part in parts {
            view.rows(row..<row + part.rows).copy(part.view)
            row += part.rows
        }
        return all
    }
}

// MARK: Into batches

extension Examples {
    /// A batch of some sequences.
    func batch(_ sequences: ArraySlice<Int>) -> Batch<S> {
        batch(sequences, Packing(lengths: sequences.map { lengths[$0] }))
    }

    /// A batch of some sequences, which have the lengths of a packing.
    func batch(_ sequences: ArraySlice<Int>, _ packing: Packing) -> Batch<S> {
        var batch = Batch<S>(
            x: Matrix(rows: packing.rowCount, columns: inputs.columns),
            targets: Matrix(rows: targetRowCount(packing), columns: targets.columns), packing: packing)
        fill(&batch, sequences)
        return batch
    }

    private func targetRowCount(_ packing: Packing) -> Int { areSummedUp ? packing.sequenceCount : packing.rowCount }

    /// Makes a batch that of other sequences, which have the lengths of a packing: allocates nothing, unless they are longer
    /// or a copy of the batch is held.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func refill(_ batch: inout Batch<S>, _ sequences: ArraySlice<Int>, _ packing: Packing) {
        batch.take(packing, targetRows: targetRowCount(packing))
        fill(&batch, sequences)
    }

    private func fill(_ batch: inout Batch<S>, _ sequences: ArraySlice<Int>) {
        let x = batch.x.mutableView(), y = batch.targets.mutableView(), packing = batch.packing
        for (number, sequence) in sequences.enumerated() {
            let first = offsets[sequence], position = packing.positions[number]
            for step in 0..<lengths[sequence] {
                let row = packing.rows(at: step).lowerBound + position
                x.copyRow(row, inputs.view, first + step)
                if !areSummedUp { y.copyRow(row, targets.view, first + step) }
            }
            if areSummedUp { y.copyRow(number, targets.view, sequence) }
        }
    }
}

extension MatrixView {
    /// Copies one row of a matrix of as many columns; rows are often a few numbers.
    @inline(__always)
    fileprivate func copyRow(_ row: Int, _ source: MatrixView, _ sourceRow: Int) {
        for column in 0..<columns { self[row, column] = source[sourceRow, column] }
    }
}
