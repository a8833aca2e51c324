/// What a scan leaves out at random, and where it lays that out: see ``Regularization``. It stands around the cell, which
/// knows nothing of it but that U's products may read another state than its leak.
struct ScanMasks<S: Scalar> {
    /// Of the inputs: at every step afresh, and the same at all steps.
    private let dropout: Mask<S>?
    private let inputDropout: Mask<S>?
    private let recurrentDropout: Mask<S>?
    private let zoneout: Mask<S>?
    private let cellZoneout: Mask<S>?
    private let buffers: MaskBuffers<MatrixView<S>>
    /// By the batch's positions, and that of the shard's first sequence.
    private let seeds: [UInt64]
    private let firstPosition: Int
    /// The first of the steps, which masks count from the sequence's beginning.
    private let firstStep: Int
    /// The shard's lengths, for a scan that runs back through time: dropout counts its steps in time's order, so that
    /// both directions read the same inputs.
    private let reversedLengths: [Int]?
    /// Whether the state goes into the next one by itself too.
    private let leaks: Bool

    /// - Parameter scan: the number of the scan, whose states are masked on their own; a layer's inputs are not.
    init(
        _ rates: Regularization, _ buffers: MaskBuffers<MatrixView<S>>, layer: Int, scan: Int, seeds: [UInt64],
        firstPosition: Int, firstStep: Int, reversedLengths: [Int]?, leaks: Bool
    ) {
        dropout = layer == 0 ? nil : .dropout(.dropout, index: layer, rate: rates.dropout)
        inputDropout = .dropout(.inputDropout, index: layer, rate: rates.inputDropout)
        recurrentDropout = .dropout(.recurrentDropout, index: scan, rate: rates.recurrentDropout)
        zoneout = .zoneout(.zoneout, index: scan, rate: rates.zoneout)
        cellZoneout = .zoneout(.cellZoneout, index: scan, rate: rates.cellZoneout)
        self.buffers = buffers
        self.seeds = seeds
        self.firstPosition = firstPosition
        self.firstStep = firstStep
        self.reversedLengths = reversedLengths
        self.leaks = leaks
    }

    /// Lays out the masks that are the same at all steps; before the scan, in either direction.
    ///
    /// - Parameter inputs: I, the layer's inputs.
    func prepare(inputs: Int) {
        if let inputDropout { fill(inputMask(inputs), inputDropout) }
        if let recurrentDropout { fill(buffers.recurrentMask, recurrentDropout) }
    }

    private func fill(_ target: MatrixView<S>, _ mask: Mask<S>) {
        for row in 0..<target.rows { mask.fill(target.row(row), seed: seed(row), step: 0) }
    }

    private func seed(_ row: Int) -> UInt64 { seeds[firstPosition + row] }

    /// [B, I]
    private func inputMask(_ inputs: Int) -> MatrixView<S> {
        buffers.inputMask.reshaped(rows: buffers.inputMask.rows, columns: inputs)
    }

    /// [1, n] a mask of one row.
    private func row(_ mask: Mask<S>, _ row: Int, step: Int, columns: Int) -> MatrixView<S> {
        let values = buffers.row.columns(0..<columns)
        mask.fill(values, seed: seed(row), step: firstStep + step)
        return values
    }

    // MARK: Inputs

    var masksInputs: Bool { dropout != nil || inputDropout != nil }

    /// A chunk's inputs, or their gradient, with some of them dropped.
    ///
    /// - Parameters:
    ///   - values: [R, I]
    ///   - target: [R, I], which may be the same.
    func drop(_ values: MatrixView<S>, into target: MatrixView<S>, _ chunk: Range<Int>, _ steps: [RowRun]) {
        let start = steps[chunk.lowerBound].shard.lowerBound
        for t in chunk {
            let rows = steps[t].shard.lowerBound - start..<steps[t].shard.upperBound - start
            var values = values.rows(rows)
            let target = target.rows(rows)
            if inputDropout != nil {
                target.setProduct(values, inputMask(values.columns).rows(0..<rows.count))
                values = target
            }
            guard let dropout else { continue }
            for position in 0..<rows.count {
                let step = reversedLengths.map { $0[position] - 1 - t } ?? t
                target.row(position).setProduct(
                    values.row(position), row(dropout, position, step: step, columns: values.columns))
            }
        }
    }

    // MARK: Recurrent states

    var masksStates: Bool { recurrentDropout != nil }

    /// [n, P] the states before a step as U's products read them.
    func recurrent(_ states: MatrixView<S>) -> MatrixView<S> {
        guard masksStates else { return states }
        let target = buffers.recurrent.rows(0..<states.rows)
        drop(states, into: target)
        return target
    }

    /// The same into a given place.
    func drop(_ states: MatrixView<S>, into target: MatrixView<S>) {
        target.setProduct(states, buffers.recurrentMask.rows(0..<states.rows))
    }

    /// [n, P] where a cell's backward step leaves the gradient of what U's products read.
    func recurrentGradient(_ dh: MatrixView<S>) -> MatrixView<S> {
        guard masksStates else { return dh }
        let target = buffers.recurrentGradient.rows(0..<dh.rows)
        if leaks { target.fill(0) }
        return target
    }

    /// Brings it to the states' gradient.
    func addRecurrentGradient(to dh: MatrixView<S>) {
        guard masksStates else { return }
        let mask = buffers.recurrentMask.rows(0..<dh.rows), gradient = buffers.recurrentGradient.rows(0..<dh.rows)
        if leaks { dh.addProduct(gradient, mask) } else { dh.setProduct(gradient, mask) }
    }

    // MARK: Zoneout

    /// Gives some of a step's states their values before it.
    func zoneOut(_ next: MatrixView<S>, previous: MatrixView<S>, step: Int) {
        guard let zoneout else { return }
        choose(previous, next, into: next, zoneout, step)
    }

    /// Sets the cell states after a step: what the cell computed, or the values before.
    func zoneOutCells(_ cells: MatrixView<S>, computed: MatrixView<S>, previous: MatrixView<S>, step: Int) {
        guard let cellZoneout else { return }
        choose(previous, computed, into: cells, cellZoneout, step)
    }

    private func choose(
        _ old: MatrixView<S>, _ new: MatrixView<S>, into target: MatrixView<S>, _ mask: Mask<S>, _ step: Int
    ) {
        for i in 0..<target.rows {
            target.row(i).choose(old.row(i), new.row(i), row(mask, i, step: step, columns: target.columns))
        }
    }

    /// Takes out of a step's gradients the part that goes to the states before it as they are.
    ///
    /// - Parameters:
    ///   - dy: added to `dh` first, then nil; where hidden states are not zoned out it stays.
    ///   - dh: [n, P] and `dc` [n, H]: in, of the states after the step; out, of what the cell computed.
    func beginZoneOut(dy: inout MatrixView<S>?, dh: MatrixView<S>, dc: MatrixView<S>, step: Int) {
        if let zoneout {
            if let dy { dh.add(dy) }
            dy = nil
            separate(dh, old: buffers.keptGradient, zoneout, step)
        }
        if let cellZoneout { separate(dc, old: buffers.keptCellGradient, cellZoneout, step) }
    }

    /// Adds that part to the gradients of the states before the step.
    func endZoneOut(dh: MatrixView<S>, dc: MatrixView<S>) {
        if zoneout != nil { dh.add(buffers.keptGradient.rows(0..<dh.rows)) }
        if cellZoneout != nil { dc.add(buffers.keptCellGradient.rows(0..<dc.rows)) }
    }

    private func separate(_ gradient: MatrixView<S>, old: MatrixView<S>, _ mask: Mask<S>, _ step: Int) {
        for i in 0..<gradient.rows {
            gradient.row(i).separate(old: old.row(i), row(mask, i, step: step, columns: gradient.columns))
        }
    }
}
