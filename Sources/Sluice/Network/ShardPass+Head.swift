/// What the head reads of the last layer, and how its gradient gets back there.
extension ShardPass {
    /// [n, out] the last layer's outputs at all steps, or what sums each sequence up.
    func headInput() -> MatrixView<S> {
        let workspace = unsafe workspace
        guard let steps = pass.configuration.head?.steps, steps != .all else { return output(of: top) }
        let summary = workspace.summary
        switch steps {
        case .all: break
        case .last: merge(into: summary) { batch.states.hidden[scanIndex(top, $0)].view.rows(shard.positions) }
        case .first: merge(into: summary) { firstStates(workspace.scans[scanIndex(top, $0)].states) }
        case .mean:
            summary.fill(0)
            forEachStep { alive, rows in summary.rows(alive).add(rows) }
            scaleByLengths(summary)
        case .max:
            summary.fill(-.infinity)
            forEachStep { alive, rows in summary.rows(alive).raise(to: rows) }
        }
        return summary
    }

    /// From the outputs' gradient the head's, in `gradient`, and that of the last layer's outputs.
    func backward(through head: DenseHead<S>, _ gradient: MatrixView<S>) -> LayerGradientSource {
        let workspace = unsafe workspace
        let steps = pass.configuration.head!.steps
        let places = batch.layout.head!
        let dh = steps == .all ? outputGradient(of: top) : workspace.summaryGradient
        head.backward(
            steps == .all ? output(of: top) : workspace.summary, do: workspace.outputGradient,
            weightGradient: gradient.parameter(places.weight), biasGradient: gradient.parameter(places.bias), dh: dh)
        switch steps {
        case .all: return .layer
        case .last:
            split(dh) { batch.stateGradients.hidden[scanIndex(top, $0)].view.rows(shard.positions).add($1) }
            return .none
        case .first:
            split(dh) { direction, part in
                let gradient = workspace.scans[scanIndex(top, direction)].stateGradient
                gradient.fill(0)
                firstStates(gradient).copy(part)
            }
            return .scans
        case .mean:
            scaleByLengths(dh)
            forEachStepGradient { alive, rows in rows.copy(dh.rows(alive)) }
            return .layer
        case .max:
            // A largest value that was met takes the gradient with it, so that a later equal one gets none.
            forEachStep { step, alive, rows in
                let target = outputGradient(of: top).rows(step.shard)
                target.takeWhereEqual(rows, workspace.summary.rows(alive), dh.rows(alive))
            }
            return .layer
        }
    }

    // MARK: Parts

    /// [B, P] the first step's rows, where every sequence is alive.
    private func firstStates(_ states: MatrixView<S>) -> MatrixView<S> { states.rows(0..<shard.positions.count) }

    private func forEachStep(_ body: (_ step: RowRun, _ alive: Range<Int>, _ rows: MatrixView<S>) -> Void) {
        let output = output(of: top)
        for step in unsafe workspace.runs.steps { body(step, 0..<step.shard.count, output.rows(step.shard)) }
    }

    private func forEachStep(_ body: (_ alive: Range<Int>, _ rows: MatrixView<S>) -> Void) {
        forEachStep { body($1, $2) }
    }

    private func forEachStepGradient(_ body: (_ alive: Range<Int>, _ rows: MatrixView<S>) -> Void) {
        let gradient = outputGradient(of: top)
        for step in unsafe workspace.runs.steps { body(0..<step.shard.count, gradient.rows(step.shard)) }
    }

    /// Divides each sequence's row by its length.
    private func scaleByLengths(_ matrix: MatrixView<S>) {
        for (position, length) in shard.packing.lengths.enumerated() {
            let row = matrix.row(position), scale = 1 / S(length)
            for column in 0..<row.columns { row[0, column] *= scale }
        }
    }
}

extension MatrixView {
    /// Each element becomes the larger one; NaN wins.
    @specialized(where S == Float)
    @specialized(where S == Double)
    fileprivate func raise(to other: MatrixView) {
        for i in 0..<rows { for j in 0..<columns where !(other[i, j] <= self[i, j]) { self[i, j] = other[i, j] } }
    }

    /// Where a value is the largest of its sequence this becomes the largest's gradient, elsewhere 0; the largest is then
    /// marked as met.
    @specialized(where S == Float)
    @specialized(where S == Double)
    fileprivate func takeWhereEqual(_ values: MatrixView, _ largest: MatrixView, _ gradient: MatrixView) {
        for i in 0..<rows {
            for j in 0..<columns {
                let isLargest = values[i, j] == largest[i, j]
                self[i, j] = isLargest ? gradient[i, j] : 0
                if isLargest { largest[i, j] = .nan }
            }
        }
    }
}
