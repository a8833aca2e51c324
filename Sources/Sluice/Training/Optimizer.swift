/// How parameters follow their gradients.
public enum Optimizer: Codable, Hashable, Sendable {
    /// Adam (Kingma and Ba 2014, arXiv 1412.6980) in the form of its section 2's end, which TensorFlow uses:
    ///
    ///     m = b1 m + (1-b1) g     v = b2 v + (1-b2) g^2
    ///     p = p - lr sqrt(1-b2^t) / (1-b1^t) * m / (sqrt(v) + epsilon)
    case adam(learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
}

/// An optimiser's memory: moments of the same shape as the parameters, and the number of updates done.
public struct OptimizerState<S: Scalar>: Sendable {
    /// The running mean m of the gradients.
    public private(set) var mean: Parameters<S>
    /// The running mean v of their squares.
    public private(set) var square: Parameters<S>
    /// t, the updates done.
    public private(set) var updates = 0

    public init(_ layout: ParameterLayout) {
        mean = Parameters(layout)
        square = Parameters(layout)
    }

    /// Moves the parameters by one update.
    mutating func update(
        _ parameters: MatrixView<S>, by gradient: MatrixView<S>, _ optimizer: Optimizer, _ engine: Engine<S>
    ) {
        updates += 1
        switch optimizer {
        case .adam(let learningRate, let beta1, let beta2, let epsilon):
            let rate = learningRate * (1 - power(beta2, updates)).squareRoot() / (1 - power(beta1, updates))
            engine.adam(
                parameters, gradient: gradient, mean: mean.values.mutableView(), square: square.values.mutableView(),
                rate: S(rate), beta1: S(beta1), beta2: S(beta2), epsilon: S(epsilon))
        }
    }
}

/// base^exponent, exponent >= 0, by squaring.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0, factor = base, rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
