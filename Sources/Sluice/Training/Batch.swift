/// Sequences that are computed together, and what their outputs should be.
public struct Batch<S: Scalar>: Sendable {
    /// The inputs, `[N, I]`, rows as the packing says.
    public var x: Matrix<S>
    /// In the outputs' shape: `[N, O]`, or `[B, O]` where the head sums a sequence up; or one column of classes.
    public var targets: Matrix<S>
    /// The lengths of the sequences.
    public private(set) var packing: Packing

    /// A batch of given inputs and targets.
    ///
    /// - Precondition: ``init(checking:targets:packing:)`` would throw nothing.
    public init(x: Matrix<S>, targets: Matrix<S>, packing: Packing) {
        require(noProblem: Self.problem(x: x, targets: targets, packing: packing))
        self.x = x
        self.targets = targets
        self.packing = packing
    }

    /// A batch of what comes from outside. Whether it is one for a network and a loss, ``Trainer/validate(_:window:)`` says.
    ///
    /// - Throws: ``InvalidValue``: inputs or targets of another number of rows than the packing's.
    public init(checking x: Matrix<S>, targets: Matrix<S>, packing: Packing) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(x: x, targets: targets, packing: packing))
        self.init(x: x, targets: targets, packing: packing)
    }

    private static func problem(x: Matrix<S>, targets: Matrix<S>, packing: Packing) -> String? {
        if x.rows != packing.rowCount { return "inputs of \(x.rows) rows for a packing of \(packing.rowCount)" }
        if targets.rows != packing.rowCount && targets.rows != packing.sequenceCount {
            return "targets of \(targets.rows) rows for \(packing.rowCount) steps of \(packing.sequenceCount) sequences"
        }
        return nil
    }

    /// Becomes room for another batch, of as many inputs and targets.
    mutating func take(_ packing: Packing, targetRows: Int) {
        x.take(rows: packing.rowCount, columns: x.columns)
        targets.take(rows: targetRows, columns: targets.columns)
        self.packing = packing
    }
}
