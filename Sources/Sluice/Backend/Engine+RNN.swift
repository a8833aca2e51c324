/// The simple RNN's fused steps. Contracts: SluiceKernels.h. Tape [rows, H] and bias [1, H]; views without gaps.
extension Engine {
    /// The next state of one step, to the tape too.
    func rnnForward(
        _ activation: RNN.Activation, tape: MatrixView<S>, bias: MatrixView<S>, next: MatrixView<S>
    ) {
        let B = tape.rows, H = tape.columns
        let fits = tape.isPlain(B, H) && bias.isPlain(1, H) && next.isPlain(B, H)
        if !fits { tape.refuse("tape, bias, next", bias, next) }
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
        let B = tape.rows, H = tape.columns
        let fits = tape.isPlain(B, H) && (dy?.isPlain(B, H) ?? true) && dh.isPlain(B, H) && dbias.isPlain(1, H)
        if !fits { tape.refuse("tape, dy, dh, dbias", dy, dh, dbias) }
        switch backend {
        case .openBLAS:
            unsafe kernels.rnnBackward(
                tape.rows, tape.columns, activation == .relu ? 1 : 0, tape.base, dy?.base, dh.base, dbias.base)
        case .reference: Reference.rnnBackward(activation, tape: tape, dy: dy, dh: dh, dbias: dbias)
        }
    }
}
