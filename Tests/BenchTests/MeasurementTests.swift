import Testing

@testable import bench

@Suite struct MeasurementTests {
    /// The passes of a kernel, its functions and its transport are compared only if they are measured beside each other.
    @Test func passesTakeTurns() {
        var calls: [Int] = []
        let plan = Plan(rounds: 3...3, sideSeconds: 1, longestNaivePass: 0)
        let timings = Side.timings([{ calls.append(0) }, { calls.append(1) }], plan)
        #expect(timings.count == 2 && timings.allSatisfy { $0.samples == 3 && $0.min > 0 && $0.min <= $0.median })
        var turns: [Int] = []
        for call in calls where call != turns.last { turns.append(call) }
        #expect(turns.suffix(6) == [0, 1, 0, 1, 0, 1])
    }
}
