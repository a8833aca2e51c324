/// Layer normalisation. Contracts: SluiceKernels.h. Values and normalised values [rows, n], scale [rows, 1], gain [1, n].
extension Engine {
    /// normalized = (values - mean) scale, values = gain normalized, row by row.
    func normalize(
        _ values: MatrixView<S>, gain: MatrixView<S>, normalized: MatrixView<S>, scale: MatrixView<S>
    ) {
        let fits = gain.isPlain(1, values.columns) && normalized.hasShape(of: values) && scale.hasShape(values.rows, 1)
        if !fits { values.refuse("values, gain, normalized, scale", gain, normalized, scale) }
        switch backend {
        case .openBLAS:
            unsafe kernels.normalize(
                values.rows, values.columns, values.base, values.stride, gain.base, normalized.base, normalized.stride,
                scale.base, scale.stride)
        case .reference: Reference.normalize(values, gain: gain, normalized: normalized, scale: scale)
        }
    }

    /// From the gradient of `gain normalized` that of what was normalised, to `dx`, which may be either; dgain accumulates.
    func normalizeBackward(
        _ dvalues: MatrixView<S>, normalized: MatrixView<S>, scale: MatrixView<S>, gain: MatrixView<S>,
        into dx: MatrixView<S>, dgain: MatrixView<S>
    ) {
        let fits =
            normalized.hasShape(of: dvalues) && scale.hasShape(dvalues.rows, 1) && gain.isPlain(1, dvalues.columns)
            && dx.hasShape(of: dvalues) && dgain.isPlain(1, dvalues.columns)
        if !fits { dvalues.refuse("dvalues, normalized, scale, gain, dx, dgain", normalized, scale, gain, dx, dgain) }
        switch backend {
        case .openBLAS:
            unsafe kernels.normalizeBackward(
                dvalues.rows, dvalues.columns, dvalues.base, dvalues.stride, normalized.base, normalized.stride,
                scale.base, scale.stride, gain.base, dx.base, dx.stride, dgain.base)
        case .reference:
            Reference.normalizeBackward(
                dvalues, normalized: normalized, scale: scale, gain: gain, into: dx, dgain: dgain)
        }
    }
}
