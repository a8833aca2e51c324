/// The LSTM's fused steps. Contracts: SluiceKernels.h. Gates [rows, 4H] and bias [1, 4H] in columns i f g o, peepholes
/// [1, 3H] in i f o; dy and dh without gaps.
extension Engine {
    /// Gates, cell state and output of one step.
    func lstmForward(
        gates: MatrixView<S>, bias: MatrixView<S>, peepholes: MatrixView<S>?, cell: MatrixView<S>,
        nextCell: MatrixView<S>, output: MatrixView<S>
    ) {
        let B = gates.rows, H = cell.columns
        let fits =
            gates.hasShape(B, 4 * H) && bias.isPlain(1, 4 * H) && (peepholes?.isPlain(1, 3 * H) ?? true)
            && cell.hasShape(B, H) && nextCell.hasShape(B, H) && output.hasShape(B, H)
        if !fits {
            gates.refuse(
                "gates, bias, peepholes, cell, nextCell, output", bias, peepholes, cell, nextCell, output)
        }
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
        let B = gates.rows, H = dc.columns
        let fits =
            gates.hasShape(B, 4 * H) && nextCell.hasShape(B, H) && cell.hasShape(B, H)
            && (peepholes?.isPlain(1, 3 * H) ?? true) && (dy?.isPlain(B, H) ?? true) && dh.isPlain(B, H)
            && dc.isPlain(B, H) && dbias.isPlain(1, 4 * H) && (dpeepholes?.isPlain(1, 3 * H) ?? true)
        if !fits {
            gates.refuse(
                "gates, nextCell, cell, peepholes, dy, dh, dc, dbias, dpeepholes", nextCell, cell, peepholes, dy, dh,
                dc, dbias, dpeepholes)
        }
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
        let B = gates.rows, H = cell.columns
        let fits = gates.hasShape(B, 4 * H) && bias.isPlain(1, 4 * H) && cell.hasShape(B, H) && nextCell.hasShape(B, H)
        if !fits { gates.refuse("gates, bias, cell, nextCell", bias, cell, nextCell) }
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
        let B = gates.rows, H = cell.columns
        let fits = gates.hasShape(B, 4 * H) && cell.isPlain(B, H) && bias.isPlain(1, H) && output.hasShape(B, H)
        if !fits { gates.refuse("gates, cell, bias, output", cell, bias, output) }
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
        let B = gates.rows, H = dcell.columns
        let fits =
            gates.hasShape(B, 4 * H) && normalizedCell.hasShape(B, H) && gain.isPlain(1, H) && bias.isPlain(1, H)
            && (dy?.isPlain(B, H) ?? true) && dh.isPlain(B, H) && dcell.isPlain(B, H) && dbias.isPlain(1, H)
        if !fits {
            gates.refuse(
                "gates, normalizedCell, gain, bias, dy, dh, dcell, dbias", normalizedCell, gain, bias, dy, dh, dcell,
                dbias)
        }
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
        let B = gates.rows, H = dc.columns
        let fits = gates.hasShape(B, 4 * H) && cell.hasShape(B, H) && dc.isPlain(B, H) && dbias.isPlain(1, 4 * H)
        if !fits { gates.refuse("gates, cell, dc, dbias", cell, dc, dbias) }
        switch backend {
        case .openBLAS:
            unsafe kernels.lstmGatesBackward(
                gates.rows, dc.columns, gates.base, gates.stride, cell.base, cell.stride, dc.base, dbias.base)
        case .reference: Reference.lstmGatesBackward(gates: gates, cell: cell, dc: dc, dbias: dbias)
        }
    }
}
