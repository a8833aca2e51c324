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

    /// Keeps OpenBLAS to one thread until ``endOneThread()``. Holds may overlap, from several threads: the first sets, the
    /// last gives back what it was set to.
    static func beginOneThread() { hold.begin() }
    static func endOneThread() { hold.end() }

    /// How many passes hold OpenBLAS to one thread, and what it was set to before.
    private final class Hold: @unchecked Sendable {
        private let lock = Lock()
        private var count = 0
        private var previous = 1

        func begin() {
            lock.withLock {
                if count == 0 {
                    previous = threads
                    if previous != 1 { threads = 1 }
                }
                count += 1
            }
        }

        func end() {
            lock.withLock {
                count -= 1
                if count == 0 && previous != 1 { threads = previous }
            }
        }
    }

    private static let hold = Hold()

    /// The threads that OpenBLAS may use for one product, in the whole process.
    static var threads: Int {
        get { Int(openblas_get_num_threads()) }
        set { openblas_set_num_threads(Int32(newValue)) }
    }
}
#endif
