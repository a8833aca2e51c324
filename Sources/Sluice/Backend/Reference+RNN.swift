/// Equations: Cells/RNN.swift; contracts: SluiceKernels.h.
extension Reference {
    @specialized(where S == Float)
    @specialized(where S == Double)
    static func rnnForward<S: Scalar>(
        _ activation: RNN.Activation, tape: MatrixView<S>, bias: MatrixView<S>, next: MatrixView<S>
    ) {
        for row in 0..<tape.rows {
            for j in 0..<tape.columns {
                let a = tape[row, j] + bias[0, j]
                let h = activation == .relu ? (a < 0 ? 0 : a) : S.bindings.tanh(a)
                tape[row, j] = h
                next[row, j] = h
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func rnnBackward<S: Scalar>(
        _ activation: RNN.Activation, tape: MatrixView<S>, dy: MatrixView<S>?, dh: MatrixView<S>, dbias: MatrixView<S>
    ) {
        for row in 0..<tape.rows {
            for j in 0..<tape.columns {
                let h = tape[row, j]
                let d = dh[row, j] + (dy.map { $0[row, j] } ?? 0)
                let da = activation == .relu ? (h <= 0 ? 0 : d) : d * (1 - h * h)
                tape[row, j] = da
                dbias[0, j] += da
            }
        }
    }
}
