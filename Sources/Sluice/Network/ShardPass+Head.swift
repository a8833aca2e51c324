/// What the head reads of the last layer, and how its gradient gets back there.
extension ShardPass {
    /// The head's outputs: of every step, chunk by chunk as its gradient goes back, so that the bits do not depend on how time
    /// is cut; or of what sums each sequence up, once that is complete.
    func forwardHead() {
        guard let head = pass.head else { return }
        if isSummedUp {
            sumUp()
            if runs.isLast { head.forward(workspace.summary, into: workspace.outputs) }
        } else {
            for chunk in runs.chunks {
                let rows = runs.rows(of: chunk)
                head.forward(output(of: top).rows(rows), into: workspace.outputs.rows(rows))
            }
        }
    }

    /// Takes the steps up in what sums each sequence up, [B, out].
    private func sumUp() {
        let summary = workspace.summary
        switch pass.configuration.head!.steps {
        case .all: break
        case .last:
            if runs.isLast {
                merge(into: summary) { pass.states.hidden(scanIndex(top, $0)).rows(shard.positions) }
            }
        case .first:
            if runs.isFirst { merge(into: summary) { firstStates(workspace.states(scanIndex(top, $0))) } }
        case .mean:
            if runs.isFirst { summary.fill(0) }
            forEachStep { _, alive, rows in summary.rows(alive).add(rows) }
            if runs.isLast { scaleByLengths(summary) }
        case .max:
            if runs.isFirst { summary.fill(-.infinity) }
            let steps = workspace.largestSteps
            forEachStep { step, _, rows in summary.raise(to: rows, step: step, steps: steps) }
        }
    }

    /// From the outputs' gradient the head's, in `gradient`, and that of the last layer's outputs.
    func backward(through head: DenseHead<S>, _ gradient: MatrixView<S>) -> LayerGradientSource {
        if isSummedUp {
            if runs.isLast { backwardSummary(through: head, gradient) }
            return spreadSummaryGradient()
        }
        let places = batch.parameterLayout.head!
        for index in runs.chunks.indices.reversed() {
            let rows = runs.rows(of: runs.chunks[index])
            head.backward(
                output(of: top).rows(rows), do: workspace.outputGradient.rows(rows),
                weightGradient: gradient.parameter(places.weight), biasGradient: gradient.parameter(places.bias),
                dh: outputGradient(of: top).rows(rows), accumulate: !(runs.isLast && index == runs.chunks.count - 1))
        }
        return .layer
    }

    /// The gradients of the head and of what it reads of each sequence.
    private func backwardSummary(through head: DenseHead<S>, _ gradient: MatrixView<S>) {
        let dh = workspace.summaryGradient
        let places = batch.parameterLayout.head!
        head.backward(
            workspace.summary, do: workspace.outputGradient, weightGradient: gradient.parameter(places.weight),
            biasGradient: gradient.parameter(places.bias), dh: dh, accumulate: false)
        switch pass.configuration.head!.steps {
        case .all, .first, .max: break
        case .last:
            split(dh) { pass.stateGradients.hidden(scanIndex(top, $0)).rows(shard.positions).add($1) }
        case .mean: scaleByLengths(dh)
        }
    }

    /// The steps' part of the gradient of what sums each sequence up.
    private func spreadSummaryGradient() -> LayerGradientSource {
        let dh = workspace.summaryGradient
        switch pass.configuration.head!.steps {
        case .all, .last: return .none
        case .first:
            split(dh) { direction, part in
                let gradient = workspace.stateGradient(scanIndex(top, direction))
                gradient.fill(0)
                if runs.isFirst { firstStates(gradient).copy(part) }
            }
            return .scans
        case .mean:
            forEachStepGradient { _, alive, rows in rows.copy(dh.rows(alive)) }
            return .layer
        case .max:
            forEachStepGradient { step, _, rows in rows.take(dh, whereEqual: workspace.largestSteps!, step: step) }
            return .layer
        }
    }

    // MARK: Parts

    /// [B, P] the first step's rows, where every sequence is alive.
    private func firstStates(_ states: MatrixView<S>) -> MatrixView<S> { states.rows(0..<shard.positions.count) }

    /// Each step, counted in the shard, with its rows of the last layer's outputs.
    private func forEachStep(_ body: (_ step: Int, _ alive: Range<Int>, _ rows: MatrixView<S>) -> Void) {
        forEachStep(of: output(of: top), body)
    }

    private func forEachStepGradient(_ body: (_ step: Int, _ alive: Range<Int>, _ rows: MatrixView<S>) -> Void) {
        forEachStep(of: outputGradient(of: top), body)
    }

    private func forEachStep(
        of matrix: MatrixView<S>, _ body: (_ step: Int, _ alive: Range<Int>, _ rows: MatrixView<S>) -> Void
    ) {
        let runs = runs
        for (index, step) in runs.steps.enumerated() {
            body(runs.firstStep + index, 0..<step.shard.count, matrix.rows(step.shard))
        }
    }

    /// Divides each sequence's row by its length.
    private func scaleByLengths(_ matrix: MatrixView<S>) {
        for (position, length) in shard.packing.lengths.enumerated() {
            let row = matrix.row(position), scale = 1 / S(length)
            for column in 0..<row.columns { row[0, column] *= scale }
        }
    }
}
