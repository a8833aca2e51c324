import Testing
import TestSupport

@testable import Sluice

/// What is counted stays exact where a Float would round it, from 2^24 on.
@Suite struct CountTests {
    @Test func totalsCountRowByRow() {
        var totals = Totals(loss: 1, normalizer: 0x1p24)
        totals.add(Totals(loss: 1, normalizer: 1))
        #expect(totals.normalizer == 0x1p24 + 1)
    }

    /// The sums of workers, in the scalar of their parameters, hold every row that one of them counted.
    @Test(arguments: [3, 256]) func workersAddTheirCountsExactly(_ workers: Int) {
        check(Float.self)
        check(Double.self)

        func check<S: Scalar>(_: S.Type) {
            var sums = Matrix<S>(rows: 1, columns: Totals.numberCount), numbers = sums
            var expected = 0.0
            for worker in 0..<workers {
                let count = 0x1p39 - Double(1 + 977 * worker)
                expected += count
                Totals(loss: -count / 4, normalizer: count).write(to: numbers.mutableView())
                sums.mutableView().add(numbers.view)
            }
            var totals = Totals()
            totals.read(from: sums.view)
            #expect(totals.normalizer == expected && totals.lossSum == -expected / 4, "\(S.self)")
            withExtendedLifetime((sums, numbers)) {}
        }
    }

    /// Not finite for one is not finite for all, and NaN only where it is.
    @Test(arguments: [Double.infinity, -.infinity, .nan]) func totalsThatAreNotFiniteAreHandedOn(_ value: Double) {
        var numbers = Matrix<Float>(rows: 1, columns: Totals.numberCount)
        Totals(loss: value, normalizer: 3).write(to: numbers.mutableView())
        var totals = Totals()
        totals.read(from: numbers.view)
        #expect(value.isNaN ? totals.lossSum.isNaN : totals.lossSum == value)
        #expect(totals.normalizer == 3)
        withExtendedLifetime(numbers) {}
    }

    // MARK: Classes

    /// A class that a scalar would round to another is refused, in words.
    @Test func classesThatFloatDoesNotTellApartAreRefused() throws {
        let count = 1 << 24 + 1, target = Matrix<Float>(rows: 1, columns: 1, [3])
        let message = "16777217 classes as numbers of Float, which tells 16777216 apart"
        #expect(throws: InvalidValue.self) {
            try Loss.crossEntropy().validate(target, outputRows: 1, columns: count)
        }
        #expect(Loss.crossEntropy().problem(of: target, rows: 1, columns: count)?.hasPrefix(message) == true)
        #expect(Metric<Float>.accuracy().problem(of: target, rows: 1, columns: count)?.hasPrefix(message) == true)
        try Loss.crossEntropy().validate(target, outputRows: 1, columns: count - 1)
        try Loss.crossEntropy().validate(target.cast(to: Double.self), outputRows: 1, columns: count)
    }

    @Test func anIgnoredClassThatFloatRoundsIsRefused() throws {
        let target = Matrix<Float>(rows: 1, columns: 1, [3]), ignored = 1 << 24 + 1
        let message = "an ignoredClass of 16777217, which Float rounds to 16777216.0"
        let loss = Loss.crossEntropy(ignoredClass: ignored), metric = Metric<Float>.accuracy(ignoredClass: ignored)
        #expect(loss.problem(of: target, rows: 1, columns: 5)?.hasPrefix(message) == true)
        #expect(metric.problem(of: target, rows: 1, columns: 5)?.hasPrefix(message) == true)
        try loss.validate(target.cast(to: Double.self), outputRows: 1, columns: 5)
    }
}
