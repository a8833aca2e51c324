/// What the shards of a pass have in common: values and views only, so that threads do not count each other's references.
/// Whoever makes one keeps network and workspace alive.
struct Pass<S: Scalar>: Sendable {
    let configuration: Configuration
    let engine: Engine<S>
    let head: DenseHead<S>?
    unowned(unsafe) let workspace: Workspace<S>
    /// [N, I] the batch's inputs.
    let x: MatrixView<S>

    /// The computation of one shard by a thread.
    func shard(_ index: Int, thread: Int) -> ShardPass<S> {
        let workspace = unsafe workspace
        return ShardPass(pass: self, index: index, workspace: workspace.room(index, thread: thread))
    }
}

/// The computation of one shard, from its inputs to its outputs and back: what one thread does.
struct ShardPass<S: Scalar> {
    let pass: Pass<S>
    let index: Int
    unowned(unsafe) let workspace: ShardWorkspace<S>

    private var shard: Shard { unsafe workspace.shard }
    private var batch: Workspace<S> { unsafe pass.workspace }
    private var top: Int { pass.configuration.layers - 1 }
    private var hasHead: Bool { pass.head != nil }
    /// Whether the last layer's states are written as the batch's outputs at once.
    private var writesOutputs: Bool { unsafe !hasHead && workspace.purpose == .inference }

    // MARK: Forward

    /// The outputs, from the batch's inputs and initial states; leaves the final states in the batch's.
    ///
    /// - Parameter outputs: the batch's, `[N, O]` or `[B, O]`, this shard's rows of them overwritten; nil: they stay in the
    ///   workspace.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func forward(into outputs: MatrixView<S>?) {
        for index in 0...top {
            let layer = layer(index, outputs)
            let states = batch.states[index].view.rows(shard.positions)
            if unsafe workspace.purpose.isRecording { layer.initialStates.copy(states) }
            layer.forward(input(ofLayer: index))
            layer.copyFinalStates(into: states)
        }
        if let head = pass.head { unsafe head.forward(headInput(), into: workspace.outputs) }
        if let outputs, !writesOutputs { copyOutputs(into: outputs) }
    }

    /// [n, O] the shard's outputs, where the batch has not got them: the head's, or the last layer's states.
    var outputs: MatrixView<S> { unsafe hasHead ? workspace.outputs : workspace.layers[top].states }

    /// Which rows of the batch's outputs are which of the shard's.
    var outputRuns: [RowRun] { unsafe workspace.runs.outputs }

    /// Copies the outputs to their rows of the batch's.
    func copyOutputs(into batch: MatrixView<S>) {
        for run in outputRuns { batch.rows(run.batch).copy(outputs.rows(run.shard)) }
    }

    // MARK: Backward

    /// [n, O] room for the gradient of the shard's outputs.
    var outputGradient: MatrixView<S> {
        unsafe hasHead ? workspace.outputGradient : workspace.layers[top].stateGradient
    }

    /// From the gradient of the outputs, in ``outputGradient`` or the batch's, and of the final states in the batch's: the
    /// gradients of the parameters in `gradient` and of this shard's rows of the inputs in `dx`, if that is asked for; of
    /// the initial states in the place of the final ones'. All overwriting.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func backward(batchOutputGradient: MatrixView<S>? = nil, gradient: MatrixView<S>, dx: MatrixView<S>?) {
        var dy: LayerRows<S>?
        if let head = pass.head {
            dy = backward(through: head, batchOutputGradient, gradient)
        } else {
            dy = batchOutputGradient.map { .batch($0) } ?? .shard(outputGradient)
        }
        for index in (0...top).reversed() {
            let below: LayerRows<S>? =
                unsafe index > 0 ? .shard(workspace.layers[index - 1].stateGradient) : dx.map { .batch($0) }
            layer(index, nil).backward(
                input(ofLayer: index), dy: dy, dh: batch.stateGradients[index].view.rows(shard.positions),
                gradient: layerGradient(index, gradient), dx: below)
            dy = below
        }
    }

    /// Brings the outputs' gradient to the last layer's states. A head on the last step adds to the final states' gradient
    /// instead.
    private func backward(
        through head: DenseHead<S>, _ batchOutputGradient: MatrixView<S>?, _ gradient: MatrixView<S>
    ) -> LayerRows<S>? {
        if let batchOutputGradient {
            for run in outputRuns {
                outputGradient.rows(run.shard).copy(batchOutputGradient.rows(run.batch))
            }
        }
        let readsLast = pass.configuration.head?.steps == .last
        let dh = unsafe readsLast ? workspace.lastStates : workspace.layers[top].stateGradient
        let h = unsafe readsLast ? headInput() : workspace.layers[top].states
        let places = batch.layout.head!
        head.backward(
            h, do: outputGradient, weightGradient: gradient.parameter(places.weight),
            biasGradient: gradient.parameter(places.bias), dh: dh)
        guard readsLast else { return .shard(dh) }
        batch.stateGradients[top].view.rows(shard.positions).add(dh)
        return nil
    }

    /// [1, count] where the shard's gradient is computed; nil: in the batch's, as it is the first.
    var ownGradient: MatrixView<S>? { unsafe index > 0 ? workspace.gradient : nil }

    /// Adds the shard's gradient to the batch's, once those of the shards before it are there.
    func addGradient(to batchGradient: MatrixView<S>) {
        if let ownGradient {
            spinUntil { batch.nextToAdd.load(ordering: .acquiring) == index }
            batchGradient.add(ownGradient)
        }
        batch.nextToAdd.store(index + 1, ordering: .releasing)
    }

    // MARK: Parts

    private func layer(_ index: Int, _ outputs: MatrixView<S>?) -> Layer<S> {
        let workspace = unsafe workspace
        let buffers = workspace.layers[index]
        return Layer(
            cell: pass.configuration.cell, weights: batch.weights[index], engine: pass.engine, buffers: buffers,
            workspace: workspace,
            initialStates: workspace.purpose.isRecording
                ? buffers.statesBefore.rows(0..<shard.positions.count)
                : batch.states[index].view.rows(shard.positions),
            states: index == top && writesOutputs ? .batch(outputs!) : .shard(buffers.states),
            steps: workspace.runs.steps)
    }

    private func input(ofLayer index: Int) -> LayerRows<S> {
        unsafe index == 0 ? .batch(pass.x) : .shard(workspace.layers[index - 1].states)
    }

    /// What the head reads: the last layer's states, all or each sequence's last.
    private func headInput() -> MatrixView<S> {
        let workspace = unsafe workspace
        guard pass.configuration.head?.steps == .last else { return workspace.layers[top].states }
        workspace.lastStates.copy(batch.states[top].view.rows(shard.positions))
        return workspace.lastStates
    }

    private func layerGradient(_ index: Int, _ gradient: MatrixView<S>) -> LayerGradient<S> {
        let places = batch.layout.layers[index]
        return LayerGradient(
            input: gradient.parameter(places.input), recurrent: gradient.parameter(places.recurrent),
            bias: gradient.parameter(places.bias), recurrentBias: places.recurrentBias.map { gradient.parameter($0) })
    }
}
