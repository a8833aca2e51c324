/// A network fed one step at a time, for one or many sequences, its state kept from step to step.
///
///     let stream = StreamingNetwork(network, sequences: 1)
///     stream.step(x, into: &outputs)                 // [1, I] -> [1, O]
///
/// A step allocates nothing, takes no lock and makes no system call. It gives what a whole batch would: the same bits where the
/// products have the same shapes, else to a few units in the last place. A head that sums sequences up puts out what it
/// would for a sequence of this one step. A stream belongs to one thread at a time.
///
/// Between steps a stream leaves OpenBLAS's threads alone: the program's own products keep theirs. During a step it holds OpenBLAS
/// to one thread only where one of its products may be large enough to be shared out.
public final class StreamingNetwork<S: Scalar> {
    /// The network that is stepped.
    public let network: Network<S>
    /// B, the number of sequences.
    public let sequenceCount: Int
    private let layers: [StreamingLayer<S>]
    private let head: DenseHead<S>?
    /// Whether one of its products may be one that OpenBLAS would share out.
    private let mayUseThreads: Bool
    /// The current states, which each step writes over.
    private let states: StateBuffers<S>

    /// A stream from zero states.
    ///
    /// - Parameters:
    ///   - network: its layers run forward; one that looks ahead cannot be stepped.
    ///   - sequences: B.
    public init(_ network: Network<S>, sequences: Int = 1) {
        let configuration = network.configuration
        require(sequences >= 1, "a stream of \(sequences) sequences")
        require(
            configuration.direction == .forward,
            "a stream of a network whose direction is \(configuration.direction.rawValue): its outputs depend on later "
                + "steps; only a forward network can be stepped")
        self.network = network
        sequenceCount = sequences
        head = network.head
        let states = StateBuffers<S>(configuration, sequences: sequences)
        self.states = states
        var weights: [LayerWeights<S>] = []
        network.packed.prepare(
            network.parameters, sequences: sequences, steps: 1, recording: false, into: &weights)
        layers = weights.enumerated().map { layer, weights in
            StreamingLayer(
                configuration, weights, network.engine, state: states.hidden[layer].view,
                cell: states.cells(layer, 0..<sequences))
        }
        mayUseThreads =
            network.backend == .openBLAS
            && (layers.contains(where: \.mayUseThreads)
                || head.map { WeightView.plain($0.weight, first: 0).mayUseThreads(rows: sequences) } ?? false)
    }

    /// One step of every sequence.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[B, I]`.
    ///   - outputs: `[B, O]`, overwritten.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func step(_ x: Matrix<S>, into outputs: inout Matrix<S>) {
        require(
            x.rows == sequenceCount && x.columns == layers[0].inputSize,
            "inputs of \(x.rows) x \(x.columns) for \(sequenceCount) sequences of \(layers[0].inputSize) inputs")
        let target = outputs.mutableView()
        if mayUseThreads {
            network.backend.withOneThreadEach { step(x.view, into: target) }
        } else {
            step(x.view, into: target)
        }
    }

    @inline(__always)
    private func step(_ x: MatrixView<S>, into outputs: MatrixView<S>) {
        var values = x
        for layer in layers { values = layer.step(values) }
        if let head { head.forward(values, into: outputs) } else { outputs.copy(values) }
    }

    /// The states, to be kept, changed or put back; a copy.
    public var state: State<S> {
        get {
            var state = State<S>(network.configuration, sequences: sequenceCount)
            for (index, matrix) in states.hidden.enumerated() { state.hidden[index].mutableView().copy(matrix.view) }
            for (index, matrix) in states.cell.enumerated() { state.cell[index].mutableView().copy(matrix.view) }
            return state
        }
        set {
            network.check(newValue, sequences: sequenceCount)
            for (matrix, new) in zip(states.hidden, newValue.hidden) { matrix.view.copy(new.view) }
            for (matrix, new) in zip(states.cell, newValue.cell) { matrix.view.copy(new.view) }
        }
    }

    /// Sets the states of one sequence to zero.
    public func reset(sequence: Int) {
        require(sequence >= 0 && sequence < sequenceCount, "sequence \(sequence) of \(sequenceCount)")
        for states in states.hidden + states.cell { states.view.row(sequence).fill(0) }
    }
}

/// One layer of a stream: all that a step needs, laid out once.
private final class StreamingLayer<S: Scalar> {
    let inputSize: Int
    let mayUseThreads: Bool
    private let cell: Cell
    private let weights: LayerWeights<S>
    private let engine: Engine<S>
    private let step: ForwardStep<S>
    /// [B, GH] the tape's columns of the input product.
    private let input: MatrixView<S>
    /// [1, B (tape columns + scratch columns)] what the step's views lie in.
    private let memory: Matrix<S>

    init(
        _ configuration: Configuration, _ weights: LayerWeights<S>, _ engine: Engine<S>, state: MatrixView<S>,
        cell: MatrixView<S>
    ) {
        let shape = configuration.cellShape, sequences = state.rows
        var arena = Arena(S.type)
        let tapePlace = arena.place(rows: sequences, columns: shape.tapeColumns)
        let scratchPlace = arena.place(rows: sequences, columns: shape.scratchColumns)
        memory = Matrix(rows: 1, columns: arena.count)
        let tape = memory.view.matrix(tapePlace)
        self.cell = configuration.cell
        self.weights = weights
        self.engine = engine
        inputSize = weights.forward.input.rows
        let factors = weights.forward
        mayUseThreads = [factors.input, factors.recurrent, factors.gated, factors.projection].contains {
            $0?.mayUseThreads(rows: sequences) ?? false
        }
        input = tape.columns(shape.inputColumns)
        step = ForwardStep(
            tape: tape, previous: state, recurrent: state, next: state, previousCell: cell, nextCell: cell,
            scratch: memory.view.matrix(scratchPlace))
    }

    /// [B, P] the states after a step with inputs [B, I].
    @specialized(where S == Float)
    @specialized(where S == Double)
    func step(_ x: MatrixView<S>) -> MatrixView<S> {
        engine.multiply(x, weights.forward.input, into: input)
        cell.forward(step, weights, engine)
        return step.next
    }
}
