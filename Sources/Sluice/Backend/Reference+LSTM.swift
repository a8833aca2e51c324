/// Gates in columns i f g o, each H wide; peepholes of i f o. Equations: Cells/LSTM.swift; contracts: SluiceKernels.h.
extension Reference {
    @specialized(where S == Float)
    @specialized(where S == Double)
    static func lstmForward<S: Scalar>(
        gates: MatrixView<S>, bias: MatrixView<S>, peepholes: MatrixView<S>?, cell: MatrixView<S>,
        nextCell: MatrixView<S>, output: MatrixView<S>
    ) {
        let H = cell.columns
        for row in 0..<gates.rows {
            for j in 0..<H {
                func peephole(_ gate: Int, _ c: S) -> S { peepholes.map { $0[0, gate * H + j] * c } ?? 0 }
                let c = cell[row, j]
                let i = sigmoid(gates[row, j] + bias[0, j] + peephole(0, c))
                let f = sigmoid(gates[row, H + j] + bias[0, H + j] + peephole(1, c))
                let g = S.bindings.tanh(gates[row, 2 * H + j] + bias[0, 2 * H + j])
                let next = f * c + i * g
                let o = sigmoid(gates[row, 3 * H + j] + bias[0, 3 * H + j] + peephole(2, next))
                gates[row, j] = i
                gates[row, H + j] = f
                gates[row, 2 * H + j] = g
                gates[row, 3 * H + j] = o
                nextCell[row, j] = next
                output[row, j] = o * S.bindings.tanh(next)
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func lstmBackward<S: Scalar>(
        gates: MatrixView<S>, nextCell: MatrixView<S>, cell: MatrixView<S>, peepholes: MatrixView<S>?,
        dy: MatrixView<S>?, dh: MatrixView<S>, dc: MatrixView<S>, dbias: MatrixView<S>, dpeepholes: MatrixView<S>?
    ) {
        let H = dc.columns
        for row in 0..<gates.rows {
            for j in 0..<H {
                let i = gates[row, j], f = gates[row, H + j], g = gates[row, 2 * H + j], o = gates[row, 3 * H + j]
                let c = cell[row, j], next = nextCell[row, j]
                let d = dh[row, j] + (dy.map { $0[row, j] } ?? 0)
                let t = S.bindings.tanh(next)
                let dO = d * t * o * (1 - o)
                var e = dc[row, j] + d * o * (1 - t * t)
                if let peepholes { e += dO * peepholes[0, 2 * H + j] }
                let dI = e * g * i * (1 - i)
                let dF = e * c * f * (1 - f)
                let dG = e * i * (1 - g * g)
                dc[row, j] = e * f
                if let peepholes, let dpeepholes {
                    dc[row, j] += dI * peepholes[0, j] + dF * peepholes[0, H + j]
                    dpeepholes[0, j] += dI * c
                    dpeepholes[0, H + j] += dF * c
                    dpeepholes[0, 2 * H + j] += dO * next
                }
                for (gate, gradient) in [dI, dF, dG, dO].enumerated() {
                    gates[row, gate * H + j] = gradient
                    dbias[0, gate * H + j] += gradient
                }
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func lstmGates<S: Scalar>(
        gates: MatrixView<S>, bias: MatrixView<S>, cell: MatrixView<S>, nextCell: MatrixView<S>
    ) {
        let H = cell.columns
        for row in 0..<gates.rows {
            for j in 0..<H {
                let i = sigmoid(gates[row, j] + bias[0, j])
                let f = sigmoid(gates[row, H + j] + bias[0, H + j])
                let g = S.bindings.tanh(gates[row, 2 * H + j] + bias[0, 2 * H + j])
                gates[row, j] = i
                gates[row, H + j] = f
                gates[row, 2 * H + j] = g
                gates[row, 3 * H + j] = sigmoid(gates[row, 3 * H + j] + bias[0, 3 * H + j])
                nextCell[row, j] = f * cell[row, j] + i * g
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func lstmOutput<S: Scalar>(
        gates: MatrixView<S>, cell: MatrixView<S>, bias: MatrixView<S>, output: MatrixView<S>
    ) {
        let H = cell.columns
        for row in 0..<gates.rows {
            for j in 0..<H { output[row, j] = gates[row, 3 * H + j] * S.bindings.tanh(cell[row, j] + bias[0, j]) }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func lstmOutputBackward<S: Scalar>(
        gates: MatrixView<S>, normalizedCell: MatrixView<S>, gain: MatrixView<S>, bias: MatrixView<S>,
        dy: MatrixView<S>?, dh: MatrixView<S>, dcell: MatrixView<S>, dbias: MatrixView<S>
    ) {
        let H = dcell.columns
        for row in 0..<gates.rows {
            for j in 0..<H {
                let d = dh[row, j] + (dy.map { $0[row, j] } ?? 0)
                let o = gates[row, 3 * H + j]
                let t = S.bindings.tanh(gain[0, j] * normalizedCell[row, j] + bias[0, j])
                gates[row, 3 * H + j] = d * t * o * (1 - o)
                dcell[row, j] = d * o * (1 - t * t)
                dbias[0, j] += dcell[row, j]
            }
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func lstmGatesBackward<S: Scalar>(
        gates: MatrixView<S>, cell: MatrixView<S>, dc: MatrixView<S>, dbias: MatrixView<S>
    ) {
        let H = dc.columns
        for row in 0..<gates.rows {
            for j in 0..<H {
                let i = gates[row, j], f = gates[row, H + j], g = gates[row, 2 * H + j], e = dc[row, j]
                gates[row, j] = e * g * i * (1 - i)
                gates[row, H + j] = e * cell[row, j] * f * (1 - f)
                gates[row, 2 * H + j] = e * i * (1 - g * g)
                dc[row, j] = e * f
                for gate in 0..<4 { dbias[0, gate * H + j] += gates[row, gate * H + j] }
            }
        }
    }
}
