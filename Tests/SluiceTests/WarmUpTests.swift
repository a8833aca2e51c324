import Testing

@testable import Sluice

/// A climb to the first rate of whatever comes after it.
@Suite struct WarmUpTests {
    struct Golden: Sendable, CustomStringConvertible {
        let next: Schedule
        let rates: [Double]
        var description: String { "\(next)" }

        init(_ next: Schedule, _ rates: [Double]) {
            self.next = next
            self.rates = rates
        }
    }

    /// PyTorch 2.15, with the other schedule made first and lr 0.3:
    /// `SequentialLR(o, [LinearLR(o, start_factor=0.1, total_iters=5), next(o)], milestones=[5])`.
    static let golden: [Golden] = [
        Golden(
            .step(every: 3),
            [
                0.03, 0.08399999999999999, 0.13799999999999998, 0.19199999999999998, 0.24599999999999997, 0.3, 0.3, 0.3,
                0.03, 0.03, 0.03, 0.003, 0.003, 0.003, 0.00030000000000000003, 0.00030000000000000003,
                0.00030000000000000003, 3.0000000000000004e-05, 3.0000000000000004e-05, 3.0000000000000004e-05,
            ]),
        Golden(
            .exponential(factor: 0.9),
            [
                0.03, 0.08399999999999999, 0.13799999999999998, 0.19199999999999998, 0.24599999999999997, 0.3, 0.27,
                0.24300000000000002, 0.21870000000000003, 0.19683000000000003, 0.17714700000000003, 0.15943230000000003,
                0.14348907000000002, 0.12914016300000003, 0.11622614670000003, 0.10460353203000003, 0.09414317882700003,
                0.08472886094430003, 0.07625597484987003, 0.06863037736488302,
            ]),
        Golden(
            .cosine(updates: 20, minimum: 0.01),
            [
                0.03, 0.08399999999999999, 0.13799999999999998, 0.19199999999999998, 0.24599999999999997, 0.3,
                0.29821480938629497, 0.29290319486279726, 0.2841959460073133, 0.27230746418436735, 0.25753048327204936,
                0.24022886158240858, 0.22082862246223425, 0.19980746418436737, 0.1776829974308335, 0.155,
                0.13231700256916656, 0.11019253581563264, 0.08917137753776572, 0.06977113841759142, 0.05246951672795062,
                0.03769253581563264, 0.02580405399268667, 0.017096805137202735,
            ]),
        Golden(
            .oneCycle(updates: 20),
            [
                0.0012000000000000001, 0.00336, 0.00552, 0.007679999999999999, 0.00984, 0.01200000000000001,
                0.039501552810007556, 0.11150155281000756, 0.2004984471899924, 0.2724984471899924, 0.3,
                0.2962392018705262, 0.2851453896040421, 0.267274853271315, 0.24352369618492894, 0.21508290053739026,
                0.18337860658088678, 0.1500006, 0.11662259341911323, 0.08491829946260977, 0.05647750381507109,
                0.03272634672868501, 0.014855810395957887, 0.0037619981294737662,
            ]),
        Golden(
            .constant,
            [
                0.03, 0.08399999999999999, 0.13799999999999998, 0.19199999999999998, 0.24599999999999997, 0.3, 0.3, 0.3,
                0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3,
            ]),
    ]

    @Test(arguments: golden) func agreesWithPyTorch(_ golden: Golden) {
        let schedule = Schedule.warmUp(updates: 5, start: 0.1, then: golden.next)
        for (update, expected) in golden.rates.enumerated() {
            // PyTorch multiplies its way up and down: some roundings an update.
            #expect(abs(schedule.learningRate(0.3, afterUpdates: update) - expected) < 1e-13 * 0.3, "update \(update)")
        }
    }

    @Test func climbsToTheFirstRateOfACycle() {
        let schedule = Schedule.warmUp(updates: 2, start: 0.5, then: .oneCycle(updates: 10))
        let rates = (0..<4).map { schedule.learningRate(1, afterUpdates: $0) }
        for (rate, expected) in zip(rates, [0.02, 0.03, 0.04, 0.52]) { #expect(abs(rate - expected) < 1e-15) }
    }

    /// PyTorch has no schedule of this kind.
    @Test func climbsToTheFirstRateOfAnotherWarmUp() {
        let inner = Schedule.warmUp(updates: 4, start: 0.25, then: .exponential(factor: 0.5))
        let schedule = Schedule.warmUp(updates: 2, start: 0.5, then: inner)
        let rates = (0..<8).map { schedule.learningRate(0.8, afterUpdates: $0) }
        let expected = [0.1, 0.15, 0.2, 0.35, 0.5, 0.65, 0.8, 0.4]
        for (rate, expected) in zip(rates, expected) { #expect(abs(rate - expected) < 1e-15) }
    }

    /// A rate that was reduced on the way is the one that is climbed to.
    @Test func climbsToAReducedRate() {
        let schedule = Schedule.warmUp(updates: 4, start: 0.5, then: .reduceOnPlateau(factor: 0.5, patience: 0))
        var plateau = Plateau()
        for loss in [1.0, 1.0] { plateau.report(loss, schedule, base: 0.8) }
        let rates = (0..<6).map { schedule.learningRate(0.8, afterUpdates: $0, plateau: plateau) }
        for (rate, expected) in zip(rates, [0.2, 0.25, 0.3, 0.35, 0.4, 0.4]) { #expect(abs(rate - expected) < 1e-15) }
    }
}
