import Testing
import TestSupport

@testable import Sluice

/// Layer normalisation, at every level, of rows of any size: against the same in a wider scalar.
@Suite struct NormalizationTests {
    /// What a row is multiplied by: tiny, ordinary, beyond where squares overflow, and beyond where sums do.
    static let floatScales: [Double] = [1e-38, 1e-20, 1, 1e15, 1e18, 3e18, 1e19, 3e19, 1e25, 1e37, 1.5e38]
    static let doubleScales: [Double] = [1e-308, 1e-200, 1, 1e150, 1e153, 1e154, 1e155, 1e200, 1e307]
    static let columns = [2, 3, 8, 16, 17, 31, 33, 64, 130]

    struct Engines<S: Scalar>: Sendable {
        static var all: [(name: String, engine: Engine<S>)] {
            Backend.available.flatMap { backend in
                (backend == .reference ? [.best] : KernelLevel.available).map {
                    ("\(S.self) \(backend) \($0)", Engine<S>(backend: backend, level: $0))
                }
            }
        }
    }

    // MARK: Values

    @Test(arguments: floatScales, columns)
    func floatsAgreeWithDouble(_ scale: Double, _ columns: Int) {
        expectAgreement(Float.self, Double.self, scale, columns)
    }

    #if arch(x86_64)
    @Test(arguments: doubleScales, columns)
    func doublesAgreeWithFloat80(_ scale: Double, _ columns: Int) {
        expectAgreement(Double.self, Float80.self, scale, columns)
    }
    #endif

    /// Bound: a mean and a variance of n numbers are off by at most n units each, and dividing by the deviation enlarges that by
    /// the largest normalised value, at most sqrt(n); a reciprocal below the normal range has lost two bits more.
    private func expectAgreement<S: Scalar, Wide: BinaryFloatingPoint>(
        _: S.Type, _: Wide.Type, _ scale: Double, _ columns: Int
    ) {
        var random = Random(seed: 5)
        let rows = 3
        let x = Matrix<S>(
            rows: rows, columns: columns, (0..<rows * columns).map { _ in S(scale) * S(2 * random.uniform() - 1) })
        let gain = Matrix<S>.random(rows: 1, columns: columns, using: &random)
        let dy = Matrix<S>.random(rows: rows, columns: columns, using: &random)
        let bound = S(8 * columns) * S(columns).squareRoot() * S.ulpOfOne
        for (name, engine) in Engines<S>.all {
            let result = Normalized(x, gain: gain, dy: dy, engine)
            for row in 0..<rows {
                let exact = ExactRow<Wide>(
                    (0..<columns).map { Wide(x[row, $0]) }, gain: (0..<columns).map { Wide(gain[0, $0]) },
                    dy: (0..<columns).map { Wide(dy[row, $0]) })
                let size = Wide(bound) * exact.normalized.map(\.magnitude).max()!
                for j in 0..<columns {
                    #expect(abs(Wide(result.normalized[row, j]) - exact.normalized[j]) <= size, "\(name)")
                    #expect(
                        Wide(result.values[row, j])
                            .isWithin(size * max(1, Wide(gain[0, j].magnitude)), of: exact.values[j]), "\(name)")
                }
                #expect(
                    Wide(result.scale[row, 0]).isWithin(Wide(bound) * exact.scale, of: exact.scale), "\(name)")
                let gradientSize = 4 * Wide(bound) * exact.gradient.map(\.magnitude).max()! + exact.scale * Wide(bound)
                for j in 0..<columns {
                    #expect(
                        Wide(result.gradient[row, j]).isWithin(gradientSize, of: exact.gradient[j]), "\(name)")
                }
            }
        }
    }

    // MARK: What is not a number

    /// One NaN or infinity makes its row NaN, and no other row.
    @Test(arguments: [2, 17, 33], [Double.nan, .infinity, -.infinity])
    func aNonFiniteValueMakesItsRowNaN(_ columns: Int, _ value: Double) {
        check(Float.self)
        check(Double.self)

        func check<S: Scalar>(_: S.Type) {
            var random = Random(seed: 6)
            var x = Matrix<S>.random(rows: 3, columns: columns, using: &random)
            for j in 0..<columns { x[2, j] *= S.greatestFiniteMagnitude / 8 }
            let ones = Matrix<S>(rows: 1, columns: columns, Array(repeating: 1, count: columns))
            for place in [0, columns / 2, columns - 1] {
                for row in [1, 2] {
                    var given = x
                    given[row, place] = S(value)
                    for (name, engine) in Engines<S>.all {
                        let result = Normalized(given, gain: ones, dy: given, engine)
                        for j in 0..<columns {
                            #expect(result.values[row, j].isNaN && result.gradient[row, j].isNaN, "\(name)")
                            #expect(result.values[0, j].isFinite && result.gradient[0, j].isFinite, "\(name)")
                        }
                    }
                }
            }
        }
    }

    /// Equal numbers have no deviation: they become 0, as small ones do, and not NaN.
    @Test func equalNumbersOfAnySizeBecomeZero() {
        check(Float.self, [1, 0x1p80, -0x1p126])
        check(Double.self, [1, 0x1p600, -0x1p1022])

        func check<S: Scalar>(_: S.Type, _ values: [S]) {
            for value in values {
                let x = Matrix<S>(rows: 1, columns: 16, Array(repeating: value, count: 16))
                let ones = Matrix<S>(rows: 1, columns: 16, Array(repeating: 1, count: 16))
                for (name, engine) in Engines<S>.all {
                    let result = Normalized(x, gain: ones, dy: ones, engine)
                    #expect(result.values.elements.allSatisfy { $0 == 0 }, "\(name) \(value)")
                    #expect(abs(result.scale[0, 0] - 316.2278) < 0.001, "\(name) \(value)")
                }
            }
        }
    }

    /// A whole network: inputs of any size give what they give in Double.
    @Test(arguments: [Cell.gru(.layerNormalized), .lstm(.layerNormalized)])
    func aNetworkTakesLargeInputs(_ cell: Cell) {
        var random = Random(seed: 7)
        let configuration = Configuration(cell: cell, inputSize: 3, hiddenSize: 9)
        let network = Network<Float>(configuration, .pyTorch, using: &random)
        var wide = Network<Double>(configuration, .pyTorch, using: &random)
        wide.parameters.values = network.parameters.values.cast(to: Double.self)
        let packing = Packing(lengths: [3, 1])
        let x = Matrix<Float>.random(rows: packing.rowCount, columns: 3, scale: 1e30, using: &random)
        let (outputs, _) = network.forward(x, packing)
        let (expected, _) = wide.forward(x.cast(to: Double.self), packing)
        #expect(relativeDifference(outputs.cast(to: Double.self), expected) < 1e-5)
        #expect(expected.elements.contains { abs($0) > 0.1 })
    }
}

/// A matrix normalised row by row, and the way back.
private struct Normalized<S: Scalar> {
    var values: Matrix<S>
    var normalized: Matrix<S>
    var scale: Matrix<S>
    var gradient: Matrix<S>

    init(_ x: Matrix<S>, gain: Matrix<S>, dy: Matrix<S>, _ engine: Engine<S>) {
        values = x
        normalized = Matrix(rows: x.rows, columns: x.columns)
        scale = Matrix(rows: x.rows, columns: 1)
        gradient = Matrix(rows: x.rows, columns: x.columns)
        var dgain = Matrix<S>(rows: 1, columns: x.columns)
        engine.normalize(
            values.mutableView(), gain: gain.view, normalized: normalized.mutableView(), scale: scale.mutableView())
        engine.normalizeBackward(
            dy.view, normalized: normalized.view, scale: scale.view, gain: gain.view, into: gradient.mutableView(),
            dgain: dgain.mutableView())
        withExtendedLifetime((gain, dy, dgain)) {}
    }
}

/// The same of one row by the formulas as they stand, in a scalar with the room for it.
private struct ExactRow<Wide: BinaryFloatingPoint> {
    var values: [Wide]
    var normalized: [Wide]
    var scale: Wide
    var gradient: [Wide]

    init(_ x: [Wide], gain: [Wide], dy: [Wide]) {
        let n = Wide(x.count)
        let mean = x.reduce(0, +) / n
        let variance = x.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / n
        let scale = 1 / (variance + 1e-5).squareRoot()
        let normalized = x.map { ($0 - mean) * scale }
        let d = zip(gain, dy).map { $0 * $1 }
        let meanOfD = d.reduce(0, +) / n, slope = zip(d, normalized).map { $0 * $1 }.reduce(0, +) / n
        self.scale = scale
        self.normalized = normalized
        values = zip(gain, normalized).map { $0 * $1 }
        gradient = zip(d, normalized).map { scale * ($0 - meanOfD - $1 * slope) }
    }
}

extension BinaryFloatingPoint {
    fileprivate func isWithin(_ distance: Self, of other: Self) -> Bool { (self - other).magnitude <= distance }
}
