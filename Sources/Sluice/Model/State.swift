/// What outlives a call: the state of every layer and direction for every sequence, in the caller's order.
public struct State<S: Scalar>: Sendable, Equatable {
    /// The hidden states h, one `[B, P]` matrix for each layer and direction, in PyTorch's order: layer by layer, forward
    /// before backward.
    public var hidden: [Matrix<S>]
    /// The cell states c of an LSTM, `[B, H]`, in the same order; none in other cells.
    public var cell: [Matrix<S>]

    /// Zeros.
    public init(_ configuration: Configuration, sequences: Int) {
        func zeros(_ columns: Int) -> [Matrix<S>] {
            (0..<configuration.scanCount).map { _ in Matrix(rows: sequences, columns: columns) }
        }
        hidden = zeros(configuration.stateSize)
        cell = configuration.hasCellState ? zeros(configuration.hiddenSize) : []
    }

    /// The number of sequences.
    public var sequenceCount: Int { hidden[0].rows }
}
