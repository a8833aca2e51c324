/// Layer normalisation (Ba et al. 2016, arXiv 1607.06450), over each row. Contracts: SluiceKernels.h.
extension Reference {
    @specialized(where S == Float)
    @specialized(where S == Double)
    static func normalize<S: Scalar>(
        _ values: MatrixView<S>, gain: MatrixView<S>, normalized: MatrixView<S>, scale: MatrixView<S>
    ) {
        let n = S(values.columns)
        for row in 0..<values.rows {
            var sum: S = 0, squares: S = 0
            for j in 0..<values.columns { sum += values[row, j] }
            let mean = sum / n
            for j in 0..<values.columns { squares += (values[row, j] - mean) * (values[row, j] - mean) }
            guard squares.isFinite else {
                normalizeLarge(values.row(row), gain: gain, normalized: normalized.row(row), scale: scale.row(row))
                continue
            }
            scale[row, 0] = 1 / (squares / n + 1e-5).squareRoot()
            for j in 0..<values.columns {
                normalized[row, j] = (values[row, j] - mean) * scale[row, 0]
                values[row, j] = gain[0, j] * normalized[row, j]
            }
        }
    }

    /// A row whose squares or sum are beyond the scalar's range, or that is not finite: as above, of the row divided by a power
    /// of two, so that nothing overflows. 1e-5 is nothing beside such a variance, unless the numbers are all equal.
    private static func normalizeLarge<S: Scalar>(
        _ values: MatrixView<S>, gain: MatrixView<S>, normalized: MatrixView<S>, scale: MatrixView<S>
    ) {
        let n = S(values.columns)
        let columns = 0..<values.columns
        let isFinite = columns.allSatisfy { values[0, $0].isFinite }
        let largest = columns.reduce(0) { max($0, values[0, $1].magnitude) }
        let unit = isFinite ? 2 / largest.binade : .nan
        let mean = columns.reduce(0) { $0 + values[0, $1] * unit / n }
        let variance = columns.reduce(0) { $0 + (values[0, $1] * unit - mean) * (values[0, $1] * unit - mean) / n }
        let inverse = variance == 0 ? 0 : 1 / variance.squareRoot()
        scale[0, 0] = variance == 0 ? 1 / (S(1e-5)).squareRoot() : inverse * unit
        for j in columns {
            normalized[0, j] = (values[0, j] * unit - mean) * inverse
            values[0, j] = gain[0, j] * normalized[0, j]
        }
    }

    /// With d = gain dvalues:  dx = scale (d - mean(d) - normalized mean(d normalized)).
    @specialized(where S == Float)
    @specialized(where S == Double)
    static func normalizeBackward<S: Scalar>(
        _ dvalues: MatrixView<S>, normalized: MatrixView<S>, scale: MatrixView<S>, gain: MatrixView<S>,
        into dx: MatrixView<S>, dgain: MatrixView<S>
    ) {
        let n = S(dvalues.columns)
        for row in 0..<dvalues.rows {
            var sum: S = 0, products: S = 0
            for j in 0..<dvalues.columns {
                sum += dvalues[row, j] * gain[0, j]
                products += dvalues[row, j] * gain[0, j] * normalized[row, j]
            }
            for j in 0..<dvalues.columns {
                let dvalue = dvalues[row, j], value = normalized[row, j]
                dgain[0, j] += dvalue * value
                dx[row, j] = scale[row, 0] * (dvalue * gain[0, j] - sum / n - value * products / n)
            }
        }
    }
}
