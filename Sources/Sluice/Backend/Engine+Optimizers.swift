/// How an optimiser's kernel changes the gradient before it follows it: g' = clamp(scale g, ±limit) + decay p.
///
/// This and the structs around it are read by the kernels as arrays of numbers: the order of their fields counts.
/// Formulas: SluiceKernels.h.
struct GradientConstants<S: Scalar> {
    var scale: S = 1
    var limit: S = .infinity
    var decay: S = 0
}

struct AdamConstants<S: Scalar> {
    var gradient: GradientConstants<S>
    /// What is left of a parameter after the decay that does not pass through the moments.
    var keep: S = 1
    let rate: S
    let beta1: S
    let beta2: S
    let root: S
    let epsilon: S
}

struct SGDConstants<S: Scalar> {
    var gradient: GradientConstants<S>
    let rate: S
    let momentum: S
}

struct RMSPropConstants<S: Scalar> {
    var gradient: GradientConstants<S>
    let rate: S
    let gain: S
    let smoothing: S
    let innerEpsilon: S
    let outerEpsilon: S
    let momentum: S
}

/// Updates of parameters from their gradient; all views `[1, count]`.
extension Engine {
    /// Adam and AMSGrad, which has a peak.
    func adam(
        _ parameters: MatrixView<S>, gradient: MatrixView<S>, mean: MatrixView<S>, square: MatrixView<S>,
        peak: MatrixView<S>?, _ constants: AdamConstants<S>
    ) {
        let n = parameters.columns
        let fits =
            parameters.isPlain(1, n) && gradient.isPlain(1, n) && mean.isPlain(1, n) && square.isPlain(1, n)
            && (peak?.isPlain(1, n) ?? true)
        if !fits { parameters.refuse("parameters, gradient, mean, square, peak", gradient, mean, square, peak) }
        switch backend {
        case .openBLAS:
            unsafe withUnsafePointer(to: constants) {
                unsafe kernels.adam(
                    parameters.columns, $0, parameters.base, gradient.base, mean.base, square.base, peak?.base)
            }
        case .reference:
            Reference.adam(parameters, gradient: gradient, mean: mean, square: square, peak: peak, constants)
        }
    }

    /// Gradient descent, with momentum if there is a velocity.
    func sgd(
        _ parameters: MatrixView<S>, gradient: MatrixView<S>, velocity: MatrixView<S>?, nesterov: Bool,
        _ constants: SGDConstants<S>
    ) {
        let n = parameters.columns
        let fits = parameters.isPlain(1, n) && gradient.isPlain(1, n) && (velocity?.isPlain(1, n) ?? true)
        if !fits { parameters.refuse("parameters, gradient, velocity", gradient, velocity) }
        switch backend {
        case .openBLAS:
            unsafe withUnsafePointer(to: constants) {
                unsafe kernels.sgd(
                    parameters.columns, $0, nesterov ? 1 : 0, parameters.base, gradient.base, velocity?.base)
            }
        case .reference:
            Reference.sgd(parameters, gradient: gradient, velocity: velocity, nesterov: nesterov, constants)
        }
    }

    /// RMSProp, with momentum if there is a velocity.
    func rmsProp(
        _ parameters: MatrixView<S>, gradient: MatrixView<S>, square: MatrixView<S>, velocity: MatrixView<S>?,
        _ constants: RMSPropConstants<S>
    ) {
        let n = parameters.columns
        let fits =
            parameters.isPlain(1, n) && gradient.isPlain(1, n) && square.isPlain(1, n)
            && (velocity?.isPlain(1, n) ?? true)
        if !fits { parameters.refuse("parameters, gradient, square, velocity", gradient, square, velocity) }
        switch backend {
        case .openBLAS:
            unsafe withUnsafePointer(to: constants) {
                unsafe kernels.rmsProp(
                    parameters.columns, $0, parameters.base, gradient.base, square.base, velocity?.base)
            }
        case .reference:
            Reference.rmsProp(parameters, gradient: gradient, square: square, velocity: velocity, constants)
        }
    }
}
