/// The computation of one shard, from its inputs to its outputs and back: what one thread does.
struct ShardPass<S: Scalar>: Sendable {
    let configuration: Configuration
    let parameters: Parameters<S>
    let packed: PackedWeights<S>
    let engine: Engine<S>
    let workspace: ShardWorkspace<S>

    private func layer(_ index: Int) -> Layer<S> {
        Layer(
            cell: configuration.cell,
            weights: packed.layer(index, parameters, workspace.shard.batch, recording: workspace.isRecording),
            engine: engine,
            buffers: workspace.layers[index], workspace: workspace)
    }

    private func input(ofLayer index: Int, _ x: MatrixView<S>) -> LayerInput<S> {
        index == 0 ? .batch(x) : .shard(workspace.layers[index - 1].states)
    }

    private var head: DenseHead<S>? {
        parameters.layout.head.map {
            DenseHead(weight: parameters.view($0.weight), bias: parameters.view($0.bias), engine: engine)
        }
    }

    /// What the head reads: the last layer's states, all or each sequence's last.
    private func headInput() -> MatrixView<S> {
        let top = workspace.layers[configuration.layers - 1]
        guard configuration.head?.steps == .last else { return top.states }
        top.copyFinalStates(into: workspace.lastStates.view)
        return workspace.lastStates.view
    }

    /// [n, O] the shard's outputs: the head's, or the last layer's states.
    var outputs: MatrixView<S> {
        configuration.head == nil ? workspace.layers[configuration.layers - 1].states : workspace.outputs.view
    }

    /// Copies the outputs to their rows of the batch's.
    func copyOutputs(into batch: MatrixView<S>) {
        for run in workspace.outputRuns { batch.rows(run.batch).copy(outputs.rows(run.shard)) }
    }

    /// [n, O] where the gradient of the outputs is put before ``backward(_:dx:)``.
    var outputGradient: MatrixView<S> {
        configuration.head == nil
            ? workspace.layers[configuration.layers - 1].stateGradient.view : workspace.outputGradient.view
    }

    /// The outputs, from the batch's inputs and the initial states in the workspace.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func forward(_ x: MatrixView<S>) {
        for index in 0..<configuration.layers { layer(index).forward(input(ofLayer: index, x)) }
        head?.forward(headInput(), into: outputs)
    }

    /// From the gradients of the outputs (``outputGradient``) and of the final states (each layer's
    /// `carriedGradient`): the gradients of the parameters in `gradient`, of the initial states in each layer's
    /// `carriedGradient`, and of this shard's rows of the batch's inputs in `dx` if that is asked for; all overwriting.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func backward(_ x: MatrixView<S>, gradient: MatrixView<S>, dx: MatrixView<S>?) {
        let top = configuration.layers - 1
        var hasStateGradient = backwardThroughHead(into: workspace.layers[top], gradient)
        for index in (0...top).reversed() {
            let below: LayerInput<S>? =
                index > 0 ? .shard(workspace.layers[index - 1].stateGradient.view) : dx.map { .batch($0) }
            layer(index).backward(
                input(ofLayer: index, x), hasStateGradient: hasStateGradient, gradient: layerGradient(index, gradient),
                dx: below)
            hasStateGradient = true
        }
    }

    /// Brings the outputs' gradient to the last layer's states. Returns whether every step's state has one; a head on the
    /// last step adds to the final states' gradient instead.
    private func backwardThroughHead(into buffers: LayerBuffers<S>, _ gradient: MatrixView<S>) -> Bool {
        guard let head, let entries = parameters.layout.head else { return true }
        let readsLast = configuration.head?.steps == .last
        let dh = readsLast ? workspace.lastStates.view : buffers.stateGradient.view
        let h = readsLast ? headInput() : workspace.layers[configuration.layers - 1].states
        head.backward(
            h, do: outputGradient, weightGradient: gradient.parameter(entries.weight),
            biasGradient: gradient.parameter(entries.bias), dh: dh)
        if readsLast { buffers.carriedGradient.view.add(dh) }
        return !readsLast
    }

    private func layerGradient(_ index: Int, _ gradient: MatrixView<S>) -> LayerGradient<S> {
        let entries = parameters.layout.layers[index]
        return LayerGradient(
            input: gradient.parameter(entries.input), recurrent: gradient.parameter(entries.recurrent),
            bias: gradient.parameter(entries.bias), recurrentBias: entries.recurrentBias.map { gradient.parameter($0) })
    }
}
