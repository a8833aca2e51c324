import Foundation
import Testing

@testable import Sluice

/// exp, sigmoid and tanh of the kernels against exact values, at every level of this processor.
///
/// Floats: by Double's functions, every 4,099th of the 2^32 in each run and all of them by `scripts/check-functions`.
/// Doubles: by Float80's functions, on dense samples.
@Suite struct FunctionTests {
    enum Function: String, CaseIterable, Sendable {
        case exponential, sigmoid, tanh

        /// The largest error allowed, in units in the last place.
        var bound: Double {
            switch self {
            case .exponential: 1.02
            case .sigmoid: 2.5
            case .tanh: 2.65
            }
        }

        func kernel(_ kernels: Kernels) -> Kernels.Function {
            switch self {
            case .exponential: kernels.exponential
            case .sigmoid: kernels.sigmoid
            case .tanh: kernels.tanh
            }
        }

        func exact(_ x: Double) -> Double {
            switch self {
            case .exponential: Foundation.exp(x)
            case .sigmoid: x < 0 ? Foundation.exp(x) / (1 + Foundation.exp(x)) : 1 / (1 + Foundation.exp(-x))
            case .tanh: Foundation.tanh(x)
            }
        }

        #if arch(x86_64)
        func exact(_ x: Float80) -> Float80 {
            switch self {
            case .exponential: Foundation.exp(x)
            case .sigmoid: x < 0 ? Foundation.exp(x) / (1 + Foundation.exp(x)) : 1 / (1 + Foundation.exp(-x))
            case .tanh: Foundation.tanh(x)
            }
        }
        #endif
    }

    /// The kernel's values of a block of numbers.
    private func values<S: Scalar>(_ function: Function, _ level: KernelLevel, _ x: [S]) -> [S] {
        var y = [S](repeating: 0, count: x.count)
        function.kernel(S.bindings.kernels[level.index])(x.count, x, &y)
        return y
    }

    /// The distance of a value from the exact one, in units in the last place of the exact one rounded. Infinite where
    /// one is NaN and the other is not, or where an infinity differs.
    private func error<S: Scalar, Wide: BinaryFloatingPoint>(_ value: S, _ exact: Wide) -> Double {
        if value.isNaN || exact.isNaN { return value.isNaN && exact.isNaN ? 0 : .infinity }
        let rounded = S(exact)
        if value == rounded { return value.sign == rounded.sign ? 0 : .infinity }
        if value.isInfinite || rounded.isInfinite {
            // One of the two has just overflowed: the distance to the largest number counts.
            let limit = Wide(S.greatestFiniteMagnitude), ulp = Wide(S.greatestFiniteMagnitude.ulp)
            return Double(abs(min(Wide(value.magnitude), limit + ulp) - min(exact.magnitude, limit + ulp)) / ulp)
        }
        return Double(abs(Wide(value) - exact) / Wide(rounded.ulp))
    }

    // MARK: Float

    static let isExhaustive = ProcessInfo.processInfo.environment["SLUICE_EXHAUSTIVE"] != nil

    @Test(arguments: Function.allCases)
    func floats(_ function: Function) {
        let step: UInt64 = Self.isExhaustive ? 1 : 4099
        let levels = KernelLevel.available
        var worst = [(error: Double, at: Float)](repeating: (0, 0), count: levels.count)
        var next: UInt64 = 0
        while next <= UInt64(UInt32.max) {
            var x: [Float] = []
            x.reserveCapacity(1 << 16)
            while x.count < 1 << 16 && next <= UInt64(UInt32.max) {
                x.append(Float(bitPattern: UInt32(next)))
                next += step
            }
            let exact = x.map { function.exact(Double($0)) }
            for (index, level) in levels.enumerated() {
                let y = values(function, level, x)
                for i in x.indices {
                    let error = error(y[i], exact[i])
                    if error > worst[index].error { worst[index] = (error, x[i]) }
                }
            }
        }
        for (level, worst) in zip(levels, worst) {
            #expect(worst.error <= function.bound, "\(level) at \(worst.at)")
            if Self.isExhaustive { print("float \(function) \(level): at most \(worst.error) ulp, at \(worst.at)") }
        }
    }

    // MARK: Double

    #if arch(x86_64)
    @Test(arguments: Function.allCases, KernelLevel.available)
    func doubles(_ function: Function, _ level: KernelLevel) {
        var random = Random(seed: 21)
        var x: [Double] = [
            0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
            .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
        ]
        // Both sides of every place where a branch of the definition changes.
        for place in [
            709.78, 709.7827128933841, -745.13, -708.39, -746, 22, 19.06, 0.5 * Foundation.log(2), 1e-300, 37, 1,
        ] {
            for sign in [1.0, -1.0] {
                var value = sign * place
                for _ in 0..<50 { value = value.nextDown }
                for _ in 0..<100 {
                    x.append(value)
                    value = value.nextUp
                }
            }
        }
        let count = Self.isExhaustive ? 20_000_000 : 60_000
        for _ in 0..<count {
            x.append(Double(bitPattern: random.next())) // any bits: every magnitude, NaN too
            x.append(1500 * random.uniform() - 750) // the whole range of exp
            x.append(40 * random.uniform() - 20) // where gates live
            x.append((random.uniform() - 0.5) * 2)
        }
        let y = values(function, level, x)
        var worst = (error: 0.0, at: 0.0)
        for i in x.indices {
            let error = error(y[i], function.exact(Float80(x[i])))
            if error > worst.error { worst = (error, x[i]) }
        }
        #expect(worst.error <= function.bound, "at \(worst.at)")
        if Self.isExhaustive { print("double \(function) \(level): at most \(worst.error) ulp, at \(worst.at)") }
    }
    #endif

    /// Tails: every length up to a few vectors, so that each remainder loop runs.
    @Test(arguments: KernelLevel.available)
    func everyLengthGivesTheSameValues(_ level: KernelLevel) {
        func check<S: Scalar>(_: S.Type) {
            let x = (0..<70).map { S($0 - 35) / 4 }
            for function in Function.allCases {
                let whole = values(function, level, x)
                for count in 0...70 {
                    let part = values(function, level, Array(x[..<count]))
                    // The vector and the remainder loop may contract differently: one unit.
                    #expect(zip(part, whole).allSatisfy { abs($0 - $1) <= $1.ulp }, "\(function) \(count)")
                }
            }
        }
        check(Float.self)
        check(Double.self)
    }
}
