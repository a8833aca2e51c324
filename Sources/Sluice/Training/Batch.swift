/// Sequences that are computed together, and what their outputs should be.
public struct Batch<S: Scalar>: Sendable {
    /// The inputs, `[N, I]`, rows as the packing says.
    public var x: Matrix<S>
    /// In the outputs' shape: `[N, O]`, or `[B, O]` where the head sums a sequence up; or one column of classes.
    public var targets: Matrix<S>
    /// The lengths of the sequences.
    public let packing: Packing

    /// A batch of given inputs and targets.
    public init(x: Matrix<S>, targets: Matrix<S>, packing: Packing) {
        require(x.rows == packing.rowCount, "inputs of \(x.rows) rows for a packing of \(packing.rowCount)")
        require(
            targets.rows == packing.rowCount || targets.rows == packing.sequenceCount,
            "targets of \(targets.rows) rows for \(packing.rowCount) steps of \(packing.sequenceCount) sequences")
        self.x = x
        self.targets = targets
        self.packing = packing
    }
}
