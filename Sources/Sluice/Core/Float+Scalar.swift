import CSluiceKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
#if OpenBLAS
import COpenBLAS
#endif

extension Float: Scalar {
    public static var bindings: Bindings<Float> { floatBindings }
}

private let floatBindings = Bindings<Float>(
    type: .float,
    exp: { expf($0) },
    log: { logf($0) },
    log1p: { log1pf($0) },
    tanh: { tanhf($0) },
    kernels: KernelLevel.available.map(floatKernels),
    blas: floatBLAS)

#if OpenBLAS
private let floatBLAS = unsafe BLAS<Float>(
    gemm: { unsafe cblas_sgemm(CblasRowMajor, $0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) },
    gemv: { unsafe cblas_sgemv(CblasRowMajor, $0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10) },
    geqrf: { unsafe LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, $0, $1, $2, $3, $4) },
    orgqr: { unsafe LAPACKE_sorgqr(LAPACK_ROW_MAJOR, $0, $1, $2, $3, $4, $5) })
#else
private let floatBLAS = BLAS<Float>()
#endif

private func floatKernels(_ level: KernelLevel) -> Kernels {
    let table = unsafe sluice_kernels_f32_at(level.symbol).pointee
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
