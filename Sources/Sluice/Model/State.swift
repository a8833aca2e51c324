/// What outlives a call: the state of every layer and direction for every sequence, in the caller's order.
public struct State<S: Scalar>: Sendable, Equatable {
    /// The hidden states h, one `[B, P]` matrix for each layer and direction, in PyTorch's order: layer by layer, forward
    /// before backward.
    public var hidden: [Matrix<S>]
    /// The cell states c of an LSTM, `[B, H]`, in the same order; none in other cells.
    public var cell: [Matrix<S>]

    /// Zeros.
    ///
    /// - Precondition: there is such a network, and `sequences` is not negative. Whether given states fit a network says
    ///   ``Network/validate(_:sequences:)``.
    public init(_ configuration: Configuration, sequences: Int) {
        require(noProblem: configuration.problem)
        require(sequences >= 0, "states of \(sequences) sequences; at least 0 is needed")
        func zeros(_ columns: Int) -> [Matrix<S>] {
            (0..<configuration.scanCount).map { _ in Matrix(rows: sequences, columns: columns) }
        }
        hidden = zeros(configuration.stateSize)
        cell = configuration.hasCellState ? zeros(configuration.hiddenSize) : []
    }

    /// The number of sequences.
    public var sequenceCount: Int { hidden.first?.rows ?? 0 }

    /// Sets a sequence's states to zero, where a new one begins in its place.
    ///
    /// - Precondition: there is such a sequence.
    public mutating func reset(sequence: Int) {
        let rows = (hidden + cell).map(\.rows).min() ?? 0
        require(
            sequence >= 0 && sequence < rows, "sequence \(sequence) of states for \(rows) sequences")
        for index in hidden.indices { hidden[index].mutableView().row(sequence).fill(0) }
        for index in cell.indices { cell[index].mutableView().row(sequence).fill(0) }
    }

    /// The states of some sequences, in the order of their numbers.
    func rows(_ numbers: ArraySlice<Int>) -> State {
        func gather(_ matrix: Matrix<S>) -> Matrix<S> {
            var rows = Matrix<S>(rows: numbers.count, columns: matrix.columns)
            rows.mutableView().gatherRows(numbers, of: matrix.view)
            return rows
        }
        var state = self
        state.hidden = hidden.map(gather)
        state.cell = cell.map(gather)
        return state
    }

    /// The way back.
    mutating func setRows(_ numbers: ArraySlice<Int>, _ rows: State) {
        for index in hidden.indices { rows.hidden[index].view.scatterRows(numbers, to: hidden[index].mutableView()) }
        for index in cell.indices { rows.cell[index].view.scatterRows(numbers, to: cell[index].mutableView()) }
    }
}
