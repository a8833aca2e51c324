/// Columns of the tape, each H wide: n r z q. Equations: Cells/GRU.swift; contracts: SluiceKernels.h.
extension Reference {
    @specialized(where S == Float)
    @specialized(where S == Double)
    static func gruAfterForward<S: Scalar>(
        tape: MatrixView<S>, hu: MatrixView<S>, bias: MatrixView<S>, previous: MatrixView<S>, next: MatrixView<S>
    ) {
        let H = next.columns
        for i in 0..<tape.rows {
            for j in 0..<H {
                let q = hu[i, 2 * H + j] + bias[0, 3 * H + j]
                let r = sigmoid(tape[i, H + j] + hu[i, j] + bias[0, H + j])
                let z = sigmoid(tape[i, 2 * H + j] + hu[i, H + j] + bias[0, 2 * H + j])
                let n = S.bindings.tanh(tape[i, j] + bias[0, j] + r * q)
                tape[i, 3 * H + j] = q
                tape[i, H + j] = r
                tape[i, 2 * H + j] = z
                tape[i, j] = n
                next[i, j] = z * previous[i, j] + (1 - z) * n
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func gruAfterBackward<S: Scalar>(
        tape: MatrixView<S>, previous: MatrixView<S>, dy: MatrixView<S>?, dh: MatrixView<S>, dbias: MatrixView<S>
    ) {
        let H = dh.columns
        for i in 0..<tape.rows {
            for j in 0..<H {
                let q = tape[i, 3 * H + j], r = tape[i, H + j], z = tape[i, 2 * H + j], n = tape[i, j]
                let d = dh[i, j] + (dy.map { $0[i, j] } ?? 0)
                let dn = d * (1 - z) * (1 - n * n)
                let dq = dn * r
                let dr = dn * q * r * (1 - r)
                let dz = d * (previous[i, j] - n) * z * (1 - z)
                tape[i, 3 * H + j] = dq
                tape[i, H + j] = dr
                tape[i, 2 * H + j] = dz
                tape[i, j] = dn
                dbias[0, 3 * H + j] += dq
                dbias[0, H + j] += dr
                dbias[0, 2 * H + j] += dz
                dbias[0, j] += dn
                dh[i, j] = d * z
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func gruBeforeGates<S: Scalar>(
        tape: MatrixView<S>, hu: MatrixView<S>, bias: MatrixView<S>, previous: MatrixView<S>
    ) {
        let H = previous.columns
        for i in 0..<tape.rows {
            for j in 0..<H {
                let r = sigmoid(tape[i, H + j] + hu[i, j] + bias[0, H + j])
                tape[i, 3 * H + j] = r * previous[i, j]
                tape[i, H + j] = r
                tape[i, 2 * H + j] = sigmoid(tape[i, 2 * H + j] + hu[i, H + j] + bias[0, 2 * H + j])
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func gruBeforeUpdate<S: Scalar>(
        flipped: Bool, tape: MatrixView<S>, hu: MatrixView<S>, bias: MatrixView<S>, previous: MatrixView<S>,
        next: MatrixView<S>
    ) {
        let H = next.columns
        for i in 0..<tape.rows {
            for j in 0..<H {
                let z = tape[i, 2 * H + j]
                let n = S.bindings.tanh(tape[i, j] + hu[i, j] + bias[0, j])
                tape[i, j] = n
                next[i, j] = flipped ? (1 - z) * previous[i, j] + z * n : z * previous[i, j] + (1 - z) * n
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func gruBeforeUpdateBackward<S: Scalar>(
        flipped: Bool, tape: MatrixView<S>, previous: MatrixView<S>, dy: MatrixView<S>?, dh: MatrixView<S>,
        dbias: MatrixView<S>
    ) {
        let H = dh.columns
        for i in 0..<tape.rows {
            for j in 0..<H {
                let z = tape[i, 2 * H + j], n = tape[i, j]
                let d = dh[i, j] + (dy.map { $0[i, j] } ?? 0)
                let dn = d * (flipped ? z : 1 - z) * (1 - n * n)
                let dz = d * (flipped ? n - previous[i, j] : previous[i, j] - n) * z * (1 - z)
                tape[i, 2 * H + j] = dz
                tape[i, j] = dn
                dbias[0, 2 * H + j] += dz
                dbias[0, j] += dn
                dh[i, j] = d * (flipped ? 1 - z : z)
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func gruBeforeGatesBackward<S: Scalar>(
        tape: MatrixView<S>, previous: MatrixView<S>, dq: MatrixView<S>, dh: MatrixView<S>, dbias: MatrixView<S>
    ) {
        let H = dh.columns
        for i in 0..<tape.rows {
            for j in 0..<H {
                let r = tape[i, H + j]
                let dr = dq[i, j] * previous[i, j] * r * (1 - r)
                tape[i, H + j] = dr
                dbias[0, H + j] += dr
                dh[i, j] += dq[i, j] * r
            }
        }
    }
}
