/// How the scans of a layer become its outputs, in time's order, and how the outputs' gradient becomes theirs.
extension ShardPass {
    /// The layer's columns that a direction's states are.
    private func columns(_ direction: Int) -> Range<Int> {
        let width = pass.configuration.stateSize
        let start = self.direction == .bidirectional ? direction * width : 0
        return start..<start + width
    }

    /// Copies the states of a layer's scans to its outputs: side by side, or added.
    func deliverOutputs(of layer: Int) {
        let output = output(of: layer)
        for direction in 0..<self.direction.count {
            let states = workspace.states(scanIndex(layer, direction))
            let target = output.columns(columns(direction))
            let adds = direction == 1 && self.direction == .bidirectionalSum
            if self.direction.isReversed(direction) {
                forEachReversedRow { row, time in
                    if adds { target.row(time).add(states.row(row)) } else { target.row(time).copy(states.row(row)) }
                }
            } else {
                target.copy(states)
            }
        }
    }

    /// The way back: the gradient of a scan's states from that of its layer's outputs.
    func collectGradient(_ layer: Int, _ direction: Int, into stateGradient: MatrixView<S>) {
        let source = outputGradient(of: layer).columns(columns(direction))
        if self.direction.isReversed(direction) {
            forEachReversedRow { row, time in stateGradient.row(row).copy(source.row(time)) }
        } else {
            stateGradient.copy(source)
        }
    }

    /// Adds the second direction's part of the inputs' gradient, which it computed on its own, to the first's.
    func addSecondInputGradient(of layer: Int, _ work: LayerBackward<S>) {
        guard let dx = work.dx else { return }
        let part = workspace.inputGradient(scanIndex(layer, 1))
        for (row, pair) in runs.reversed.enumerated() {
            dx.row(work.isBatch ? pair.batch : pair.shard).add(part.row(row))
        }
    }

    private func forEachReversedRow(_ body: (_ row: Int, _ time: Int) -> Void) {
        let reversed = runs.reversed
        for row in reversed.indices { body(row, reversed[row].shard) }
    }

    // MARK: One matrix of all directions, [B, out]

    /// Puts a matrix [B, P] for each direction side by side, or adds them.
    func merge(into target: MatrixView<S>, _ part: (_ direction: Int) -> MatrixView<S>) {
        for direction in 0..<self.direction.count {
            let columns = target.columns(columns(direction))
            if direction == 1 && self.direction == .bidirectionalSum {
                columns.add(part(direction))
            } else {
                columns.copy(part(direction))
            }
        }
    }

    /// Each direction's columns of a matrix [B, out], for its gradient.
    func split(_ source: MatrixView<S>, _ body: (_ direction: Int, _ part: MatrixView<S>) -> Void) {
        for direction in 0..<self.direction.count { body(direction, source.columns(columns(direction))) }
    }
}
