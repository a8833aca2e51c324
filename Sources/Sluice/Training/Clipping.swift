/// How a gradient is kept from being too large, before any decay is added.
public enum Clipping: Codable, Hashable, Sendable {
    /// The whole gradient's norm is at most about this (PyTorch's `clip_grad_norm_`):
    ///
    ///     g = g min(1, maximum / (|g| + 1e-6))
    case norm(Double)
    /// Each number is between -limit and limit (`clip_grad_value_`).
    case value(Double)
}

// MARK: Checks

extension Clipping {
    /// Checks its number, for one that comes from outside: a ``Trainer`` that is given another stops the program with the same words.
    ///
    /// - Throws: ``InvalidValue``: a number that is not above 0.
    public func validate() throws(InvalidValue) { try InvalidValue.throwing(problem) }

    /// What is wrong with its number, in words.
    var problem: String? {
        switch self {
        case .norm(let maximum): maximum > 0 ? nil : "clipping to a norm of \(maximum): more than 0 is needed"
        case .value(let limit): limit > 0 ? nil : "clipping to values of \(limit): more than 0 is needed"
        }
    }
}

extension Clipping {
    /// What it does to a gradient of a norm.
    func constants<S: Scalar>(norm: Double) -> GradientConstants<S> {
        switch self {
        case .value(let limit): GradientConstants(limit: S(limit))
        case .norm(let maximum): GradientConstants(scale: S(min(1, maximum / (norm + 1e-6))))
        }
    }

    /// What no number of a gradient of a norm is beyond, once it is clipped.
    func bound(norm: Double) -> Double {
        switch self {
        case .norm(let maximum): norm.isFinite ? min(norm, maximum) : norm
        case .value(let limit): norm.isFinite ? min(norm, limit) : norm
        }
    }
}
