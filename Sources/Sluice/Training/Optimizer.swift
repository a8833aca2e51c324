/// How parameters p follow their gradient g. Formulas and defaults are PyTorch's, but for Adam's epsilon.
///
/// Rates, epsilons and decays are at least 0 and finite, betas and smoothings in [0, 1), a momentum in [0, 1].
///
/// Where a decay is not decoupled, it enters as the gradient of `decay / 2 p^2`: g stands for g + decay p.
public enum Optimizer: Codable, Hashable, Sendable {
    /// Gradient descent (`torch.optim.SGD`), with momentum if it is not 0:
    ///
    ///     u = momentum u + g
    ///     p = p - lr u        nesterov: p = p - lr (g + momentum u)
    case sgd(
        learningRate: Double = 0.001, momentum: Double = 0, nesterov: Bool = false, weightDecay: WeightDecay = .none)

    /// RMSProp (Tieleman and Hinton 2012), not centred, with momentum if it is not 0:
    ///
    ///     v = smoothing v + (1 - smoothing) g^2
    ///     .pyTorch       u = momentum u + g / (sqrt(v) + epsilon)       p = p - lr u
    ///     .tensorFlow    u = momentum u + lr g / sqrt(v + epsilon)      p = p - u
    ///
    /// Keras's own defaults are a smoothing of 0.9, an epsilon of 1e-7 and a rate of 0.001.
    case rmsProp(
        learningRate: Double = 0.01, smoothing: Double = 0.99, epsilon: Double = 1e-8, momentum: Double = 0,
        form: EpsilonForm = .pyTorch, weightDecay: WeightDecay = .none)

    /// Adam (Kingma and Ba 2014, arXiv 1412.6980), t counting the updates from 1:
    ///
    ///     m = b1 m + (1-b1) g     v = b2 v + (1-b2) g^2
    ///     .tensorFlow    p = p - lr sqrt(1-b2^t) / (1-b1^t) * m / (sqrt(v) + epsilon)
    ///     .pyTorch       p = p - lr / (1-b1^t) * m / (sqrt(v / (1-b2^t)) + epsilon)
    ///
    /// The first is the form of the paper's section 2's end, the second of its algorithm 1. With AMSGrad (Reddi et al.
    /// 2018) the largest v so far stands for v in p's line.
    case adam(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        form: EpsilonForm = .tensorFlow, amsGrad: Bool = false, weightDecay: WeightDecay = .none)

    /// AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101): Adam with a decay that does not pass through the moments,
    ///
    ///     p = p - lr decay p, and then as Adam
    case adamW(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        form: EpsilonForm = .pyTorch, amsGrad: Bool = false, weightDecay: WeightDecay = .everything(0.01))

    /// lr, before a schedule.
    public var learningRate: Double {
        switch self {
        case .sgd(let rate, _, _, _), .rmsProp(let rate, _, _, _, _, _), .adam(let rate, _, _, _, _, _, _),
            .adamW(let rate, _, _, _, _, _, _):
            rate
        }
    }
}

// MARK: Checks

extension Optimizer {
    /// Checks its numbers, for those that come from outside: a ``Trainer`` that is given others stops the program with the same words.
    ///
    /// - Throws: ``InvalidValue``: a rate, an epsilon or a decay below 0 or not finite; a beta or a smoothing outside [0, 1); a
    ///   momentum outside [0, 1].
    public func validate() throws(InvalidValue) { try InvalidValue.throwing(problem) }

    /// What is wrong with its numbers, in words.
    var problem: String? {
        switch self {
        case .sgd(let rate, let momentum, _, let decay):
            Self.rateProblem(rate) ?? Self.momentumProblem(momentum) ?? decay.problem
        case .rmsProp(let rate, let smoothing, let epsilon, let momentum, _, let decay):
            Self.rateProblem(rate) ?? Self.shareProblem("smoothing", smoothing) ?? Self.epsilonProblem(epsilon)
                ?? Self.momentumProblem(momentum) ?? decay.problem
        case .adam(let rate, let beta1, let beta2, let epsilon, _, _, let decay),
            .adamW(let rate, let beta1, let beta2, let epsilon, _, _, let decay):
            Self.rateProblem(rate) ?? Self.shareProblem("beta1", beta1) ?? Self.shareProblem("beta2", beta2)
                ?? Self.epsilonProblem(epsilon) ?? decay.problem
        }
    }

    private static func rateProblem(_ rate: Double) -> String? {
        rate.isFinite && rate >= 0 ? nil : "a learningRate of \(rate): a finite number, at least 0, is needed"
    }

    private static func momentumProblem(_ momentum: Double) -> String? {
        momentum >= 0 && momentum <= 1 ? nil : "a momentum of \(momentum): 0 to 1 is needed"
    }

    private static func shareProblem(_ name: String, _ share: Double) -> String? {
        share >= 0 && share < 1 ? nil : "a \(name) of \(share): at least 0 and less than 1 is needed"
    }

    private static func epsilonProblem(_ epsilon: Double) -> String? {
        epsilon.isFinite && epsilon >= 0 ? nil : "an epsilon of \(epsilon): a finite number, at least 0, is needed"
    }
}

// MARK: Conventions

/// Where an optimiser adds its epsilon: two conventions that are not the same numbers.
public enum EpsilonForm: String, Codable, CaseIterable, Sendable {
    /// As TensorFlow and Keras: Adam's to the root of the moment that is not corrected, RMSProp's under the root.
    case tensorFlow
    /// As PyTorch: Adam's to the root of the corrected moment, RMSProp's to the root.
    case pyTorch
}

/// How fast parameters decay towards 0, and which.
public enum WeightDecay: Codable, Hashable, Sendable {
    case none
    /// All parameters, as PyTorch does unless told otherwise.
    case everything(Double)
    /// The weight matrices; not the biases and other vectors.
    case matrices(Double)

    /// What is wrong with its number, in words.
    fileprivate var problem: String? {
        switch self {
        case .none: return nil
        case .everything(let rate), .matrices(let rate):
            return rate.isFinite && rate >= 0 ? nil : "a weightDecay of \(rate): a finite number, at least 0, is needed"
        }
    }

    /// The decay of one kind of parameter.
    func rate(isVector: Bool) -> Double {
        switch self {
        case .none: 0
        case .everything(let rate): rate
        case .matrices(let rate): isVector ? 0 : rate
        }
    }
}
