/// One layer in one direction: the scan over the steps of a shard, in chunks of steps whose rows stay in the cache.
///
/// A scan back through time counts its steps from each sequence's own end; it is the same scan over other rows.
struct Scan<S: Scalar> {
    let cell: Cell
    let weights: LayerWeights<S>
    let engine: Engine<S>
    let buffers: ScanBuffers<S>
    let scratch: ScanScratch<S>
    unowned(unsafe) let shard: ShardWorkspace<S>
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

    private var steps: [RowRun] { runs.steps }
    private var isRecording: Bool { unsafe shard.purpose.isRecording }

    /// Computes every state from the inputs and the initial states. Per chunk: the input product of all its rows, then
    /// step by step the cell.
    func forward(_ x: ScanRows<S>) {
        for chunk in runs.chunks {
            let rows = runs.rows(of: chunk)
            let tapeStart = isRecording ? 0 : rows.lowerBound
            let tape = buffers.tape.rows(rows.lowerBound - tapeStart..<rows.upperBound - tapeStart)
            engine.multiply(
                x.chunk(chunk, runs, scratch.inputs), weights.forward.input, into: tape.columns(inputColumns))
            for t in chunk {
                let rows = steps[t]
                let tape = buffers.tape.rows(rows.shard.lowerBound - tapeStart..<rows.shard.upperBound - tapeStart)
                cell.forward(
                    ForwardStep(
                        tape: tape, previous: previousStates(at: t), next: states.step(rows),
                        previousCell: previousCells(at: t), nextCell: cells(at: t, tape), scratch: scratch.step),
                    weights, engine)
            }
        }
    }

    /// Copies the last state of each sequence that has one of the steps to its row of `target`, [B, P], and its last cell
    /// state to `cells`, [B, H].
    func copyFinalStates(into target: MatrixView<S>, cells: MatrixView<S>) {
        let packing = unsafe shard.shard.packing
        let keepsCells = isRecording && cellColumns != nil
        if packing.isEqualLength {
            let last = steps[steps.count - 1]
            target.copy(states.step(last))
            if keepsCells { cells.copy(tapeCells(last)) }
        } else {
            for position in 0..<runs.aliveCount {
                let last = steps[min(packing.lengths[position] - runs.firstStep, steps.count) - 1]
                target.row(position).copy(states.step(last).row(position))
                if keepsCells { cells.row(position).copy(tapeCells(last).row(position)) }
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
        for chunk in runs.chunks.reversed() {
            for t in chunk.reversed() {
                let rows = steps[t], alive = 0..<rows.shard.count
                cell.backward(
                    BackwardStep(
                        tape: buffers.tape.rows(rows.shard), previous: previousStates(at: t),
                        previousCell: previousCells(at: t), dy: dy?.step(rows), dh: dh.rows(alive),
                        dc: cellColumns == nil ? dc : dc.rows(alive), scratch: scratch.step,
                        dvectors: buffers.vectorSums),
                    weights, engine)
            }
            let tape = buffers.tape.rows(runs.rows(of: chunk))
            let run = Run(
                x: x.chunk(chunk, runs, scratch.inputs), previous: previousStates(of: chunk), tape: tape,
                hidden: hidden)
            let isFirst = runs.isLast && chunk.upperBound == steps.count
            cell.weightGradients(run, into: gradient, accumulate: !isFirst, engine)
            if let dx, let transposed = weights.transposed?.input {
                let target = dx.chunkToWrite(chunk, runs, scratch.inputs)
                engine.multiply(tape.columns(inputColumns), transposed, into: target)
                dx.write(target, of: chunk, runs)
            }
        }
        if runs.isFirst { cell.vectorGradients(buffers.vectorSums, into: vectorGradient, hidden: hidden) }
    }

    // MARK: States before a step

    /// [alive, P] the states before a step.
    private func previousStates(at t: Int) -> MatrixView<S> {
        let all = t == 0 ? initialStates : states.step(steps[t - 1])
        return all.rows(0..<steps[t].shard.count)
    }

    /// [alive, H] the cell states before a step: the tape's of the step before, or in inference the current ones, which each
    /// step writes over.
    private func previousCells(at t: Int) -> MatrixView<S> {
        guard cellColumns != nil else { return initialCells }
        let all = t == 0 || !isRecording ? initialCells : tapeCells(steps[t - 1])
        return all.rows(0..<steps[t].shard.count)
    }

    /// [alive, H] where a step writes its cell states.
    private func cells(at t: Int, _ tape: MatrixView<S>) -> MatrixView<S> {
        guard let cellColumns else { return initialCells }
        return isRecording ? tape.columns(cellColumns) : initialCells.rows(0..<steps[t].shard.count)
    }

    /// [alive, H] a step's cell states in the tape, when recording.
    private func tapeCells(_ rows: RowRun) -> MatrixView<S> { buffers.tape.rows(rows.shard).columns(cellColumns!) }

    /// [R, P] the states before each step of a chunk. With equal lengths they follow one another, one step behind the
    /// states; otherwise they are gathered.
    private func previousStates(of chunk: Range<Int>) -> MatrixView<S> {
        let rows = runs.rows(of: chunk)
        if unsafe shard.shard.packing.isEqualLength { return buffers.statesBefore.rows(rows) }
        let gathered = scratch.previousStates.rows(0..<rows.count)
        for t in chunk {
            let target = steps[t].shard
            gathered.rows(target.lowerBound - rows.lowerBound..<target.upperBound - rows.lowerBound)
                .copy(previousStates(at: t))
        }
        return gathered
    }
}
