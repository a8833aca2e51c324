/// A forward pass that kept what its backward pass needs: outputs and states now, gradients once.
///
///     let recording = network.record(x, packing)
///     let gradients = recording.backward(outputs: dy)
///
/// It holds its workspace: no other pass may use that until the recording is used up or gone.
public struct Recording<S: Scalar>: ~Copyable {
    private let x: Matrix<S>
    private let network: Network<S>
    private let workspace: Workspace<S>

    /// Runs the forward pass.
    ///
    /// - Parameter drawSeeds: called once the workspace is the pass's own.
    fileprivate init(
        _ network: Network<S>, _ x: Matrix<S>, _ workspace: Workspace<S>, _ initial: State<S>?,
        drawSeeds: () -> Void = {}
    ) {
        network.check(x.view, workspace)
        if let initial { network.check(initial, sequences: workspace.packing.sequenceCount) }
        require(workspace.purpose == .recording, "this workspace was made for passes without recording")
        workspace.occupy()
        workspace.makeRoom(threads: network.workers.threads)
        drawSeeds()
        workspace.load(initial, into: workspace.batchStates)
        network.share(workspace, RecordedForwardWork(pass: network.pass(x.view, workspace)))
        self.x = x
        self.network = network
        self.workspace = workspace
    }

    deinit { workspace.release() }

    /// The outputs, `[N, O]` or `[B, O]`; a copy.
    public var outputs: Matrix<S> {
        var outputs = Matrix<S>(
            rows: network.configuration.outputRowCount(workspace.packing), columns: network.configuration.outputSize)
        let target = outputs.mutableView()
        let pass = network.pass(x.view, workspace)
        for index in workspace.layout.shards.indices { pass.shard(index, thread: 0).copyOutputs(into: target) }
        return outputs
    }

    /// The final states; a copy.
    public var state: State<S> {
        var state = State<S>(network.configuration, sequences: workspace.packing.sequenceCount)
        workspace.store(workspace.batchStates, into: &state)
        return state
    }

    /// The gradients of a loss, given its gradients by the outputs and by the final states. The recording is used up.
    ///
    /// - Parameters:
    ///   - outputGradient: the shape of ``outputs``.
    ///   - stateGradient: the shape of ``state``; nil: zeros.
    public consuming func backward(outputs outputGradient: Matrix<S>, state stateGradient: State<S>? = nil)
        -> Gradients<S>
    {
        var gradients = Gradients<S>(network.configuration, workspace.packing)
        backward(outputs: outputGradient, state: stateGradient, into: &gradients)
        return gradients
    }

    /// The gradients, into given ones, which are overwritten: allocates nothing. The recording is used up.
    ///
    /// - Precondition: all have the shapes that ``Gradients/init(_:_:inputs:)`` and ``outputs`` give.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public consuming func backward(
        outputs outputGradient: Matrix<S>, state stateGradient: State<S>? = nil, into gradients: inout Gradients<S>
    ) {
        network.checkOutputs(outputGradient, workspace.packing, "a gradient")
        if let stateGradient { network.check(stateGradient, sequences: workspace.packing.sequenceCount) }
        check(gradients)
        workspace.load(stateGradient, into: workspace.batchStateGradients)
        network.share(
            workspace,
            BackwardWork(
                pass: network.pass(x.view, workspace), outputGradient: outputGradient.view,
                gradient: gradients.parameters.values.mutableView(),
                inputGradient: gradients.inputs?.mutableView()))
        workspace.store(workspace.batchStateGradients, into: &gradients.initialState)
    }

    /// Checks that there is room for the gradients of this pass.
    private func check(_ gradients: Gradients<S>) {
        if let difference = network.parameters.layout.difference(from: gradients.parameters.layout) {
            stop("gradients of another network: \(difference)")
        }
        require(noProblem: gradients.parameters.problem)
        if let inputs = gradients.inputs {
            require(
                inputs.rows == x.rows && inputs.columns == x.columns,
                "room of \(inputs.rows) x \(inputs.columns) for the gradient of inputs of \(x.rows) x \(x.columns)")
        }
        network.check(gradients.initialState, sequences: workspace.packing.sequenceCount)
    }
}

/// The gradients of a loss by everything that a pass depends on.
public struct Gradients<S: Scalar>: Sendable {
    /// By the parameters.
    public var parameters: Parameters<S>
    /// By the inputs, `[N, I]`; nil: not asked for, and not computed.
    public var inputs: Matrix<S>?
    /// By the initial states.
    public var initialState: State<S>

    /// Room for the gradients of a batch.
    ///
    /// - Parameters:
    ///   - configuration: that of the network.
    ///   - packing: that of the batch.
    ///   - inputs: whether the gradient by the inputs is wanted, which costs a product.
    public init(_ configuration: Configuration, _ packing: Packing, inputs: Bool = true) {
        parameters = Parameters(ParameterLayout(configuration))
        self.inputs = inputs ? Matrix(rows: packing.rowCount, columns: configuration.inputSize) : nil
        initialState = State(configuration, sequences: packing.sequenceCount)
    }
}

/// A forward pass over a shard whose outputs stay in the workspace.
private struct RecordedForwardWork<S: Scalar>: SharedWork {
    let pass: Pass<S>

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) { pass.shard(index, thread: thread).forward(into: nil) }
}

/// A backward pass over a shard, from the batch's output gradient.
private struct BackwardWork<S: Scalar>: SharedWork {
    let pass: Pass<S>
    let outputGradient: MatrixView<S>
    let gradient: MatrixView<S>
    let inputGradient: MatrixView<S>?

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) {
        let shard = pass.shard(index, thread: thread)
        shard.backward(
            batchOutputGradient: outputGradient, gradient: shard.ownGradient ?? gradient, dx: inputGradient)
        shard.addGradient(to: gradient)
    }
}

extension Network {
    /// Computes a batch and keeps what the backward pass needs. Arguments as in ``forward(_:_:from:)``.
    public func record(_ x: Matrix<S>, _ packing: Packing, from state: State<S>? = nil) -> Recording<S> {
        record(x, in: Workspace(configuration, packing, recording: true), from: state)
    }

    /// Computes a batch in a workspace that is kept (and made for recording): allocates nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func record(_ x: Matrix<S>, in workspace: Workspace<S>, from state: State<S>? = nil) -> Recording<S> {
        require(
            workspace.regularization == .none,
            "a workspace with a regularisation needs a generator: record(x, in: workspace, using: &random)")
        return Recording(self, x, workspace, state)
    }

    /// Computes a batch with some of it left out at random, as training does, and keeps what the backward pass needs:
    /// outputs, states and gradients are those of the network so thinned.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - packing: the lengths of the sequences.
    ///   - state: the initial states; nil: zeros.
    ///   - regularization: what is left out.
    ///   - random: gives a number for each sequence, in the caller's order, from which its masks follow.
    public func record(
        _ x: Matrix<S>, _ packing: Packing, from state: State<S>? = nil, regularization: Regularization,
        using random: inout Random
    ) -> Recording<S> {
        let workspace = Workspace<S>(configuration, packing, recording: true, regularization: regularization)
        return record(x, in: workspace, from: state, using: &random)
    }

    /// The same in a workspace that is kept, by its regularisation: allocates nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func record(
        _ x: Matrix<S>, in workspace: Workspace<S>, from state: State<S>? = nil, using random: inout Random
    ) -> Recording<S> {
        Recording(self, x, workspace, state) { workspace.drawSeeds(using: &random) }
    }
}
