/// What the shards of a pass have in common: values and views only, so that threads do not count each other's references.
/// Whoever makes one keeps network and workspace alive.
struct Pass<S: Scalar>: Sendable {
    let configuration: Configuration
    let engine: Engine<S>
    let head: DenseHead<S>?
    unowned(unsafe) let workspace: Workspace<S>
    let states: StateViews<S>
    let stateGradients: StateViews<S>
    /// The threads, for the directions of a layer.
    unowned(unsafe) let workers: Workers
    /// [N, I] the batch's inputs.
    let x: MatrixView<S>

    /// The computation of one shard by a thread.
    func shard(_ index: Int, thread: Int) -> ShardPass<S> {
        let workspace = unsafe workspace
        return ShardPass(pass: self, index: index, workspace: workspace.room(index, thread: thread))
    }
}

/// The computation of one shard, from its inputs to its outputs and back: what one thread does. Where time is cut in
/// segments, that of one of them.
struct ShardPass<S: Scalar>: Sendable {
    let pass: Pass<S>
    let index: Int
    let workspace: ShardWorkspace<S>
    var segmentIndex = 0

    /// The steps that are computed.
    var runs: SegmentRuns { workspace.runs.segments[segmentIndex] }
    var segmentCount: Int { workspace.runs.segments.count }
    var shard: Shard { workspace.shard }
    var batch: Workspace<S> { unsafe pass.workspace }
    var direction: Direction { pass.configuration.direction }
    var top: Int { pass.configuration.layers - 1 }
    private var hasHead: Bool { pass.head != nil }
    var isSummedUp: Bool { pass.configuration.isSummedUp }
    /// Whether the last layer's states are written as the batch's outputs at once.
    private var writesOutputs: Bool {
        !hasHead && direction == .forward && workspace.purpose == .inference
    }

    // MARK: Forward

    /// The outputs, from the batch's inputs and initial states; leaves the final states in the batch's.
    ///
    /// - Parameter outputs: the batch's, `[N, O]` or `[B, O]`, this shard's rows of them overwritten; nil: they stay in the
    ///   workspace.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func forward(into outputs: MatrixView<S>?) {
        forwardLayers(into: outputs)
        forwardHead()
        if let outputs, !writesOutputs { copyOutputs(into: outputs) }
    }

    /// The states of every layer.
    ///
    /// - Parameter again: from the states kept at the segment's start, and for the backward pass alone: the batch's states,
    ///   which are those of a later step, stay as they are.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func forwardLayers(into outputs: MatrixView<S>?, again: Bool = false) {
        for layer in 0...top {
            if direction.count == 2 {
                shareDirections(DirectionWork(shard: self, layer: layer, backward: nil))
                deliverOutputs(of: layer)
            } else {
                forward(layer, 0, outputs, again: again)
                if direction == .backward { deliverOutputs(of: layer) }
            }
        }
    }

    /// One layer in one direction.
    fileprivate func forward(_ layer: Int, _ direction: Int, _ outputs: MatrixView<S>?, again: Bool = false) {
        let index = scanIndex(layer, direction)
        let states = pass.states.hidden(index).rows(shard.positions)
        let cells = pass.states.cells(index, shard.positions)
        let scan = scan(layer, direction, outputs)
        if workspace.purpose.isRecording {
            let alive = 0..<runs.aliveCount, kept = runs.keptRows, buffers = scan.buffers
            if !again && !kept.isEmpty {
                buffers.keptStates.rows(kept).copy(states.rows(alive))
                if cells.rows > 0 { buffers.keptCells.rows(kept).copy(cells.rows(alive)) }
            }
            scan.initialStates.rows(alive).copy(again ? buffers.keptStates.rows(kept) : states.rows(alive))
            if cells.rows > 0 {
                scan.initialCells.rows(alive).copy(again ? buffers.keptCells.rows(kept) : cells.rows(alive))
            }
        }
        scan.forward(input(of: layer, direction))
        if !again { scan.copyFinalStates(into: states, cells: cells) }
    }

    /// [n, O] the shard's outputs, where the batch has not got them: the head's, or the last layer's.
    var outputs: MatrixView<S> { hasHead ? workspace.outputs : output(of: top) }

    /// Which rows of the batch's outputs are which of the shard's.
    private func forEachOutputRun(_ body: (RowRun) -> Void) {
        if isSummedUp {
            for run in workspace.runs.summaries { body(run) }
        } else {
            runs.forEachRun(of: 0..<runs.steps.count, body)
        }
    }

    /// Copies the outputs to their rows of the batch's.
    func copyOutputs(into batch: MatrixView<S>) {
        forEachOutputRun { batch.rows($0.batch).copy(outputs.rows($0.shard)) }
    }

    // MARK: Backward

    /// [n, O] room for the gradient of the shard's outputs.
    var outputGradient: MatrixView<S> { hasHead ? workspace.outputGradient : outputGradient(of: top) }

    /// From the gradient of the outputs, in ``outputGradient`` or the batch's, and of the final states in the batch's: the
    /// gradients of the parameters in `gradient` and of this shard's rows of the inputs in `dx`, if that is asked for; of
    /// the initial states in the place of the final ones'. All overwriting; a segment's adds to those of the ones after it.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func backward(batchOutputGradient: MatrixView<S>? = nil, gradient: MatrixView<S>, dx: MatrixView<S>?) {
        let isInPlace = !hasHead && direction == .forward
        if let batchOutputGradient, !isInPlace {
            forEachOutputRun { outputGradient.rows($0.shard).copy(batchOutputGradient.rows($0.batch)) }
        }
        var source = LayerGradientSource.layer
        if let head = pass.head { source = backward(through: head, gradient) }
        for layer in (0...top).reversed() {
            let work = LayerBackward(
                source: source, batchOutputGradient: layer == top && isInPlace ? batchOutputGradient : nil,
                gradient: gradient, dx: layer == 0 ? dx : outputGradient(of: layer - 1), isBatch: layer == 0)
            if direction.count == 2 {
                shareDirections(DirectionWork(shard: self, layer: layer, backward: work))
                addSecondInputGradient(of: layer, work)
            } else {
                backward(layer, 0, work)
            }
            source = .layer
        }
    }

    /// One layer in one direction.
    fileprivate func backward(_ layer: Int, _ direction: Int, _ work: LayerBackward<S>) {
        let index = scanIndex(layer, direction)
        let scan = scan(layer, direction, nil)
        var dx: ScanRows<S>?
        if let target = work.dx {
            dx =
                direction == 1
                ? .shard(workspace.inputGradient(index))
                : rows(of: target, direction, isBatch: work.isBatch)
        }
        scan.backward(
            input(of: layer, direction), dy: stateGradient(layer, direction, work),
            dh: pass.stateGradients.hidden(index).rows(shard.positions),
            dc: pass.stateGradients.cells(index, shard.positions),
            gradient: batch.parameterLayout.weightGradient(ofScan: index, in: work.gradient),
            vectorGradient: batch.parameterLayout.vectors(ofScan: index, in: work.gradient),
            hidden: pass.configuration.hiddenSize, dx: dx)
    }

    /// The gradient of a scan's states, in its own order; nil: only the final states have one.
    private func stateGradient(_ layer: Int, _ direction: Int, _ work: LayerBackward<S>) -> ScanRows<S>? {
        let own = workspace.stateGradient(scanIndex(layer, direction))
        switch work.source {
        case .none: return nil
        case .scans: return .shard(own)
        case .layer:
            if let batchOutputGradient = work.batchOutputGradient { return .batch(batchOutputGradient) }
            if self.direction != .forward { collectGradient(layer, direction, into: own) }
            return .shard(own)
        }
    }

    /// [1, count] where the shard's gradient is computed; nil: in the batch's, as it is the first.
    var ownGradient: MatrixView<S>? { index > 0 ? workspace.gradient : nil }

    /// Adds the shard's gradient to the batch's, once those of the shards before it are there.
    func addGradient(to batchGradient: MatrixView<S>) {
        if let ownGradient {
            spinUntil { batch.nextToAdd.load(ordering: .acquiring) == index }
            batchGradient.add(ownGradient)
        }
        batch.nextToAdd.store(index + 1, ordering: .releasing)
    }

    // MARK: Parts

    func scanIndex(_ layer: Int, _ direction: Int) -> Int { layer * self.direction.count + direction }

    private func scan(_ layer: Int, _ direction: Int, _ outputs: MatrixView<S>?) -> Scan<S> {
        let index = scanIndex(layer, direction)
        let buffers = workspace.scan(index)
        let isRecording = workspace.purpose.isRecording
        return Scan(
            cell: pass.configuration.cell, weights: batch.weights[index], engine: pass.engine, buffers: buffers,
            scratch: workspace.scratch(direction), packing: shard.packing, isRecording: isRecording,
            inputColumns: batch.cellShape.inputColumns,
            cellColumns: batch.cellShape.cellColumns,
            initialStates: isRecording
                ? buffers.statesBefore.rows(0..<shard.positions.count)
                : pass.states.hidden(index).rows(shard.positions),
            initialCells: isRecording ? buffers.initialCells : pass.states.cells(index, shard.positions),
            states: layer == top && writesOutputs ? .batch(outputs!) : .shard(buffers.states),
            runs: runs, masks: masks(layer, direction))
    }

    /// What a scan leaves out; nil: nothing.
    private func masks(_ layer: Int, _ direction: Int) -> ScanMasks<S>? {
        if batch.regularization == .none { return nil }
        return ScanMasks(
            batch.regularization, workspace.masks(direction), layer: layer,
            scan: scanIndex(layer, direction), seeds: batch.seeds, firstPosition: shard.positions.lowerBound,
            firstStep: runs.firstStep,
            reversedLengths: self.direction.isReversed(direction) ? shard.packing.lengths : nil,
            leaks: batch.cellShape.leaks)
    }

    private func input(of layer: Int, _ direction: Int) -> ScanRows<S> {
        rows(of: layer == 0 ? pass.x : output(of: layer - 1), direction, isBatch: layer == 0)
    }

    /// The rows of a matrix in time's order as a scan comes to them.
    private func rows(of matrix: MatrixView<S>, _ direction: Int, isBatch: Bool) -> ScanRows<S> {
        switch (self.direction.isReversed(direction), isBatch) {
        case (false, false): .shard(matrix)
        case (false, true): .batch(matrix)
        case (true, false): .reversedShard(matrix)
        case (true, true): .reversedBatch(matrix)
        }
    }

    /// [N, out] a layer's outputs in time's order, and their gradient.
    func output(of layer: Int) -> MatrixView<S> {
        direction == .forward ? workspace.states(layer) : workspace.output(layer)
    }

    func outputGradient(of layer: Int) -> MatrixView<S> {
        direction == .forward ? workspace.stateGradient(layer) : workspace.outputGradient(layer)
    }

    /// Does both directions of a layer, at the same time where another thread is free and the work is worth handing over.
    private func shareDirections(_ work: DirectionWork<S>) {
        let flops = 2 * shard.packing.rowCount * batch.weights[0].forward.recurrent.rows * batch.cellShape.tapeColumns
        let workers = flops > 100_000 ? unsafe pass.workers : Workers.single
        workers.run(2, work)
    }
}

/// What a layer's backward pass is given.
struct LayerBackward<S: Scalar>: Sendable {
    let source: LayerGradientSource
    /// [N, out] the gradient of the outputs as the caller gives it, where it is read in place.
    let batchOutputGradient: MatrixView<S>?
    /// [1, count] where the parameters' gradient goes.
    let gradient: MatrixView<S>
    /// Where the gradient of the layer's inputs goes, if it is wanted: the batch's rows, or the shard's.
    let dx: MatrixView<S>?
    let isBatch: Bool
}

/// Where the gradient of a layer's outputs is.
enum LayerGradientSource: Sendable {
    /// In the layer's own rows.
    case layer
    /// In its scans' state gradients.
    case scans
    /// Nowhere: only the final states have one.
    case none
}

/// One layer in both directions, forward or back.
private struct DirectionWork<S: Scalar>: SharedWork {
    let shard: ShardPass<S>
    let layer: Int
    let backward: LayerBackward<S>?

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ direction: Int, thread: Int) {
        if let backward {
            shard.backward(layer, direction, backward)
        } else {
            shard.forward(layer, direction, nil)
        }
    }
}
