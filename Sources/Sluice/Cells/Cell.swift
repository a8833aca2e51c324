/// The recurrent cells. A case here is all that the rest of the library asks of a cell; the equations are in its own file.
public enum Cell: Hashable, Sendable {
    case gru(GRU.Variant)
    case lstm(LSTM.Variant)
    case rnn(RNN.Activation)

    /// Every cell.
    public static let allCases =
        GRU.Variant.allCases.map(Cell.gru) + LSTM.Variant.allCases.map(Cell.lstm)
        + RNN.Activation.allCases.map(Cell.rnn)

    /// The long short-term memory as PyTorch and Keras have it.
    public static let lstm = Cell.lstm(.standard)
}

// MARK: What the layers of the engine ask

extension Cell {
    /// How the cell lays its numbers out.
    func shape(hidden: Int, projection: Int?) -> CellShape {
        switch self {
        case .gru(let variant): GRU.shape(variant, hidden: hidden)
        case .lstm(let variant): LSTM.shape(variant, hidden: hidden, projection: projection)
        case .rnn: RNN.shape(hidden: hidden)
        }
    }

    /// G, the gates whose weights stand side by side.
    package var gateCount: Int { shape(hidden: 1, projection: nil).gateCount }

    /// The biases that the cell has where it is standard.
    var standardBiases: Biases {
        switch self {
        case .gru(let variant): variant.standardBiases
        case .lstm, .rnn: .both
        }
    }

    /// Whether there is a cell state c beside the hidden state h.
    var hasCellState: Bool {
        switch self {
        case .lstm: true
        case .gru, .rnn: false
        }
    }

    /// Whether the state may be projected to fewer numbers.
    public var canProject: Bool {
        switch self {
        case .lstm: true
        case .gru, .rnn: false
        }
    }

    /// Puts biases and the cell's own vectors into the order that its kernels read.
    func packVectors<S: Scalar>(_ vectors: LayerVectors<S>, into packed: MatrixView<S>, hidden: Int) {
        switch self {
        case .gru(let variant): GRU.packVectors(variant, vectors, into: packed, hidden: hidden)
        case .lstm: LSTM.packVectors(vectors, into: packed, hidden: hidden)
        case .rnn: RNN.packVectors(vectors, into: packed)
        }
    }

    /// One step forward.
    func forward<S: Scalar>(_ step: ForwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>) {
        switch self {
        case .gru(let variant): GRU.forward(variant, step, weights, engine)
        case .lstm(let variant): LSTM.forward(variant, step, weights, engine)
        case .rnn(let activation): RNN.forward(activation, step, weights, engine)
        }
    }

    /// One step backward.
    func backward<S: Scalar>(_ step: BackwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>) {
        switch self {
        case .gru(let variant): GRU.backward(variant, step, weights, engine)
        case .lstm(let variant): LSTM.backward(variant, step, weights, engine)
        case .rnn(let activation): RNN.backward(activation, step, weights, engine)
        }
    }

    /// The weight gradients of a run of steps, from the tape that `backward` left.
    func weightGradients<S: Scalar>(
        _ run: Run<S>, into gradient: LayerGradient<S>, accumulate: Bool, _ engine: Engine<S>
    ) {
        switch self {
        case .gru(let variant): GRU.weightGradients(variant, run, into: gradient, accumulate: accumulate, engine)
        case .lstm(let variant): LSTM.weightGradients(variant, run, into: gradient, accumulate: accumulate, engine)
        case .rnn: RNN.weightGradients(run, into: gradient, accumulate: accumulate, engine)
        }
    }

    /// The gradients of biases and vectors, from the sums that `backward` gathered in the order of `packVectors`.
    func vectorGradients<S: Scalar>(_ sums: MatrixView<S>, into gradient: LayerVectors<S>, hidden: Int) {
        switch self {
        case .gru(let variant): GRU.vectorGradients(variant, sums, into: gradient, hidden: hidden)
        case .lstm: LSTM.vectorGradients(sums, into: gradient, hidden: hidden)
        case .rnn: RNN.vectorGradients(sums, into: gradient)
        }
    }
}

// MARK: Names

extension Cell: RawRepresentable, Codable, CaseIterable, CustomStringConvertible {
    /// The name in files and on command lines: `gru.resetAfter`.
    public var rawValue: String {
        switch self {
        case .gru(let variant): "gru.\(variant.rawValue)"
        case .lstm(let variant): "lstm.\(variant.rawValue)"
        case .rnn(let activation): "rnn.\(activation.rawValue)"
        }
    }

    /// The cell of a name such as `gru.resetAfter`, as files and command lines spell it; nil: there is none.
    public init?(rawValue: String) {
        guard let cell = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = cell
    }

    /// As configurations spell it: ``rawValue``.
    public var description: String { rawValue }

    /// By the cases: what comes with `RawRepresentable` would make two strings, and every pass compares configurations.
    public static func == (a: Cell, b: Cell) -> Bool {
        switch (a, b) {
        case (.gru(let a), .gru(let b)): a == b
        case (.lstm(let a), .lstm(let b)): a == b
        case (.rnn(let a), .rnn(let b)): a == b
        case (.gru, _), (.lstm, _), (.rnn, _): false
        }
    }
}
