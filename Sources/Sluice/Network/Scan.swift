/// One layer in one direction: the scan over the steps of a shard, in chunks of steps whose rows stay in the cache.
///
/// A scan back through time counts its steps from each sequence's own end; it is the same scan over other rows.
struct Scan<S: Scalar> {
    let cell: Cell
    let weights: LayerWeights<S>
    let engine: Engine<S>
    let buffers: ScanBuffers<MatrixView<S>>
    let scratch: ScanScratch<MatrixView<S>>
    /// The shard's sequences.
    let packing: Packing
    let isRecording: Bool
    /// The tape's columns of the input product, and of the cell state in cells that have one.
    let inputColumns: Range<Int>
    let cellColumns: Range<Int>?
    /// [B, P] the states before the first of the steps.
    let initialStates: MatrixView<S>
    /// [B, H] in cells that have them: the cell states before the first step; in inference, the current ones.
    let initialCells: MatrixView<S>
    /// The states after every step.
    let states: ScanRows<S>
    /// The steps: all, or those of a segment of time.
    let runs: SegmentRuns
    /// What is left out at random; nil: nothing.
    let masks: ScanMasks<S>?

    private var steps: [RowRun] { runs.steps }

    /// Computes every state from the inputs and the initial states. Per chunk: the input product of all its rows, then
    /// step by step the cell.
    func forward(_ x: ScanRows<S>) {
        masks?.prepare(inputs: weights.forward.input.rows)
        for chunk in runs.chunks {
            let rows = runs.rows(of: chunk)
            let tapeStart = isRecording ? 0 : rows.lowerBound
            let tape = buffers.tape.rows(rows.lowerBound - tapeStart..<rows.upperBound - tapeStart)
            engine.multiply(inputs(x, of: chunk), weights.forward.input, into: tape.columns(inputColumns))
            for t in chunk {
                let rows = steps[t]
                let tape = buffers.tape.rows(rows.shard.lowerBound - tapeStart..<rows.shard.upperBound - tapeStart)
                let previous = previousStates(at: t)
                let step = ForwardStep(
                    tape: tape, previous: previous, recurrent: masks?.recurrent(previous) ?? previous,
                    next: states.step(rows), previousCell: previousCells(at: t), nextCell: cells(at: t, tape),
                    scratch: scratch.step)
                cell.forward(step, weights, engine)
                if let masks { zoneOut(step, at: t, masks) }
            }
        }
    }

    /// Copies the last state of each sequence that has one of the steps to its row of `target`, [B, P], and its last cell
    /// state to `cells`, [B, H].
    func copyFinalStates(into target: MatrixView<S>, cells: MatrixView<S>) {
        let keepsCells = isRecording && cellColumns != nil
        if packing.isEqualLength {
            let last = steps[steps.count - 1]
            target.copy(states.step(last))
            if keepsCells { cells.copy(cellStates(after: last)) }
        } else {
            for position in 0..<runs.aliveCount {
                let last = steps[min(packing.lengths[position] - runs.firstStep, steps.count) - 1]
                target.row(position).copy(states.step(last).row(position))
                if keepsCells { cells.row(position).copy(cellStates(after: last).row(position)) }
            }
        }
    }

    /// From the gradients of the states as outputs and of the final states: overwrites the parameters' gradient, and `dx`
    /// if there is one, and leaves the gradient of the initial states in `dh` and `dc`. The tape is used up.
    ///
    /// Segments of time come one after another, the last one first: the parameters' gradient then is the sum of those so
    /// far, and complete after the first segment.
    ///
    /// - Parameters:
    ///   - dy: nil if only the final states have a gradient.
    ///   - dh: [B, P] in, the gradient of the final states; out, of those before the first of the steps.
    ///   - dc: [B, H] the same of the cell states, in cells that have them.
    func backward(
        _ x: ScanRows<S>, dy: ScanRows<S>?, dh: MatrixView<S>, dc: MatrixView<S>, gradient: LayerGradient<S>,
        vectorGradient: LayerVectors<S>, hidden: Int, dx: ScanRows<S>?
    ) {
        if runs.isLast { buffers.vectorSums.fill(0) }
        masks?.prepare(inputs: weights.forward.input.rows)
        for chunk in runs.chunks.reversed() {
            for t in chunk.reversed() {
                let rows = steps[t], alive = 0..<rows.shard.count
                let previous = previousStates(at: t)
                var dy = dy?.step(rows)
                let dh = dh.rows(alive), dc = cellColumns == nil ? dc : dc.rows(alive)
                masks?.beginZoneOut(dy: &dy, dh: dh, dc: dc, step: t)
                cell.backward(
                    BackwardStep(
                        tape: buffers.tape.rows(rows.shard), previous: previous,
                        recurrent: masks?.recurrent(previous) ?? previous, previousCell: previousCells(at: t), dy: dy,
                        dh: dh, drecurrent: masks?.recurrentGradient(dh) ?? dh, dc: dc, scratch: scratch.step,
                        dvectors: buffers.vectorSums),
                    weights, engine)
                masks?.addRecurrentGradient(to: dh)
                masks?.endZoneOut(dh: dh, dc: dc)
            }
            let tape = buffers.tape.rows(runs.rows(of: chunk))
            let run = Run(
                x: inputs(x, of: chunk), recurrent: recurrentStates(of: chunk), tape: tape, hidden: hidden)
            let isFirst = runs.isLast && chunk.upperBound == steps.count
            cell.weightGradients(run, into: gradient, accumulate: !isFirst, engine)
            if let dx, let transposed = weights.transposed?.input {
                let target = dx.chunkToWrite(chunk, runs, scratch.inputs)
                engine.multiply(tape.columns(inputColumns), transposed, into: target)
                if let masks, masks.masksInputs { masks.drop(target, into: target, chunk, steps) }
                dx.write(target, of: chunk, runs)
            }
        }
        if runs.isFirst { cell.vectorGradients(buffers.vectorSums, into: vectorGradient, hidden: hidden) }
    }

    /// [R, I] the inputs of a chunk, as the layer reads them.
    private func inputs(_ x: ScanRows<S>, of chunk: Range<Int>) -> MatrixView<S> {
        let values = x.chunk(chunk, runs, scratch.inputs)
        guard let masks, masks.masksInputs else { return values }
        let dropped = scratch.inputs.reshaped(rows: values.rows, columns: values.columns)
        masks.drop(values, into: dropped, chunk, steps)
        return dropped
    }

    /// Gives some of a step's states their values before it.
    private func zoneOut(_ step: ForwardStep<S>, at t: Int, _ masks: ScanMasks<S>) {
        masks.zoneOut(step.next, previous: step.previous, step: t)
        if zonesCells {
            masks.zoneOutCells(
                buffers.zonedCells.rows(steps[t].shard), computed: step.nextCell, previous: step.previousCell, step: t)
        }
    }

    // MARK: States before a step

    /// [alive, P] the states before a step.
    private func previousStates(at t: Int) -> MatrixView<S> {
        let all = t == 0 ? initialStates : states.step(steps[t - 1])
        return all.rows(0..<steps[t].shard.count)
    }

    /// [alive, H] the cell states before a step: those after the step before, or in inference the current ones, which each
    /// step writes over.
    private func previousCells(at t: Int) -> MatrixView<S> {
        guard cellColumns != nil else { return initialCells }
        let all = t == 0 || !isRecording ? initialCells : cellStates(after: steps[t - 1])
        return all.rows(0..<steps[t].shard.count)
    }

    /// [alive, H] where a step writes its cell states.
    private func cells(at t: Int, _ tape: MatrixView<S>) -> MatrixView<S> {
        guard let cellColumns else { return initialCells }
        return isRecording ? tape.columns(cellColumns) : initialCells.rows(0..<steps[t].shard.count)
    }

    /// Whether the cell states after a step are others than those in the tape.
    private var zonesCells: Bool { buffers.zonedCells.rows > 0 }

    /// [alive, H] the cell states after a step, when recording.
    private func cellStates(after rows: RowRun) -> MatrixView<S> {
        zonesCells ? buffers.zonedCells.rows(rows.shard) : buffers.tape.rows(rows.shard).columns(cellColumns!)
    }

    /// [R, P] the states before each step of a chunk, as U's products read them. With equal lengths they follow one
    /// another, one step behind the states; otherwise they are gathered, and so are those of which some are dropped.
    private func recurrentStates(of chunk: Range<Int>) -> MatrixView<S> {
        let rows = runs.rows(of: chunk)
        let drops = masks?.masksStates ?? false
        if packing.isEqualLength && !drops { return buffers.statesBefore.rows(rows) }
        let gathered = scratch.previousStates.rows(0..<rows.count)
        for t in chunk {
            let target = steps[t].shard
            let place = gathered.rows(target.lowerBound - rows.lowerBound..<target.upperBound - rows.lowerBound)
            let states = previousStates(at: t)
            if drops { masks!.drop(states, into: place) } else { place.copy(states) }
        }
        return gathered
    }
}
