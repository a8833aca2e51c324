/// The naive backend: every operation as its formula, one element after another.
///
/// `Reference+CELL.swift` holds the steps of each cell. It is the oracle of the tests, the baseline of the benchmark and the fallback where there is no OpenBLAS. It is not
/// to be made fast.
enum Reference {
    /// c = op(a) op(b), or c += op(a) op(b).
    @specialized(where S == Float)
    @specialized(where S == Double)
    static func multiply<S: Scalar>(
        _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool, into c: MatrixView<S>,
        accumulate: Bool
    ) {
        let depth = transposeA ? a.rows : a.columns
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                var sum: S = 0
                for k in 0..<depth {
                    sum += (transposeA ? a[k, i] : a[i, k]) * (transposeB ? b[j, k] : b[k, j])
                }
                c[i, j] = accumulate ? c[i, j] + sum : sum
            }
        }
    }

    static func sigmoid<S: Scalar>(_ x: S) -> S {
        let e = S.bindings.exp(-abs(x))
        return x < 0 ? e / (1 + e) : 1 / (1 + e)
    }
}
