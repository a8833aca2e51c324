/// GFLOP/s for people: a line for each way to cut the product, a column for each number of sequences.
struct GemmTable {
    let sequences: [Int]

    var header: String { line("H", "n x m", sequences.map { "B=\($0)" }) }

    /// The lines of one H.
    func lines(_ rows: [GemmRow]) -> [String] {
        let rows = rows.filter { !$0.isYardstick }
        var names: [String] = []
        for row in rows where !names.contains(row.cutName) { names.append(row.cutName) }
        return names.enumerated().map { index, name in
            let named = rows.filter { $0.cutName == name }
            let cells = sequences.map { count in
                named.first { $0.sequences == count }.map {
                    Text.significant($0.gflops, $0.gflops < 10 ? 2 : 3) + ($0.isWithinBound ? "" : "!")
                } ?? ""
            }
            return line(index == 0 ? "\(named[0].hidden)" : "", name + (named[0].isRule ? " *" : "  "), cells)
        }
    }

    private func line(_ hidden: String, _ cut: String, _ cells: [String]) -> String {
        Text.row([hidden, cut] + cells, [5, -10] + cells.map { _ in 6 })
    }

    /// The peak, and how much of it products of some size reach.
    static func summary(_ rows: [GemmRow]) -> [String] {
        guard let peak = rows.max(by: { $0.gflops < $1.gflops }) else { return [] }
        let large = rows.filter { !$0.isYardstick && $0.sequences >= 4 && $0.hidden >= 64 }
        let rule = large.filter(\.isRule), whole = large.filter { $0.width == nil }
        let size = "\(peak.sequences) x \(peak.hidden) x \(peak.columns)"
        let text = "peak \(Text.significant(peak.gflops, 3)) GFLOP/s (\(size), \(peak.cutName))"
        guard !large.isEmpty else { return [text] }
        return ["\(text); of it, from B = 4 and H = 64 up: whole \(range(whole)), by the rule \(range(rule))"]
    }

    private static func range(_ rows: [GemmRow]) -> String {
        let shares = rows.compactMap(\.shareOfPeak).sorted()
        guard let least = shares.first, let most = shares.last else { return "-" }
        return "\(Text.significant(100 * least, 2)) to \(Text.significant(100 * most, 2)) % "
            + "(median \(Text.significant(100 * shares[shares.count / 2], 2)) %)"
    }
}
