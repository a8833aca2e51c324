/// A training pass over a shard, or an evaluation: the steps' outputs, their loss, and back.
///
/// Where time is cut in segments (``Checkpointing``), a sweep forward keeps the states at their starts, and the way back
/// computes each but the last again. Segments are whole chunks, and chunks the unit of every product that sums over time, in
/// the head too: they come in the same order however time is cut, and so the gradient is the same bits.
extension ShardPass {
    /// The shard's part of the loss, and of the batch's outputs and of the gradient where there is room for them.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func run(
        _ loss: BatchLoss<S>, _ targets: MatrixView<S>, outputs: MatrixView<S>?, gradient: MatrixView<S>?
    ) -> S {
        let isTraining = gradient != nil
        for index in 0..<segmentCount {
            let segment = segment(index)
            segment.forwardLayers(into: nil)
            // Outputs of a step are taken where its gradient is, unless that is never.
            guard isSummedUp || !isTraining || segment.runs.isLast else { continue }
            segment.forwardHead()
            if !isSummedUp || segment.runs.isLast { segment.evaluate(loss, targets, outputs, isTraining) }
        }
        if let gradient {
            for index in (0..<segmentCount).reversed() {
                let segment = segment(index)
                if !segment.runs.isLast {
                    segment.forwardLayers(into: nil, again: true)
                    if !isSummedUp {
                        segment.forwardHead()
                        segment.evaluate(loss, targets, outputs, isTraining)
                    }
                }
                segment.backward(gradient: gradient, dx: nil)
            }
        }
        return sumOfLosses()
    }

    private func segment(_ index: Int) -> ShardPass {
        var segment = self
        segment.segmentIndex = index
        return segment
    }

    /// The loss of each chunk, or of all sequences, and if asked its gradient by the outputs.
    private func evaluate(
        _ loss: BatchLoss<S>, _ targets: MatrixView<S>, _ batchOutputs: MatrixView<S>?, _ isTraining: Bool
    ) {
        let losses = workspace.losses
        func evaluate(_ run: RowRun) -> S {
            batchOutputs?.rows(run.batch).copy(outputs.rows(run.shard))
            return loss.evaluate(
                outputs.rows(run.shard), targets.rows(run.batch),
                gradient: isTraining ? outputGradient.rows(run.shard) : nil)
        }
        var sum: S = 0
        if isSummedUp {
            for run in workspace.runs.summaries { sum += evaluate(run) }
            losses.fill(0)
            losses[0, 0] = sum
        } else {
            let runs = runs
            for (index, chunk) in runs.chunks.enumerated() {
                sum = 0
                runs.forEachRun(of: chunk) { sum += evaluate($0) }
                losses[0, runs.firstChunk + index] = sum
            }
        }
    }

    private func sumOfLosses() -> S {
        let losses = workspace.losses
        return (0..<losses.columns).reduce(0) { $0 + losses[0, $1] }
    }
}

/// Forward and loss of a shard; and backward, if there is room for a gradient.
struct LossWork<S: Scalar>: SharedWork {
    let pass: Pass<S>
    let loss: BatchLoss<S>
    let targets: MatrixView<S>
    /// [1, shards]
    let losses: MatrixView<S>
    /// [N, O] or [B, O] where the batch's outputs are put, if they are wanted.
    let outputs: MatrixView<S>?
    let gradient: MatrixView<S>?

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) {
        let shard = pass.shard(index, thread: thread)
        losses[0, index] = shard.run(
            loss, targets, outputs: outputs, gradient: gradient == nil ? nil : shard.ownGradient ?? gradient)
        if let gradient { shard.addGradient(to: gradient) }
    }
}
