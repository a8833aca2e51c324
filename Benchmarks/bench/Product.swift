#if OpenBLAS
import COpenBLAS
#endif
import Sluice

/// The yardstick: OpenBLAS's own product of two 512 x 512 matrices, on as many threads as the passes.
enum Product {
    static let size = 512
    static let flops = 2 * Double(size * size * size)

    /// One product, to be repeated; nil in a build without OpenBLAS.
    static func pass(_ scalar: ScalarType, threads: Int) -> (() -> Void)? {
        #if OpenBLAS
        switch scalar {
        case .float:
            unsafe pass(threads, Float(0.5)) { a, b, c, n in
                unsafe cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n)
            }
        case .double:
            unsafe pass(threads, 0.5) { a, b, c, n in
                unsafe cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n)
            }
        }
        #else
        nil
        #endif
    }

    #if OpenBLAS
    private static func pass<S>(
        _ threads: Int, _ value: S,
        _ gemm: @escaping (UnsafePointer<S>, UnsafePointer<S>, UnsafeMutablePointer<S>, Int32) -> Void
    ) -> () -> Void {
        let a = [S](repeating: value, count: size * size), b = a
        var c = a
        return {
            let previous = openblas_get_num_threads()
            if previous != threads { openblas_set_num_threads(Int32(threads)) }
            unsafe a.withUnsafeBufferPointer { a in
                unsafe b.withUnsafeBufferPointer { b in
                    unsafe c.withUnsafeMutableBufferPointer { c in
                        unsafe gemm(a.baseAddress!, b.baseAddress!, c.baseAddress!, Int32(size))
                    }
                }
            }
            if previous != threads { openblas_set_num_threads(previous) }
        }
    }
    #endif
}
