#if OpenBLAS
import COpenBLAS

enum OpenBLAS {
    /// c = op(a) op(b), or c += op(a) op(b).
    ///
    /// Products of one to four columns go column by column through the vector product, and with kernels that pack so do
    /// products of one to four rows: there gemm is several times slower (M = 1, H = 128 in Double with the Haswell kernels: 4
    /// against 38 GFLOP/s).
    static func multiply<S: Scalar>(
        _ blas: BLAS<S>, _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool,
        into c: MatrixView<S>,
        accumulate: Bool
    ) {
        if BLASThreads.build == .serial && (transposeB || mayTakeBuffer(a, c)) {
            BLASThreads.serialLock.withLock {
                product(blas, a, transposeA, b, transposeB, into: c, accumulate: accumulate)
            }
        } else {
            product(blas, a, transposeA, b, transposeB, into: c, accumulate: accumulate)
        }
    }

    /// Whether a product is none of those that need no packing and so no buffer.
    private static func mayTakeBuffer<S>(_ a: MatrixView<S>, _ c: MatrixView<S>) -> Bool {
        !multipliesSmallProducts || c.columns <= 4 || a.rows * a.columns * c.columns > PanelRule.smallProductLimit
    }

    @inline(__always)
    private static func product<S: Scalar>(
        _ blas: BLAS<S>, _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool,
        into c: MatrixView<S>,
        accumulate: Bool
    ) {
        if c.columns <= 4 && !transposeB {
            for column in 0..<c.columns {
                unsafe multiply(
                    blas, a, transposeA, b.base + column, b.stride, into: c.base + column, c.stride, accumulate)
            }
        } else if c.rows <= 4 && !transposeA && !transposeB && !multipliesSmallProducts {
            for row in 0..<c.rows {
                unsafe multiply(blas, b, true, a.base + row * a.stride, 1, into: c.base + row * c.stride, 1, accumulate)
            }
        } else {
            unsafe blas.gemm(
                transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
                Int32(c.rows), Int32(c.columns), Int32(transposeA ? a.rows : a.columns),
                1, a.base, Int32(a.stride), b.base, Int32(b.stride), accumulate ? 1 : 0, c.base, Int32(c.stride))
        }
    }

    /// y = op(a) x, or y += op(a) x, for vectors whose elements lie a stride apart.
    private static func multiply<S: Scalar>(
        _ blas: BLAS<S>, _ a: MatrixView<S>, _ transposed: Bool, _ x: UnsafePointer<S>, _ xStride: Int,
        into y: UnsafeMutablePointer<S>, _ yStride: Int, _ accumulate: Bool
    ) {
        unsafe blas.gemv(
            transposed ? CblasTrans : CblasNoTrans, Int32(a.rows), Int32(a.columns), 1, a.base, Int32(a.stride), x,
            Int32(xStride), accumulate ? 1 : 0, y, Int32(yStride))
    }

    /// The kernels that OpenBLAS chose for this processor, by its own name for them.
    static let kernelName = unsafe String(cString: openblas_get_corename())

    /// Whether those kernels multiply small matrices without packing, which is what ``PanelRule`` builds on.
    static let multipliesSmallProducts = ["SkylakeX", "Cooperlake", "SapphireRapids"].contains(kernelName)

    /// Whether a product may be one that OpenBLAS shares out over its threads. Some that it does not are among them: it has
    /// limits of its own (262,144 M N K and 9,216 elements of a vector product's matrix in 0.3.21), a quarter of which is
    /// taken here, as they may be changed when it is built.
    static func mayUseThreads(rows: Int, depth: Int, columns: Int) -> Bool {
        if columns <= 4 { return rows * depth > 2_304 }
        if rows <= 4 && !multipliesSmallProducts { return depth * columns > 2_304 }
        let size = rows * depth * columns
        return size > (multipliesSmallProducts ? PanelRule.smallProductLimit : 65_536)
    }
}
#endif
