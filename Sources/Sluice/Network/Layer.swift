/// One layer's scan over the steps of a shard, in chunks of steps whose rows stay in the cache.
struct Layer<S: Scalar> {
    let cell: Cell
    let weights: LayerWeights<S>
    let engine: Engine<S>
    let buffers: LayerBuffers<S>
    let workspace: ShardWorkspace<S>

    private var packing: Packing { buffers.packing }

    /// Computes every state from the inputs and the initial states. Per chunk: the input product of all its rows, then
    /// step by step the cell.
    func forward(_ x: LayerInput<S>) {
        let tape = buffers.tape.view
        let inputColumns = cell.inputColumns(hiddenSize: buffers.allStates.columns)
        for chunk in workspace.chunks {
            let rows = packing.rows(of: chunk)
            let tapeStart = workspace.isRecording ? 0 : rows.lowerBound
            let chunkTape = tape.rows(rows.lowerBound - tapeStart..<rows.upperBound - tapeStart)
            engine.multiply(x.rows(of: chunk, workspace), weights.forward.input, into: chunkTape.columns(inputColumns))
            for t in chunk {
                let stepRows = packing.rows(at: t)
                cell.forward(
                    step(t, tape: tape.rows(stepRows.lowerBound - tapeStart..<stepRows.upperBound - tapeStart)),
                    weights, engine)
            }
        }
    }

    /// From the gradients of the states as outputs (`buffers.stateGradient`) and of the final states
    /// (`buffers.carriedGradient`): overwrites the parameters' gradient, and `dx` if there is one, and
    /// leaves the gradient of the initial states in `buffers.carriedGradient`. The tape is used up.
    ///
    /// - Parameter hasStateGradient: false if only the final states have a gradient.
    func backward(_ x: LayerInput<S>, hasStateGradient: Bool, gradient: LayerGradient<S>, dx: LayerInput<S>?) {
        let dbias = workspace.biasSums.view
        dbias.fill(0)
        let inputColumns = cell.inputColumns(hiddenSize: buffers.allStates.columns)
        for chunk in workspace.chunks.reversed() {
            for t in chunk.reversed() {
                let rows = packing.rows(at: t)
                let dy = hasStateGradient ? buffers.stateGradient.view.rows(rows) : nil
                cell.backward(step(t, tape: buffers.tape.view.rows(rows), dy: dy, dbias: dbias), weights, engine)
            }
            let tape = buffers.tape.view.rows(packing.rows(of: chunk))
            let run = Run(x: x.rows(of: chunk, workspace), previous: previousStates(of: chunk), tape: tape)
            let isFirst = chunk.upperBound == packing.stepCount
            cell.weightGradients(run, into: gradient, accumulate: !isFirst, engine)
            if let dx, let transposed = weights.transposed?.input {
                let target = dx.rowsToWrite(of: chunk, workspace)
                engine.multiply(tape.columns(inputColumns), transposed, into: target)
                dx.write(target, of: chunk, workspace)
            }
        }
        cell.biasGradients(dbias, into: gradient)
    }

    private func step(
        _ t: Int, tape: MatrixView<S>, dy: MatrixView<S>? = nil, dbias: MatrixView<S>? = nil
    ) -> Step<S> {
        let alive = packing.aliveCount(at: t)
        let dh = buffers.carriedGradient.view
        return Step(
            tape: tape, previous: previousStates(at: t), next: buffers.states.rows(packing.rows(at: t)),
            scratch: workspace.scratch.view, dy: dy, dh: dh.rows(0..<min(alive, dh.rows)),
            dbias: dbias ?? workspace.biasSums.view)
    }

    /// [alive, H] the states before a step.
    private func previousStates(at t: Int) -> MatrixView<S> {
        let all = t == 0 ? buffers.initialStates : buffers.states.rows(packing.rows(at: t - 1))
        return all.rows(0..<packing.aliveCount(at: t))
    }

    /// [R, H] the states before each step of a chunk. With equal lengths they follow one another, one step behind the
    /// states; otherwise they are gathered.
    private func previousStates(of chunk: Range<Int>) -> MatrixView<S> {
        let rows = packing.rows(of: chunk)
        if packing.isEqualLength { return buffers.allStates.view.rows(rows) }
        let gathered = workspace.previousStates.view.rows(0..<rows.count)
        for t in chunk {
            let target = packing.rows(at: t)
            gathered.rows(target.lowerBound - rows.lowerBound..<target.upperBound - rows.lowerBound)
                .copy(previousStates(at: t))
        }
        return gathered
    }
}

/// Where a layer's inputs lie: in the batch's matrix, or in the shard's own rows (the layer below).
enum LayerInput<S: Scalar> {
    case batch(MatrixView<S>)
    case shard(MatrixView<S>)

    /// [R, I] the inputs of a chunk: in place where their rows follow one another, else gathered.
    func rows(of chunk: Range<Int>, _ workspace: ShardWorkspace<S>) -> MatrixView<S> {
        let target = rowsToWrite(of: chunk, workspace)
        if case .batch(let matrix) = self, !workspace.shard.isWhole {
            forEachStep(of: chunk, workspace) { target.rows($0).copy(matrix.rows($1)) }
        }
        return target
    }

    /// The same rows without their values, to be written; ``write(_:of:_:)`` then brings them home.
    func rowsToWrite(of chunk: Range<Int>, _ workspace: ShardWorkspace<S>) -> MatrixView<S> {
        let rows = workspace.shard.packing.rows(of: chunk)
        switch self {
        case .shard(let matrix): return matrix.rows(rows)
        case .batch(let matrix) where workspace.shard.isWhole: return matrix.rows(rows)
        case .batch: return workspace.inputs.view.rows(0..<rows.count)
        }
    }

    /// Copies rows from ``rowsToWrite(of:_:)`` to where they belong, if they are not there already.
    func write(_ rows: MatrixView<S>, of chunk: Range<Int>, _ workspace: ShardWorkspace<S>) {
        if case .batch(let matrix) = self, !workspace.shard.isWhole {
            forEachStep(of: chunk, workspace) { matrix.rows($1).copy(rows.rows($0)) }
        }
    }

    private func forEachStep(
        of chunk: Range<Int>, _ workspace: ShardWorkspace<S>, _ body: (_ chunk: Range<Int>, _ batch: Range<Int>) -> Void
    ) {
        let packing = workspace.shard.packing
        let start = packing.rows(of: chunk).lowerBound
        for t in chunk {
            let rows = packing.rows(at: t)
            body(rows.lowerBound - start..<rows.upperBound - start, workspace.shard.batchRows(at: t))
        }
    }
}
