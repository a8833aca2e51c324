import Sluice

/// One product and its time.
struct GemmRow: Encodable {
    let scalar: ScalarType
    /// h [sequences, hidden] x U [hidden, columns].
    let sequences: Int
    let hidden: Int
    let columns: Int
    /// Of a panel; nil: the whole matrix.
    let width: Int?
    let rowBlock: Int?
    /// Whether the library multiplies this product so.
    let isRule: Bool
    let timing: Timing
    /// At the shortest time.
    let gflops: Double
    /// Of the fastest product in this scalar.
    var shareOfPeak: Double?
    /// The largest difference from the whole product, and how large it may be.
    let difference: Double?
    let bound: Double?

    /// False for NaN.
    var isWithinBound: Bool { difference.map { $0 <= bound ?? 0 } ?? true }
    var cutName: String { width.map { "\($0) x \(rowBlock ?? 0)" } ?? "whole" }
    var name: String { "\(scalar.rawValue), \(sequences) x \(hidden) x \(columns), \(cutName)" }
    /// A product measured for the peak only.
    var isYardstick: Bool { columns != 3 * hidden }
}

/// The products with one U [H, 3H] and, for the peak, some small ones: all take turns.
struct GemmLine<S: Scalar> {
    private typealias Cut = PanelTrial<S>.Cut

    /// A product that takes turns.
    private struct Entry {
        let sequences: Int
        let hidden: Int
        let columns: Int
        let cut: Cut?
        let isRule: Bool
        let difference: Double?
        var side: Side
    }

    private let hidden: Int
    private let sequences: [Int]
    private let all: Bool

    init(hidden: Int, sequences: [Int], all: Bool) {
        self.hidden = hidden
        self.sequences = sequences
        self.all = all
    }

    func measure(_ plan: Plan) -> [GemmRow] {
        var entries = entries(plan)
        for index in entries.indices { entries[index].side.begin() }
        for index in entries.indices { entries[index].side.settle(plan) }
        for _ in 0..<plan.rounds.upperBound {
            for index in entries.indices { entries[index].side.takeTurn(plan) }
        }
        return entries.map(row)
    }

    /// Whole product and panels of the same sequences side by side.
    private func entries(_ plan: Plan) -> [Entry] {
        func entry(_ trial: PanelTrial<S>, _ shape: (Int, Int, Int), _ cut: Cut?, _ whole: [S]?) -> (Entry, [S]) {
            let product = trial.product(sequences: shape.0, cut: cut)
            product.compute()
            let elements = product.elements
            let entry = Entry(
                sequences: shape.0, hidden: shape.1, columns: shape.2, cut: cut,
                isRule: trial.isCut ? cut == trial.ruled : cut == nil,
                difference: whole.map { largestDifference(elements, $0) },
                side: Side({ product.compute() }, leastTurns: plan.rounds.lowerBound))
            return (entry, elements)
        }
        let trial = PanelTrial<S>(rows: hidden, columns: 3 * hidden)
        var entries: [Entry] = []
        for sequences in sequences {
            let shape = (sequences, hidden, 3 * hidden)
            let (whole, elements) = entry(trial, shape, nil, nil)
            entries.append(whole)
            for cut in cuts(trial, sequences) { entries.append(entry(trial, shape, cut, elements).0) }
        }
        for (rows, inner, columns) in [(32, 64, 64), (32, 128, 32), (32, 128, 64), (64, 64, 64)] {
            let trial = PanelTrial<S>(rows: inner, columns: columns)
            entries.append(entry(trial, (rows, inner, columns), nil, nil).0)
        }
        return entries
    }

    /// The rule's cut first. Of the others only those that differ: a block of more rows than there are is one of all rows.
    private func cuts(_ trial: PanelTrial<S>, _ sequences: Int) -> [Cut] {
        guard all else { return [trial.ruled] }
        let blocks = [8, 16, 32, 64]
        let others = [16, 32, 48, 64, 96].filter { $0 <= 3 * hidden }.flatMap { width in
            blocks.filter { $0 == blocks[0] || $0 / 2 < sequences }.map { Cut(width: width, rowBlock: $0) }
        }
        return [trial.ruled] + others.filter { $0 != trial.ruled }
    }

    private func row(_ entry: Entry) -> GemmRow {
        let flops = 2 * Double(entry.sequences * entry.hidden * entry.columns), timing = entry.side.timing
        return GemmRow(
            scalar: S.type, sequences: entry.sequences, hidden: entry.hidden, columns: entry.columns,
            width: entry.cut?.width, rowBlock: entry.cut?.rowBlock, isRule: entry.isRule, timing: timing,
            gflops: flops / timing.min / 1e9, difference: entry.difference,
            // Sums of H terms, each within 1 / sqrt(H), added in another order: see Job.bound.
            bound: entry.difference.map { _ in 2 * Double(hidden) * Double(S.ulpOfOne) })
    }

    /// NaN if there is one.
    private func largestDifference(_ a: [S], _ b: [S]) -> Double {
        var largest = 0.0
        for (a, b) in zip(a, b) {
            let distance = abs(Double(a) - Double(b))
            if !(distance <= largest) && !largest.isNaN { largest = distance }
        }
        return largest
    }
}
