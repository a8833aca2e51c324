/// How much to measure.
struct Plan {
    /// The turns of a side: at most, and (for naive Swift: 1) at least.
    let rounds: ClosedRange<Int>
    /// A sample repeats its pass until it lasts this long.
    let sampleSeconds = 0.02
    /// A side that has had its least turns has no other once they add up to this.
    let sideSeconds: Double
    /// Naive Swift is left out where one pass would take longer.
    let longestNaivePass: Double

    static let quick = Plan(rounds: 3...5, sideSeconds: 0.2, longestNaivePass: 2)
    static let standard = Plan(rounds: 3...15, sideSeconds: 1, longestNaivePass: 40)
    static let full = Plan(rounds: 3...15, sideSeconds: 1, longestNaivePass: .infinity)
}

/// Seconds of one pass, over all samples.
struct Timing: Encodable {
    let min: Double
    let median: Double
    let samples: Int
    let passesPerSample: Int
}

/// One of the sides that take turns.
struct Side {
    /// Measures passes in turns.
    static func timings(_ passes: [() -> Void], _ plan: Plan) -> [Timing] {
        var sides = passes.map { Side($0, leastTurns: plan.rounds.lowerBound) }
        for index in sides.indices { sides[index].begin() }
        for index in sides.indices { sides[index].settle(plan) }
        for _ in 0..<plan.rounds.upperBound { for index in sides.indices { sides[index].takeTurn(plan) } }
        return sides.map(\.timing)
    }

    /// The turns it takes however long they are.
    let leastTurns: Int
    private let pass: () -> Void
    /// Passes in one sample.
    private var repetitions = 1
    /// Seconds of one pass, one entry a sample.
    private var samples: [Double] = []
    /// Seconds of the first pass.
    private var first = 0.0

    init(_ pass: @escaping () -> Void, leastTurns: Int) {
        self.pass = pass
        self.leastTurns = leastTurns
    }

    /// The first pass.
    mutating func begin() { first = seconds(of: 1) }

    /// Finds how many passes a sample needs. A pass of a second needs no warming up: where one sample will do, the first
    /// pass is that sample.
    mutating func settle(_ plan: Plan) {
        guard first < 1 else {
            if leastTurns == 1 { samples.append(first) }
            return
        }
        while true {
            let elapsed = seconds(of: repetitions)
            if elapsed >= plan.sampleSeconds { return }
            let wanted = 1.2 * plan.sampleSeconds / max(elapsed, 1e-9) * Double(repetitions)
            repetitions = max(Int(wanted.rounded(.up)), repetitions + 1)
        }
    }

    /// A turn, if the plan has one left for this side.
    mutating func takeTurn(_ plan: Plan) {
        let spent = samples.reduce(0, +) * Double(repetitions)
        guard samples.count < leastTurns || spent < plan.sideSeconds else { return }
        samples.append(seconds(of: repetitions) / Double(repetitions))
    }

    var timing: Timing {
        let sorted = samples.sorted()
        let middle = sorted.count / 2
        let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        return Timing(min: sorted[0], median: median, samples: sorted.count, passesPerSample: repetitions)
    }

    private func seconds(of passes: Int) -> Double {
        ContinuousClock().measure { for _ in 0..<passes { pass() } } / .seconds(1)
    }
}
