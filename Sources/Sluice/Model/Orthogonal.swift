extension Matrix {
    /// A matrix with orthonormal rows or columns, whichever are fewer, uniform among all such matrices: Q of a normal
    /// matrix, its columns multiplied by the signs of R's diagonal (Mezzadri 2007).
    static func orthogonal(rows: Int, columns: Int, using random: inout Random) -> Matrix {
        let tall = max(rows, columns), thin = min(rows, columns)
        require(
            thin == 0 || tall <= Int(Int32.max) / thin,
            "orthogonal weights of \(rows) x \(columns); LAPACK counts in 32 bits: at most \(Int32.max) numbers are possible"
        )
        var q = Matrix<Double>(rows: tall, columns: thin, (0..<tall * thin).map { _ in random.normal() })
        q.orthonormalizeColumns()
        var result = Matrix(rows: rows, columns: columns)
        let view = result.mutableView()
        for i in 0..<rows { for j in 0..<columns { view[i, j] = S(rows >= columns ? q[i, j] : q[j, i]) } }
        return result
    }
}

extension Matrix<Double> {
    /// Replaces the columns of a tall matrix by Q of its QR factorisation, signs chosen so that R's diagonal is positive:
    /// by LAPACKE, or by Householder reflections where there is no LAPACK. Both give the same matrix up to rounding.
    mutating func orthonormalizeColumns() {
        #if OpenBLAS
        // LAPACK multiplies too: the same bits however many threads OpenBLAS has.
        let previous = BLASThreads.beginOne()
        if BLASThreads.build == .serial {
            BLASThreads.serialLock.withLock { orthonormalizeColumnsByLAPACK() }
        } else {
            orthonormalizeColumnsByLAPACK()
        }
        BLASThreads.endOne(previous)
        #else
        orthonormalizeColumnsByHouseholder()
        #endif
    }

    #if OpenBLAS
    mutating func orthonormalizeColumnsByLAPACK() {
        let view = mutableView()
        let rows = Int32(rows), columns = Int32(columns)
        let reflectorScales = Matrix(rows: 1, columns: self.columns)
        let tau = reflectorScales.view
        defer { withExtendedLifetime(reflectorScales) {} }
        let blas = Double.bindings.blas
        let factored = unsafe blas.geqrf(rows, columns, view.base, columns, tau.base)
        let signs = (0..<self.columns).map { view[$0, $0] < 0 ? -1.0 : 1.0 }
        let formed = unsafe blas.orgqr(rows, columns, columns, view.base, columns, tau.base)
        require(
            factored == 0 && formed == 0,
            "LAPACK's QR of a \(self.rows) x \(self.columns) matrix failed: \(factored), \(formed)")
        for i in 0..<self.rows { for j in 0..<self.columns { view[i, j] *= signs[j] } }
    }
    #endif

    /// Each reflection I - 2 v v' / v'v takes one column to a multiple of a unit vector; Q is their product, applied to
    /// the first columns of the identity in reverse order (Golub and Van Loan, section 5.2).
    mutating func orthonormalizeColumnsByHouseholder() {
        let a = mutableView()
        var reflections: [[Double]] = []
        var signs: [Double] = []
        func reflect(_ v: [Double], from pivot: Int, columns: Range<Int>) {
            let square = v.reduce(0) { $0 + $1 * $1 }
            guard square > 0 else { return }
            for j in columns {
                var dot = 0.0
                for i in v.indices { dot += v[i] * a[pivot + i, j] }
                for i in v.indices { a[pivot + i, j] -= 2 * dot / square * v[i] }
            }
        }
        for pivot in 0..<columns {
            var v = (pivot..<rows).map { a[$0, pivot] }
            let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
            v[0] += v[0] < 0 ? -norm : norm
            reflect(v, from: pivot, columns: pivot..<columns)
            reflections.append(v)
            signs.append(a[pivot, pivot] < 0 ? -1 : 1)
        }
        for i in 0..<rows { for j in 0..<columns { a[i, j] = i == j ? 1 : 0 } }
        for pivot in (0..<columns).reversed() { reflect(reflections[pivot], from: pivot, columns: 0..<columns) }
        for i in 0..<rows { for j in 0..<columns { a[i, j] *= signs[j] } }
    }
}
