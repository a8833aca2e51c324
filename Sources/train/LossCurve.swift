/// One curve of a ``LossChart``.
struct LossCurve {
    let name: String
    let color: String
    /// The last point, and its loss.
    let end: (x: Double, y: Double, loss: Double)?
    /// Runs of points without a gap.
    private let runs: [[(x: Double, y: Double)]]

    /// The most points that a curve is drawn with; more cannot be seen.
    static let limit = 600

    /// - Parameter losses: epoch - 1 -> loss.
    init(_ name: String, _ color: String, _ losses: [Double], _ x: EpochAxis, _ y: LossAxis) {
        func point(_ index: Int) -> (x: Double, y: Double) {
            (x.position(Double(index + 1)), y.position(losses[index]))
        }
        self.name = name
        self.color = color
        runs = Self.thinned(losses).map { $0.map(point) }
        end = losses.indices.last { LossAxis.isShown(losses[$0]) }.map { index in
            (point(index).x, point(index).y, losses[index])
        }
    }

    var svg: String {
        runs.map { SVG.path($0, color: color, width: isRestless ? 1 : 2) }.joined(separator: "\n")
    }

    /// Whether the curve goes up and down so much that a full line would cover all beneath it.
    private var isRestless: Bool {
        let travel = runs.reduce(0) { sum, run in
            sum + zip(run, run.dropFirst()).reduce(0) { $0 + abs($1.1.y - $1.0.y) }
        }
        return travel > 4 * (LossChart.bottom - LossChart.top)
    }

    /// The indices of a curve's points, in runs without a gap.
    ///
    /// A long curve is cut into equal pieces, and of each only the lowest and the highest loss are kept, so that a thinned
    /// curve still shows every spike. A piece without a loss that can be shown is a gap.
    static func thinned(_ losses: [Double]) -> [[Int]] {
        let pieces = losses.count <= limit ? losses.count : limit / 2
        var runs: [[Int]] = []
        var run: [Int] = []
        for piece in 0..<pieces {
            let range = losses.count * piece / pieces..<losses.count * (piece + 1) / pieces
            let shown = range.filter { LossAxis.isShown(losses[$0]) }
            guard let low = shown.min(by: { losses[$0] < losses[$1] }),
                let high = shown.max(by: { losses[$0] < losses[$1] })
            else {
                if !run.isEmpty { runs.append(run) }
                run = []
                continue
            }
            run.append(min(low, high))
            if low != high { run.append(max(low, high)) }
        }
        if !run.isEmpty { runs.append(run) }
        return runs
    }
}
