/// The recurrent cells. A case here is all that the rest of the library asks of a cell; the equations are in its own file.
public enum Cell: Hashable, Sendable {
    case gru(GRU.Variant)

    /// Every cell.
    public static let allCases = GRU.Variant.allCases.map(Cell.gru)
}

// MARK: What the layers of the engine ask

extension Cell {
    /// G, the gates whose weights stand side by side.
    var gateCount: Int {
        switch self {
        case .gru: GRU.gateCount
        }
    }

    /// Whether the recurrent product has a bias of its own.
    var hasRecurrentBias: Bool {
        switch self {
        case .gru(let variant): variant.hasRecurrentBias
        }
    }

    /// Columns of the tape, in units of H: what a step keeps for the backward pass.
    var tapeColumns: Int {
        switch self {
        case .gru: GRU.tapeColumns
        }
    }

    /// The tape's input columns hold the gates in the parameters' order from this one on, then those before it.
    var firstInputGate: Int {
        switch self {
        case .gru: GRU.firstInputGate
        }
    }

    /// The gates whose recurrent product is with the state.
    var recurrentGates: Range<Int> {
        switch self {
        case .gru(let variant): variant.recurrentGates
        }
    }

    /// The gates whose recurrent product is with a gated state, in cells that have one.
    var gatedGates: Range<Int>? {
        switch self {
        case .gru(let variant): variant.gatedGates
        }
    }

    /// Puts the biases into the tape's order.
    func packBias<S: Scalar>(
        _ bias: MatrixView<S>, _ recurrentBias: MatrixView<S>?, into packed: MatrixView<S>, hiddenSize: Int
    ) {
        switch self {
        case .gru: GRU.packBias(bias, recurrentBias, into: packed, hiddenSize: hiddenSize)
        }
    }

    /// One step forward.
    func forward<S: Scalar>(_ step: ForwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>) {
        switch self {
        case .gru(let variant): GRU.forward(variant, step, weights, engine)
        }
    }

    /// One step backward.
    func backward<S: Scalar>(_ step: BackwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>) {
        switch self {
        case .gru(let variant): GRU.backward(variant, step, weights, engine)
        }
    }

    /// The weight gradients of a run of steps, from the tape that `backward` left.
    func weightGradients<S: Scalar>(
        _ run: Run<S>, into gradient: LayerGradient<S>, accumulate: Bool, _ engine: Engine<S>
    ) {
        switch self {
        case .gru(let variant): GRU.weightGradients(variant, run, into: gradient, accumulate: accumulate, engine)
        }
    }

    /// The bias gradients of a pass, from the sums that `backward` gathered in the tape's order.
    func biasGradients<S: Scalar>(_ sums: MatrixView<S>, into gradient: LayerGradient<S>) {
        switch self {
        case .gru: GRU.biasGradients(sums, into: gradient)
        }
    }

    /// The tape's columns that hold the input product forward, and its gradient backward.
    func inputColumns(hiddenSize: Int) -> Range<Int> {
        switch self {
        case .gru: GRU.inputColumns(hiddenSize: hiddenSize)
        }
    }
}

// MARK: Names

extension Cell: RawRepresentable, Codable, CaseIterable, CustomStringConvertible {
    /// The name in files and on command lines: `gru.resetAfter`.
    public var rawValue: String {
        switch self {
        case .gru(let variant): "gru.\(variant.rawValue)"
        }
    }

    public init?(rawValue: String) {
        guard let cell = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = cell
    }

    public var description: String { rawValue }
}
