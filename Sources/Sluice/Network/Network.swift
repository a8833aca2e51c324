/// A recurrent network: configuration, parameters and the backend that computes it.
///
///     var random = Random(seed: 1)
///     let configuration = Configuration(cell: .gru(.resetAfter), inputSize: 8, hiddenSize: 64)
///     let network = Network<Float>(configuration, .pyTorch, using: &random)
///     let (outputs, state) = network.forward(x, Packing(sequences: 32, steps: 100))
public struct Network<S: Scalar>: Sendable {
    /// What is computed, and every size.
    public let configuration: Configuration
    /// The parameters. After a change the next pass packs the weights for its products. Changed in place, they are not copied.
    public var parameters: Parameters<S> {
        get { currentParameters }
        _modify {
            yield &currentParameters
            takeUpParameters()
        }
    }
    private var currentParameters: Parameters<S>
    /// The threads that passes are shared out to.
    public let workers: Workers
    let engine: Engine<S>
    private(set) var packed: PackedWeights<S>
    private let layout: ParameterLayout

    /// A network with given parameters.
    ///
    /// - Parameters:
    ///   - configuration: what is computed, and every size.
    ///   - parameters: of this configuration.
    ///   - backend: who computes; by default the fastest of this build.
    ///   - level: the instruction set of the fused kernels; by default the best of this processor.
    ///   - workers: the threads; by default only the caller's.
    /// - Precondition: the parameters are those of the configuration, and this build and processor have backend and level.
    ///   For what comes from outside the program there is ``init(checking:_:backend:level:workers:)``.
    public init(
        _ configuration: Configuration, _ parameters: Parameters<S>, backend: Backend = .default,
        level: KernelLevel = .best, workers: Workers = .single
    ) {
        require(noProblem: Self.problem(configuration, parameters, backend, level))
        self.init(checked: configuration, parameters, backend, level, workers)
    }

    /// A network of a configuration, parameters, a backend or a level that come from outside the program.
    ///
    /// - Throws: where there is no such network, the parameters are another's, or this build or processor has not got the
    ///   backend or the level.
    public init(
        checking configuration: Configuration, _ parameters: Parameters<S>, backend: Backend = .default,
        level: KernelLevel = .best, workers: Workers = .single
    ) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(configuration, parameters, backend, level))
        self.init(checked: configuration, parameters, backend, level, workers)
    }

    private init(
        checked configuration: Configuration, _ parameters: Parameters<S>, _ backend: Backend, _ level: KernelLevel,
        _ workers: Workers
    ) {
        self.configuration = configuration
        currentParameters = parameters
        self.workers = workers
        engine = Engine(backend: backend, level: level)
        layout = parameters.layout
        packed = PackedWeights(parameters, configuration, backend: backend)
    }

    /// A network with freshly drawn parameters.
    public init(
        _ configuration: Configuration, _ initialization: Initialization, using random: inout Random,
        backend: Backend = .default, level: KernelLevel = .best, workers: Workers = .single
    ) {
        self.init(
            configuration, Parameters(configuration, initialization, using: &random), backend: backend,
            level: level, workers: workers)
    }

    private static func problem(
        _ configuration: Configuration, _ parameters: Parameters<S>, _ backend: Backend, _ level: KernelLevel
    ) -> String? {
        configuration.problem ?? Engine<S>.problem(backend, level)
            ?? problem(parameters, for: ParameterLayout(configuration))
    }

    private static func problem(_ parameters: Parameters<S>, for layout: ParameterLayout) -> String? {
        layout.difference(from: parameters.layout).map { "parameters of another network: \($0)" } ?? parameters.problem
    }

    /// Follows a change of the parameters.
    private mutating func takeUpParameters() {
        require(noProblem: Self.problem(currentParameters, for: layout))
        if isKnownUniquelyReferenced(&packed) {
            packed.update(currentParameters)
        } else {
            packed = PackedWeights(currentParameters, configuration, backend: backend)
        }
    }

    /// The backend that computes.
    public var backend: Backend { engine.backend }

    /// Changes the parameters through a view [1, count].
    mutating func updateParameters(_ body: (MatrixView<S>) -> Void) {
        func update(_ parameters: inout Parameters<S>) { body(parameters.values.mutableView()) }
        update(&parameters)
    }
}

// MARK: Inference

extension Network {
    /// Computes a batch.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`, rows as the packing says.
    ///   - packing: the lengths of the sequences.
    ///   - state: the initial states; nil: zeros.
    /// - Returns: the outputs, `[N, O]` (or `[B, O]` from a head on the last step), and the final states.
    /// - Precondition: inputs and states have these shapes. For those from outside the program ask ``validate(_:_:from:)`` first,
    ///   which throws.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func forward(
        _ x: Matrix<S>, _ packing: Packing, from state: State<S>? = nil
    ) -> (outputs: Matrix<S>, state: State<S>) {
        var state = state ?? State(configuration, sequences: packing.sequenceCount)
        var outputs = Matrix<S>(rows: configuration.outputRowCount(packing), columns: configuration.outputSize)
        forward(x, in: Workspace(configuration, packing, recording: false), state: &state, into: &outputs)
        return (outputs, state)
    }

    /// Computes a batch in a workspace that is kept: allocates nothing.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - workspace: made for this configuration and the batch's packing.
    ///   - state: in, the initial states; out, the final ones.
    ///   - outputs: `[N, O]` or `[B, O]`, overwritten.
    /// - Precondition: all have these shapes, no other pass uses the workspace, and it has no regularisation.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func forward(
        _ x: Matrix<S>, in workspace: Workspace<S>, state: inout State<S>, into outputs: inout Matrix<S>
    ) {
        check(x.view, workspace)
        require(
            workspace.regularization == .none,
            "a workspace with a regularisation for a pass that leaves nothing out; it needs record(_:in:from:using:)")
        check(state, sequences: workspace.packing.sequenceCount)
        checkOutputs(outputs, workspace.packing, "room")
        let target = outputs.mutableView()
        workspace.occupy()
        defer { workspace.release() }
        workspace.makeRoom(threads: workers.threads)
        workspace.load(state, into: workspace.batchStates)
        share(workspace, ForwardWork(pass: pass(x.view, workspace), outputs: target))
        workspace.store(workspace.batchStates, into: &state)
    }

    /// Does the work of every shard, over the threads.
    func share(_ workspace: Workspace<S>, _ work: some SharedWork) {
        packed.prepare(
            parameters, sequences: workspace.packing.sequenceCount, steps: workspace.packing.stepCount,
            recording: workspace.purpose.isRecording, into: &workspace.weights)
        backend.withOneThreadEach { workers.run(workspace.layout.shards.count, work) }
    }

    /// The head, if there is one; valid while the network lives.
    var head: DenseHead<S>? {
        parameters.layout.head.map {
            DenseHead(weight: parameters.view($0.weight), bias: parameters.view($0.bias), engine: engine)
        }
    }

    /// What the shards of a pass have in common; valid while network and workspace live.
    func pass(_ x: MatrixView<S>, _ workspace: Workspace<S>) -> Pass<S> {
        let gates = workspace.cellShape.gateCount * configuration.hiddenSize
        let step = workspace.packing.sequenceCount * configuration.stateSize * gates
        let isShared = workspace.layout.shards.count == 1 && step >= Engine<S>.leastToShare
        let engine = isShared ? engine.sharing(workers) : engine
        return Pass(
            configuration: configuration, engine: engine, head: head, workspace: workspace,
            states: workspace.batchStates, stateGradients: workspace.batchStateGradients, workers: workers, x: x)
    }
}

/// A forward pass over a shard, its outputs into the batch's.
private struct ForwardWork<S: Scalar>: SharedWork {
    let pass: Pass<S>
    let outputs: MatrixView<S>

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) { pass.shard(index, thread: thread).forward(into: outputs) }
}
