/// A backend bound to a scalar and a level: the operations that cells, heads and the scan are written in.
///
/// This is the one switch between the backends. Each operation says what accumulates and what overwrites.
struct Engine<S: Scalar>: Sendable {
    let backend: Backend
    let level: KernelLevel
    let kernels: Kernels
    /// The threads that large products are shared out to; nil: each is the caller's alone.
    private(set) unowned(unsafe) var workers: Workers?
    /// Not counted: it lives as long as the process.
    private unowned(unsafe) let bindings: Bindings<S>

    init(backend: Backend, level: KernelLevel) {
        precondition(
            backend.isAvailable,
            "backend \(backend.rawValue) is not in this build (the package trait OpenBLAS is off)")
        precondition(
            KernelLevel.available.contains(level),
            "kernel level \(level.rawValue) on a processor whose best is \(KernelLevel.best.rawValue)")
        self.backend = backend
        self.level = level
        kernels = S.bindings.kernels[level.index]
        unsafe bindings = S.bindings
        unsafe workers = nil
    }

    /// The same engine, large products shared out; valid while the threads live. See `Engine+Sharing.swift`.
    func sharing(_ workers: Workers) -> Engine {
        var engine = self
        unsafe engine.workers = workers
        return engine
    }
}

// MARK: Products

extension Engine {
    /// c [M, N] = a [M, K] b, or c += a b, with weights b [K, N].
    func multiply(_ a: MatrixView<S>, _ b: WeightView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        precondition(
            a.rows == c.rows && a.columns == b.rows && c.columns == b.columns,
            "a product of \(a.rows) x \(a.columns) and \(b.rows) x \(b.columns) into \(c.rows) x \(c.columns)")
        switch b {
        case .panels(let b): shareOut(a, b, into: c, accumulate: accumulate)
        case .plain(let b, let first):
            let split = b.columns - first
            shareOut(a, false, b.columns(first..<b.columns), false, into: c.columns(0..<split), accumulate: accumulate)
            if first > 0 {
                shareOut(
                    a, false, b.columns(0..<first), false, into: c.columns(split..<c.columns), accumulate: accumulate)
            }
        case .transposed(let b, let first):
            let split = b.columns - first
            shareOut(
                a.columns(0..<split), false, b.columns(first..<b.columns), true, into: c, accumulate: accumulate)
            if first > 0 {
                shareOut(a.columns(split..<a.columns), false, b.columns(0..<first), true, into: c, accumulate: true)
            }
        }
    }

    /// The same with some of the panels of b, which are as many columns of c.
    func multiply(
        _ a: MatrixView<S>, _ b: PanelsView<S>, panels: Range<Int>, into c: MatrixView<S>, accumulate: Bool
    ) {
        for panel in panels {
            let (weights, columns) = b[panel]
            let target = c.columns(columns)
            var row = 0
            while row < a.rows {
                let rows = row..<row + min(b.shape.rowBlock, a.rows - row)
                multiply(a.rows(rows), weights, into: target.rows(rows), accumulate: accumulate)
                row = rows.upperBound
            }
        }
    }

    /// c [M, N] = a [M, K] b [K, N], or c += a b.
    func multiply(_ a: MatrixView<S>, _ b: MatrixView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        multiply(a, false, b, false, into: c, accumulate: accumulate)
    }

    /// c [M, N] = a' b with a [K, M] and b [K, N], or c += a' b.
    func multiply(transposing a: MatrixView<S>, _ b: MatrixView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        shareOut(a, true, b, false, into: c, accumulate: accumulate)
    }

    /// c [M, N] = a b' with a [M, K] and b [N, K], or c += a b'.
    func multiply(_ a: MatrixView<S>, transposing b: MatrixView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        multiply(a, false, b, true, into: c, accumulate: accumulate)
    }

    func multiply(
        _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool, into c: MatrixView<S>,
        accumulate: Bool
    ) {
        assert((transposeA ? a.columns : a.rows) == c.rows)
        assert((transposeB ? b.rows : b.columns) == c.columns)
        assert((transposeA ? a.rows : a.columns) == (transposeB ? b.columns : b.rows))
        switch backend {
        #if OpenBLAS
        case .openBLAS:
            unsafe OpenBLAS.multiply(bindings.blas, a, transposeA, b, transposeB, into: c, accumulate: accumulate)
        #else
        case .openBLAS: preconditionFailure("not in this build")
        #endif
        case .reference: Reference.multiply(a, transposeA, b, transposeB, into: c, accumulate: accumulate)
        }
    }
}

// MARK: GRU

/// Contracts: SluiceKernels.h. Tape [rows, 4H] and bias [1, 4H] in columns n r z q; views without gaps, but for the tape of
/// reset after.
extension Engine {
    /// Reset after the product: gates, candidate and next state of one step. hu [rows, 3H]: r z n.
    func gruAfterForward(
        tape: MatrixView<S>, hu: MatrixView<S>, bias: MatrixView<S>, previous: MatrixView<S>, next: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.gruAfterForward(
                tape.rows, next.columns, tape.base, tape.stride, hu.base, bias.base, previous.base, next.base)
        case .reference:
            Reference.gruAfterForward(tape: tape, hu: hu, bias: bias, previous: previous, next: next)
        }
    }

    /// Its backward step: the tape becomes its gradients, dbias accumulates, dh keeps what does not pass through U.
    func gruAfterBackward(
        tape: MatrixView<S>, previous: MatrixView<S>, dy: MatrixView<S>?, dh: MatrixView<S>, dbias: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.gruAfterBackward(
                tape.rows, dh.columns, tape.base, tape.stride, previous.base, dy?.base, dh.base, dbias.base)
        case .reference:
            Reference.gruAfterBackward(tape: tape, previous: previous, dy: dy, dh: dh, dbias: dbias)
        }
    }

    /// Reset before the product, first half: r, z and q = r h. hu [rows, 2H]: r z.
    func gruBeforeGates(tape: MatrixView<S>, hu: MatrixView<S>, bias: MatrixView<S>, previous: MatrixView<S>) {
        switch backend {
        case .openBLAS:
            unsafe kernels.gruBeforeGates(tape.rows, previous.columns, tape.base, hu.base, bias.base, previous.base)
        case .reference:
            Reference.gruBeforeGates(tape: tape, hu: hu, bias: bias, previous: previous)
        }
    }

    /// Second half: candidate and next state. hu [rows, H].
    func gruBeforeUpdate(
        flipped: Bool, tape: MatrixView<S>, hu: MatrixView<S>, bias: MatrixView<S>, previous: MatrixView<S>,
        next: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.gruBeforeUpdate(
                tape.rows, next.columns, flipped ? 1 : 0, tape.base, hu.base, bias.base, previous.base, next.base)
        case .reference:
            Reference.gruBeforeUpdate(flipped: flipped, tape: tape, hu: hu, bias: bias, previous: previous, next: next)
        }
    }

    /// Backward of the second half: z and n become their gradients, dbias accumulates.
    func gruBeforeUpdateBackward(
        flipped: Bool, tape: MatrixView<S>, previous: MatrixView<S>, dy: MatrixView<S>?, dh: MatrixView<S>,
        dbias: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.gruBeforeUpdateBackward(
                tape.rows, dh.columns, flipped ? 1 : 0, tape.base, previous.base, dy?.base, dh.base, dbias.base)
        case .reference:
            Reference.gruBeforeUpdateBackward(
                flipped: flipped, tape: tape, previous: previous, dy: dy, dh: dh, dbias: dbias)
        }
    }

    /// Backward of the first half, given dq: r becomes its gradient, dh and dbias accumulate.
    func gruBeforeGatesBackward(
        tape: MatrixView<S>, previous: MatrixView<S>, dq: MatrixView<S>, dh: MatrixView<S>, dbias: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.gruBeforeGatesBackward(
                tape.rows, dh.columns, tape.base, previous.base, dq.base, dh.base, dbias.base)
        case .reference:
            Reference.gruBeforeGatesBackward(tape: tape, previous: previous, dq: dq, dh: dh, dbias: dbias)
        }
    }
}

// MARK: LSTM

/// Contracts: SluiceKernels.h. Gates [rows, 4H] and bias [1, 4H] in columns i f g o, peepholes [1, 3H] in i f o; dy and dh
/// without gaps.
extension Engine {
    /// Gates, cell state and output of one step.
    func lstmForward(
        gates: MatrixView<S>, bias: MatrixView<S>, peepholes: MatrixView<S>?, cell: MatrixView<S>,
        nextCell: MatrixView<S>, output: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.lstmForward(
                gates.rows, cell.columns, gates.base, gates.stride, bias.base, peepholes?.base, cell.base, cell.stride,
                nextCell.base, nextCell.stride, output.base, output.stride)
        case .reference:
            Reference.lstmForward(
                gates: gates, bias: bias, peepholes: peepholes, cell: cell, nextCell: nextCell, output: output)
        }
    }

    /// Its backward step: the gates become their gradients, dbias and dpeepholes accumulate, dc becomes that of the cell state
    /// before.
    func lstmBackward(
        gates: MatrixView<S>, nextCell: MatrixView<S>, cell: MatrixView<S>, peepholes: MatrixView<S>?,
        dy: MatrixView<S>?, dh: MatrixView<S>, dc: MatrixView<S>, dbias: MatrixView<S>, dpeepholes: MatrixView<S>?
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.lstmBackward(
                gates.rows, dc.columns, gates.base, gates.stride, peepholes?.base, cell.base, cell.stride,
                nextCell.base, nextCell.stride, dy?.base, dh.base, dc.base, dbias.base, dpeepholes?.base)
        case .reference:
            Reference.lstmBackward(
                gates: gates, nextCell: nextCell, cell: cell, peepholes: peepholes, dy: dy, dh: dh, dc: dc,
                dbias: dbias, dpeepholes: dpeepholes)
        }
    }

    /// Gates and cell state of one step, without its output.
    func lstmGates(gates: MatrixView<S>, bias: MatrixView<S>, cell: MatrixView<S>, nextCell: MatrixView<S>) {
        switch backend {
        case .openBLAS:
            unsafe kernels.lstmGates(
                gates.rows, cell.columns, gates.base, gates.stride, bias.base, cell.base, cell.stride, nextCell.base,
                nextCell.stride)
        case .reference: Reference.lstmGates(gates: gates, bias: bias, cell: cell, nextCell: nextCell)
        }
    }

    /// The output of a step whose cell state is normalised: o tanh(cell + bias); cell without gaps.
    func lstmOutput(gates: MatrixView<S>, cell: MatrixView<S>, bias: MatrixView<S>, output: MatrixView<S>) {
        switch backend {
        case .openBLAS:
            unsafe kernels.lstmOutput(
                gates.rows, cell.columns, gates.base, gates.stride, cell.base, bias.base, output.base, output.stride)
        case .reference: Reference.lstmOutput(gates: gates, cell: cell, bias: bias, output: output)
        }
    }

    /// Its backward step: o becomes its gradient, dcell is overwritten, dbias accumulates.
    func lstmOutputBackward(
        gates: MatrixView<S>, normalizedCell: MatrixView<S>, gain: MatrixView<S>, bias: MatrixView<S>,
        dy: MatrixView<S>?, dh: MatrixView<S>, dcell: MatrixView<S>, dbias: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.lstmOutputBackward(
                gates.rows, dcell.columns, gates.base, gates.stride, normalizedCell.base, normalizedCell.stride,
                gain.base, bias.base, dy?.base, dh.base, dcell.base, dbias.base)
        case .reference:
            Reference.lstmOutputBackward(
                gates: gates, normalizedCell: normalizedCell, gain: gain, bias: bias, dy: dy, dh: dh, dcell: dcell,
                dbias: dbias)
        }
    }

    /// The backward step of `lstmGates`: i f g become their gradients, dc that of the cell state before; dbias accumulates
    /// all four.
    func lstmGatesBackward(gates: MatrixView<S>, cell: MatrixView<S>, dc: MatrixView<S>, dbias: MatrixView<S>) {
        switch backend {
        case .openBLAS:
            unsafe kernels.lstmGatesBackward(
                gates.rows, dc.columns, gates.base, gates.stride, cell.base, cell.stride, dc.base, dbias.base)
        case .reference: Reference.lstmGatesBackward(gates: gates, cell: cell, dc: dc, dbias: dbias)
        }
    }
}

// MARK: RNN

/// Contracts: SluiceKernels.h. Tape [rows, H] and bias [1, H]; views without gaps.
extension Engine {
    /// The next state of one step, to the tape too.
    func rnnForward(
        _ activation: RNN.Activation, tape: MatrixView<S>, bias: MatrixView<S>, next: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.rnnForward(
                tape.rows, tape.columns, activation == .relu ? 1 : 0, tape.base, bias.base, next.base)
        case .reference: Reference.rnnForward(activation, tape: tape, bias: bias, next: next)
        }
    }

    /// Its backward step: the tape becomes its gradient, dbias accumulates.
    func rnnBackward(
        _ activation: RNN.Activation, tape: MatrixView<S>, dy: MatrixView<S>?, dh: MatrixView<S>, dbias: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.rnnBackward(
                tape.rows, tape.columns, activation == .relu ? 1 : 0, tape.base, dy?.base, dh.base, dbias.base)
        case .reference: Reference.rnnBackward(activation, tape: tape, dy: dy, dh: dh, dbias: dbias)
        }
    }
}

// MARK: Layer normalisation

/// Contracts: SluiceKernels.h. Values and normalised values [rows, n], scale [rows, 1], gain [1, n].
extension Engine {
    /// normalized = (values - mean) scale, values = gain normalized, row by row.
    func normalize(
        _ values: MatrixView<S>, gain: MatrixView<S>, normalized: MatrixView<S>, scale: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.normalize(
                values.rows, values.columns, values.base, values.stride, gain.base, normalized.base, normalized.stride,
                scale.base, scale.stride)
        case .reference: Reference.normalize(values, gain: gain, normalized: normalized, scale: scale)
        }
    }

    /// From the gradient of `gain normalized` that of what was normalised, to `dx`, which may be either; dgain accumulates.
    func normalizeBackward(
        _ dvalues: MatrixView<S>, normalized: MatrixView<S>, scale: MatrixView<S>, gain: MatrixView<S>,
        into dx: MatrixView<S>, dgain: MatrixView<S>
    ) {
        switch backend {
        case .openBLAS:
            unsafe kernels.normalizeBackward(
                dvalues.rows, dvalues.columns, dvalues.base, dvalues.stride, normalized.base, normalized.stride,
                scale.base, scale.stride, gain.base, dx.base, dx.stride, dgain.base)
        case .reference:
            Reference.normalizeBackward(
                dvalues, normalized: normalized, scale: scale, gain: gain, into: dx, dgain: dgain)
        }
    }
}
