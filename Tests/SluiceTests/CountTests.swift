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
}
