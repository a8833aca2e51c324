/// Optimisers, one parameter after another. Formulas: Training/Optimizer.swift; contracts: SluiceKernels.h.
extension Reference {
    private static func followed<S: Scalar>(_ g: S, _ p: S, _ constants: GradientConstants<S>) -> S {
        var g = constants.scale * g
        if g > constants.limit { g = constants.limit }
        if g < -constants.limit { g = -constants.limit }
        return g + constants.decay * p
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func adam<S: Scalar>(
        _ parameters: MatrixView<S>, gradient: MatrixView<S>, mean: MatrixView<S>, square: MatrixView<S>,
        peak: MatrixView<S>?, _ constants: AdamConstants<S>
    ) {
        let beta1 = constants.beta1, beta2 = constants.beta2
        for i in 0..<parameters.columns {
            let p = parameters[0, i], g = followed(gradient[0, i], p, constants.gradient)
            mean[0, i] = beta1 * mean[0, i] + (1 - beta1) * g
            square[0, i] = beta2 * square[0, i] + (1 - beta2) * g * g
            if let peak { peak[0, i] = max(peak[0, i], square[0, i]) }
            let root = constants.root * (peak ?? square)[0, i].squareRoot()
            parameters[0, i] = constants.keep * p - constants.rate * mean[0, i] / (root + constants.epsilon)
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func sgd<S: Scalar>(
        _ parameters: MatrixView<S>, gradient: MatrixView<S>, velocity: MatrixView<S>?, nesterov: Bool,
        _ constants: SGDConstants<S>
    ) {
        for i in 0..<parameters.columns {
            let p = parameters[0, i], g = followed(gradient[0, i], p, constants.gradient)
            var step = g
            if let velocity {
                velocity[0, i] = constants.momentum * velocity[0, i] + g
                step = nesterov ? g + constants.momentum * velocity[0, i] : velocity[0, i]
            }
            parameters[0, i] = p - constants.rate * step
        }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    static func rmsProp<S: Scalar>(
        _ parameters: MatrixView<S>, gradient: MatrixView<S>, square: MatrixView<S>, velocity: MatrixView<S>?,
        _ constants: RMSPropConstants<S>
    ) {
        let smoothing = constants.smoothing
        for i in 0..<parameters.columns {
            let p = parameters[0, i], g = followed(gradient[0, i], p, constants.gradient)
            square[0, i] = smoothing * square[0, i] + (1 - smoothing) * g * g
            let root = (square[0, i] + constants.innerEpsilon).squareRoot() + constants.outerEpsilon
            var step = constants.gain * g / root
            if let velocity {
                velocity[0, i] = constants.momentum * velocity[0, i] + step
                step = velocity[0, i]
            }
            parameters[0, i] = p - constants.rate * step
        }
    }
}
