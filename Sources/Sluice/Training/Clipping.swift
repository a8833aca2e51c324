/// How a gradient is kept from being too large, before any decay is added.
public enum Clipping: Codable, Hashable, Sendable {
    /// The whole gradient's norm is at most about this (PyTorch's `clip_grad_norm_`):
    ///
    ///     g = g min(1, maximum / (|g| + 1e-6))
    ///
    /// Where |g| is not finite, the update is not done.
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
    /// What it does to a gradient `[1, count]`, none if that is not finite; and the norm, if that is what is clipped.
    func constants<S: Scalar>(_ gradient: MatrixView<S>) -> (constants: GradientConstants<S>?, norm: Double?) {
        switch self {
        case .value(let limit): return (GradientConstants(limit: S(limit)), nil)
        case .norm(let maximum):
            let norm = gradient.norm()
            let scale = norm.isFinite ? min(1, maximum / (norm + 1e-6)) : nil
            return (scale.map { GradientConstants(scale: S($0)) }, norm)
        }
    }
}

extension MatrixView {
    /// The square root of the sum of all squares of a view `[1, count]`, summed in Double in eight sums side by side:
    /// always in the same order.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func norm() -> Double {
        precondition(rows == 1, "the norm of a view of \(rows) rows")
        var sums = SIMD8<Double>.zero
        let blocks = columns / 8
        for block in 0..<blocks {
            let start = unsafe base + 8 &* block
            var numbers = SIMD8<Double>.zero
            for lane in 0..<8 { numbers[lane] = unsafe Double(start[lane]) }
            sums += numbers * numbers
        }
        var rest = 0.0
        for column in 8 * blocks..<columns {
            let number = Double(self[0, column])
            rest += number * number
        }
        return (sums.sum() + rest).squareRoot()
    }
}
