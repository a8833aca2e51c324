/// What outlives a call: the hidden state of every layer for every sequence, in the caller's order.
public struct State<S: Scalar>: Sendable, Equatable {
    /// The hidden states h, one `[B, H]` matrix a layer.
    public var hidden: [Matrix<S>]

    /// Zeros.
    public init(_ configuration: Configuration, sequences: Int) {
        hidden = (0..<configuration.layers).map { _ in Matrix(rows: sequences, columns: configuration.hiddenSize) }
    }

    /// The number of sequences.
    public var sequenceCount: Int { hidden[0].rows }
}
