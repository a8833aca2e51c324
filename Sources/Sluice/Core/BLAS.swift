#if OpenBLAS
import COpenBLAS
#endif

/// OpenBLAS's routines for one scalar; none without OpenBLAS. Sendable: they are C functions.
@safe
struct BLAS<S>: @unchecked Sendable {
    typealias Reals = UnsafePointer<S>
    typealias MutableReals = UnsafeMutablePointer<S>

    #if OpenBLAS
    /// c = alpha op(a) op(b) + beta c: transposes, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc.
    let gemm:
        (CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, Int32, Int32, Int32, S, Reals, Int32, Reals, Int32, S, MutableReals, Int32)
            -> Void
    /// y = alpha op(a) x + beta y: transpose, rows, columns, alpha, a, lda, x, incx, beta, y, incy.
    let gemv: (CBLAS_TRANSPOSE, Int32, Int32, S, Reals, Int32, Reals, Int32, S, MutableReals, Int32) -> Void
    /// QR factorisation in place: rows, columns, a, lda, tau.
    let geqrf: (Int32, Int32, MutableReals, Int32, MutableReals) -> Int32
    /// The first columns of Q from a factorisation: rows, columns, reflectors, a, lda, tau.
    let orgqr: (Int32, Int32, Int32, MutableReals, Int32, Reals) -> Int32
    #endif
}
