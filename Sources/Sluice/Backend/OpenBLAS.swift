#if OpenBLAS
import COpenBLAS
import Synchronization

enum OpenBLAS {
    /// c = op(a) op(b), or c += op(a) op(b).
    static func multiply<S: Scalar>(
        _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool, into c: MatrixView<S>,
        accumulate: Bool
    ) {
        unsafe S.bindings.blas.gemm(
            transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            Int32(c.rows), Int32(c.columns), Int32(transposeA ? a.rows : a.columns),
            1, a.base, Int32(a.stride), b.base, Int32(b.stride), accumulate ? 1 : 0, c.base, Int32(c.stride))
    }

    /// The kernels that OpenBLAS chose for this processor, by its own name for them.
    static let kernelName = unsafe String(cString: openblas_get_corename())

    /// Runs `body` while OpenBLAS keeps to one thread, and gives back what it was set to. Calls may overlap, from several
    /// threads: the first in sets, the last out gives back.
    static func withOneThread<R>(_ body: () throws -> R) rethrows -> R {
        holders.withLock { state in
            if state.count == 0 {
                state.previous = threads
                if state.previous != 1 { threads = 1 }
            }
            state.count += 1
        }
        defer {
            holders.withLock { state in
                state.count -= 1
                if state.count == 0 && state.previous != 1 { threads = state.previous }
            }
        }
        return try body()
    }

    private static let holders = Mutex((count: 0, previous: 1))

    /// The threads that OpenBLAS may use for one product, in the whole process.
    static var threads: Int {
        get { Int(openblas_get_num_threads()) }
        set { openblas_set_num_threads(Int32(newValue)) }
    }
}
#endif
