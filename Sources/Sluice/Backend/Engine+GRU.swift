/// The GRU's fused steps. Contracts: SluiceKernels.h. Tape [rows, 4H] and bias [1, 4H] in columns n r z q; views without
/// gaps, but for the tape of reset after.
extension Engine {
    /// Reset after the product: gates, candidate and next state of one step. hu [rows, 3H]: r z n.
    func gruAfterForward(
        tape: MatrixView<S>, hu: MatrixView<S>, bias: MatrixView<S>, previous: MatrixView<S>, next: MatrixView<S>
    ) {
        let B = tape.rows, H = next.columns
        let fits =
            tape.columns >= 4 * H && hu.isPlain(B, 3 * H) && bias.isPlain(1, 4 * H) && previous.isPlain(B, H)
            && next.isPlain(B, H)
        if !fits { tape.refuse("tape, hu, bias, previous, next", hu, bias, previous, next) }
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
        let B = tape.rows, H = dh.columns
        let fits =
            tape.columns >= 4 * H && previous.isPlain(B, H) && (dy?.isPlain(B, H) ?? true) && dh.isPlain(B, H)
            && dbias.isPlain(1, 4 * H)
        if !fits { tape.refuse("tape, previous, dy, dh, dbias", previous, dy, dh, dbias) }
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
        let B = tape.rows, H = previous.columns
        let fits = tape.isPlain(B, 4 * H) && hu.isPlain(B, 2 * H) && bias.isPlain(1, 4 * H) && previous.isPlain(B, H)
        if !fits { tape.refuse("tape, hu, bias, previous", hu, bias, previous) }
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
        let B = tape.rows, H = next.columns
        let fits =
            tape.isPlain(B, 4 * H) && hu.isPlain(B, H) && bias.isPlain(1, 4 * H) && previous.isPlain(B, H)
            && next.isPlain(B, H)
        if !fits { tape.refuse("tape, hu, bias, previous, next", hu, bias, previous, next) }
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
        let B = tape.rows, H = dh.columns
        let fits =
            tape.isPlain(B, 4 * H) && previous.isPlain(B, H) && (dy?.isPlain(B, H) ?? true) && dh.isPlain(B, H)
            && dbias.isPlain(1, 4 * H)
        if !fits { tape.refuse("tape, previous, dy, dh, dbias", previous, dy, dh, dbias) }
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
        let B = tape.rows, H = dh.columns
        let fits =
            tape.isPlain(B, 4 * H) && previous.isPlain(B, H) && dq.isPlain(B, H) && dh.isPlain(B, H)
            && dbias.isPlain(1, 4 * H)
        if !fits { tape.refuse("tape, previous, dq, dh, dbias", previous, dq, dh, dbias) }
        switch backend {
        case .openBLAS:
            unsafe kernels.gruBeforeGatesBackward(
                tape.rows, dh.columns, tape.base, previous.base, dq.base, dh.base, dbias.base)
        case .reference:
            Reference.gruBeforeGatesBackward(tape: tape, previous: previous, dq: dq, dh: dh, dbias: dbias)
        }
    }
}
