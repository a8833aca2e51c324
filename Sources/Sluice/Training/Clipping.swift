/// How a gradient is kept from being too large, before any decay is added.
public enum Clipping: Codable, Hashable, Sendable {
    /// The whole gradient's norm is at most about this (PyTorch's `clip_grad_norm_`):
    ///
    ///     g = g min(1, maximum / (|g| + 1e-6))
    case norm(Double)
    /// Each number is between -limit and limit (`clip_grad_value_`).
    case value(Double)

    /// Checks its own numbers.
    func check() {
        switch self {
        case .norm(let maximum): precondition(maximum > 0, "clipping to a norm of \(maximum)")
        case .value(let limit): precondition(limit > 0, "clipping to values of \(limit)")
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
}
