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
    private let outputSize: Int
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
    /// - Precondition: that is so, and there is at least one sequence. For a network or a number from outside the program there is
    ///   ``init(checking:sequences:)``.
    public convenience init(_ network: Network<S>, sequences: Int = 1) {
        require(noProblem: Self.problem(network.configuration, sequences: sequences))
        self.init(checked: network, sequences)
    }

    /// A stream of a network or of a number of sequences that comes from outside the program.
    ///
    /// - Throws: where the network does not run forward only, or there is no sequence.
    public convenience init(checking network: Network<S>, sequences: Int = 1) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(network.configuration, sequences: sequences))
        self.init(checked: network, sequences)
    }

    private static func problem(_ configuration: Configuration, sequences: Int) -> String? {
        if sequences < 1 || sequences > Packing.mostRows {
            return "a stream of \(sequences) sequences; 1 to \(Packing.mostRows) are possible"
        }
        return configuration.direction == .forward
            ? nil
            : "a stream of a network whose direction is \(configuration.direction.rawValue): its outputs depend on later "
                + "steps; only a forward network can be stepped"
    }

    private init(checked network: Network<S>, _ sequences: Int) {
        let configuration = network.configuration
        self.network = network
        outputSize = configuration.outputSize
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
    /// - Precondition: both have these shapes. For inputs from outside the program ask ``validate(_:)-(Matrix<S>)`` first.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func step(_ x: Matrix<S>, into outputs: inout Matrix<S>) {
        require(noProblem: problem(x))
        require(
            outputs.rows == sequenceCount && outputs.columns == outputSize,
            "room of \(outputs.rows) x \(outputs.columns) for \(sequenceCount) sequences of \(outputSize) outputs")
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

    /// Checks a step's inputs from outside the program.
    ///
    /// - Throws: where they are not `[B, I]`.
    public func validate(_ x: Matrix<S>) throws(InvalidValue) { try InvalidValue.throwing(problem(x)) }

    /// Checks states from outside the program before they are put into ``state``.
    ///
    /// - Throws: where they are not this stream's sequences' of its network.
    public func validate(_ state: State<S>) throws(InvalidValue) {
        try network.validate(state, sequences: sequenceCount)
    }

    /// The words out of line, as a step should only pay for the comparison.
    @inline(__always)
    private func problem(_ x: Matrix<S>) -> String? {
        x.rows == sequenceCount && x.columns == layers[0].inputSize ? nil : words(inputs: x)
    }

    @inline(never)
    private func words(inputs x: Matrix<S>) -> String {
        "inputs of \(x.rows) x \(x.columns) for \(sequenceCount) sequences of \(layers[0].inputSize) inputs"
    }

    /// The states, to be kept, changed or put back; a copy.
    ///
    /// - Precondition: what is put in is of this many sequences of this network: see ``validate(_:)-(State<S>)``.
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
    ///
    /// - Precondition: there is such a sequence.
    public func reset(sequence: Int) {
        require(sequence >= 0 && sequence < sequenceCount, "sequence \(sequence) of a stream of \(sequenceCount)")
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
