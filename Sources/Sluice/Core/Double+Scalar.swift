import CSluiceKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
#if OpenBLAS
import COpenBLAS
#endif

extension Double: Scalar {
    public static var bindings: Bindings<Double> { doubleBindings }
}

private let doubleBindings = Bindings<Double>(
    type: .double,
    exp: { exp($0) },
    log: { log($0) },
    log1p: { log1p($0) },
    tanh: { tanh($0) },
    kernels: KernelLevel.available.map(doubleKernels),
    blas: doubleBLAS)

#if OpenBLAS
private let doubleBLAS = unsafe BLAS<Double>(
    gemm: { unsafe cblas_dgemm(CblasRowMajor, $0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) },
    gemv: { unsafe cblas_dgemv(CblasRowMajor, $0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10) },
    geqrf: { unsafe LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, $0, $1, $2, $3, $4) },
    orgqr: { unsafe LAPACKE_dorgqr(LAPACK_ROW_MAJOR, $0, $1, $2, $3, $4, $5) })
#else
private let doubleBLAS = BLAS<Double>()
#endif

private func doubleKernels(_ level: KernelLevel) -> Kernels {
    let table = unsafe sluice_kernels_f64_at(level.symbol).pointee
    return unsafe Kernels(
        exponential: Kernels.untyped(table.exponential),
        sigmoid: Kernels.untyped(table.sigmoid),
        tanh: Kernels.untyped(table.tanh),
        gruAfterForward: Kernels.untyped(table.gru_after_forward),
        gruAfterBackward: Kernels.untyped(table.gru_after_backward),
        gruBeforeGates: Kernels.untyped(table.gru_before_gates),
        gruBeforeUpdate: Kernels.untyped(table.gru_before_update),
        gruBeforeUpdateBackward: Kernels.untyped(table.gru_before_update_backward),
        gruBeforeGatesBackward: Kernels.untyped(table.gru_before_gates_backward),
        lstmForward: Kernels.untyped(table.lstm_forward),
        lstmBackward: Kernels.untyped(table.lstm_backward),
        lstmGates: Kernels.untyped(table.lstm_gates),
        lstmOutput: Kernels.untyped(table.lstm_output),
        lstmOutputBackward: Kernels.untyped(table.lstm_output_backward),
        lstmGatesBackward: Kernels.untyped(table.lstm_gates_backward),
        rnnForward: Kernels.untyped(table.rnn_forward),
        rnnBackward: Kernels.untyped(table.rnn_backward),
        normalize: Kernels.untyped(table.normalize),
        normalizeBackward: Kernels.untyped(table.normalize_backward),
        adam: Kernels.untyped(table.adam),
        sgd: Kernels.untyped(table.sgd),
        rmsProp: Kernels.untyped(table.rms_prop),
        transpose: Kernels.untyped(table.transpose))
}
