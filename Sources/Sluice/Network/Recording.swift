/// A forward pass that kept what its backward pass needs: outputs and states now, gradients once.
///
///     let recording = network.record(x, packing)
///     let gradients = recording.backward(outputs: dy)
public struct Recording<S: Scalar>: ~Copyable {
    /// The outputs, `[N, O]` or `[B, O]`.
    public let outputs: Matrix<S>
    /// The final states.
    public let state: State<S>
    private let x: Matrix<S>
    private let network: Network<S>
    private let workspace: Workspace<S>

    fileprivate init(_ network: Network<S>, _ x: Matrix<S>, _ packing: Packing, _ initial: State<S>?) {
        var network = network
        network.keepTransposedWeights()
        workspace = Workspace(network.configuration, packing, recording: true)
        var state = initial ?? State(network.configuration, sequences: packing.sequenceCount)
        var outputs = Matrix<S>(
            rows: network.configuration.outputRowCount(packing), columns: network.configuration.outputSize)
        network.forward(x, in: workspace, state: &state, into: &outputs)
        self.x = x
        self.network = network
        self.outputs = outputs
        self.state = state
    }

    /// The gradients of a loss, given its gradients by the outputs and by the final states. The recording is used up.
    ///
    /// - Parameters:
    ///   - outputs: the shape of ``outputs``.
    ///   - state: the shape of ``state``; nil: zeros.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public consuming func backward(outputs outputGradient: Matrix<S>, state stateGradient: State<S>? = nil)
        -> Gradients<S>
    {
        let network = self.network, x = self.x, workspace = self.workspace
        precondition(
            outputGradient.rows == outputs.rows && outputGradient.columns == outputs.columns,
            "a gradient of \(outputGradient.rows) x \(outputGradient.columns) for outputs of "
                + "\(outputs.rows) x \(outputs.columns)")
        if let stateGradient { network.check(x, workspace.packing, stateGradient) }
        var gradients = Gradients(
            parameters: Parameters(network.parameters.layout), inputs: Matrix<S>(rows: x.rows, columns: x.columns),
            initialState: State<S>(network.configuration, sequences: workspace.packing.sequenceCount))

        workspace.load(stateGradient) { $0.carriedGradient.view }
        network.share(
            workspace,
            BackwardWork(
                network: network, workspace: workspace, x: x.view, outputGradient: outputGradient.view,
                inputGradient: gradients.inputs.mutableView()))
        workspace.sumGradients(into: gradients.parameters.values.mutableView())
        workspace.store(&gradients.initialState) { $0.carriedGradient.view }
        return gradients
    }
}

/// A backward pass over a shard, from the batch's output gradient.
private struct BackwardWork<S: Scalar>: SharedWork {
    let network: Network<S>
    let workspace: Workspace<S>
    let x: MatrixView<S>
    let outputGradient: MatrixView<S>
    let inputGradient: MatrixView<S>

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int) {
        let shard = workspace.shards[index]
        let pass = network.shardPass(shard)
        for run in shard.outputRuns { pass.outputGradient.rows(run.shard).copy(outputGradient.rows(run.batch)) }
        pass.backward(x, dx: inputGradient)
    }
}

/// The gradients of a loss by everything that a pass depends on.
public struct Gradients<S: Scalar>: Sendable {
    public var parameters: Parameters<S>
    /// By the inputs, `[N, I]`.
    public var inputs: Matrix<S>
    /// By the initial states.
    public var initialState: State<S>
}

extension Network {
    /// Computes a batch and keeps what the backward pass needs. Arguments as in ``forward(_:_:from:)``.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func record(_ x: Matrix<S>, _ packing: Packing, from state: State<S>? = nil) -> Recording<S> {
        Recording(self, x, packing, state)
    }
}
