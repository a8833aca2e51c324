/// One layer's scan over the steps of a shard, in chunks of steps whose rows stay in the cache.
struct Layer<S: Scalar> {
    let cell: Cell
    let weights: LayerWeights<S>
    let engine: Engine<S>
    let buffers: LayerBuffers<S>
    unowned(unsafe) let workspace: ShardWorkspace<S>
    /// [B, H] the states before the first step.
    let initialStates: MatrixView<S>
    /// The states after every step.
    let states: LayerRows<S>

    /// The rows of each step.
    let steps: [RowRun]

    private var inputColumns: Range<Int> { cell.inputColumns(hiddenSize: initialStates.columns) }

    /// Computes every state from the inputs and the initial states. Per chunk: the input product of all its rows, then
    /// step by step the cell.
    func forward(_ x: LayerRows<S>) {
        let workspace = unsafe workspace
        for chunk in workspace.runs.chunks {
            let rows = workspace.runs.rows(of: chunk)
            let tapeStart = workspace.purpose.isRecording ? 0 : rows.lowerBound
            let tape = buffers.tape.rows(rows.lowerBound - tapeStart..<rows.upperBound - tapeStart)
            engine.multiply(x.chunk(chunk, workspace), weights.forward.input, into: tape.columns(inputColumns))
            for t in chunk {
                let rows = steps[t]
                let tape = buffers.tape.rows(rows.shard.lowerBound - tapeStart..<rows.shard.upperBound - tapeStart)
                cell.forward(
                    ForwardStep(
                        tape: tape, previous: previousStates(at: t), next: states.step(rows),
                        scratch: workspace.scratch),
                    weights, engine)
            }
        }
    }

    /// Copies each sequence's last state to its row of `target`, [B, H].
    func copyFinalStates(into target: MatrixView<S>) {
        let packing = unsafe workspace.shard.packing
        if packing.isEqualLength {
            target.copy(states.step(steps[steps.count - 1]))
        } else {
            for (position, length) in packing.lengths.enumerated() {
                let row = position..<position + 1
                target.rows(row).copy(states.step(steps[length - 1]).rows(row))
            }
        }
    }

    /// From the gradients of the states as outputs and of the final states: overwrites the parameters' gradient, and `dx`
    /// if there is one, and leaves the gradient of the initial states in `dh`. The tape is used up.
    ///
    /// - Parameters:
    ///   - dy: nil if only the final states have a gradient.
    ///   - dh: [B, H] in, the gradient of the final states; out, of the initial ones.
    func backward(
        _ x: LayerRows<S>, dy: LayerRows<S>?, dh: MatrixView<S>, gradient: LayerGradient<S>, dx: LayerRows<S>?
    ) {
        let workspace = unsafe workspace
        workspace.biasSums.fill(0)
        for chunk in workspace.runs.chunks.reversed() {
            for t in chunk.reversed() {
                let rows = steps[t]
                cell.backward(
                    BackwardStep(
                        tape: buffers.tape.rows(rows.shard), previous: previousStates(at: t),
                        dy: dy?.step(rows), dh: dh.rows(0..<rows.shard.count), scratch: workspace.scratch,
                        dbias: workspace.biasSums),
                    weights, engine)
            }
            let tape = buffers.tape.rows(workspace.runs.rows(of: chunk))
            let run = Run(x: x.chunk(chunk, workspace), previous: previousStates(of: chunk), tape: tape)
            let isFirst = chunk.upperBound == steps.count
            cell.weightGradients(run, into: gradient, accumulate: !isFirst, engine)
            if let dx, let transposed = weights.transposed?.input {
                let target = dx.chunkToWrite(chunk, workspace)
                engine.multiply(tape.columns(inputColumns), transposed, into: target)
                dx.write(target, of: chunk, workspace)
            }
        }
        cell.biasGradients(workspace.biasSums, into: gradient)
    }

    /// [alive, H] the states before a step.
    private func previousStates(at t: Int) -> MatrixView<S> {
        let all = t == 0 ? initialStates : states.step(steps[t - 1])
        return all.rows(0..<steps[t].shard.count)
    }

    /// [R, H] the states before each step of a chunk. With equal lengths they follow one another, one step behind the
    /// states; otherwise they are gathered.
    private func previousStates(of chunk: Range<Int>) -> MatrixView<S> {
        let workspace = unsafe workspace
        let rows = workspace.runs.rows(of: chunk)
        if workspace.shard.packing.isEqualLength { return buffers.statesBefore.rows(rows) }
        let gathered = workspace.previousStates.rows(0..<rows.count)
        for t in chunk {
            let target = steps[t].shard
            gathered.rows(target.lowerBound - rows.lowerBound..<target.upperBound - rows.lowerBound)
                .copy(previousStates(at: t))
        }
        return gathered
    }
}
