/// A bar beneath the lines printed so far, on a terminal: erased before each line and drawn again after it.
struct ProgressBar {
    private let total: Int
    private let start: ContinuousClock.Instant
    private var next: ContinuousClock.Instant

    /// A redraw is seen as motion from some ten a second; more only costs time.
    private static let interval = Duration.milliseconds(100)
    private static let erase = "\r\u{1B}[2K"

    init(total: Int) {
        self.total = total
        start = .now
        next = start
    }

    /// Shows how far the work is, if the last drawing is old enough.
    mutating func update(done: Int) {
        let now = ContinuousClock.now
        if now >= next { draw(done, at: now, above: "") }
    }

    /// Prints a line above the bar.
    mutating func print(_ line: String, done: Int) { draw(done, at: .now, above: line + "\n") }

    /// Leaves the line empty, the cursor at its start.
    func clear() { Console.out(Self.erase) }

    private mutating func draw(_ done: Int, at now: ContinuousClock.Instant, above: String) {
        next = now + Self.interval
        let bar = Self.text(done: done, total: total, seconds: (now - start).inSeconds, width: Console.columns - 1)
        Console.out(Self.erase + above + bar)
    }

    /// The bar in at most `width` columns, with less text where it is narrow:
    ///
    ///     ━━━━━━──────  52 %  2600/5000  0.3 s left
    static func text(done: Int, total: Int, seconds: Double, width: Int) -> String {
        let percent = "\(done * 100 / total) %"
        let count = "\(done)/\(total)"
        let rest = seconds / Double(max(done, 1)) * Double(total - done)
        let left = done == 0 ? "" : "  \(rest < 10 ? "\(fixed(rest, 1)) s" : duration(seconds: rest)) left"
        let labels = ["  \(percent)  \(count)\(left)", "  \(percent)  \(count)", "  \(percent)"]
        for label in labels {
            let room = min(width - label.count, 40)
            guard room >= 8 else { continue }
            let full = room * done / total
            return String(repeating: "━", count: full) + String(repeating: "─", count: room - full) + label
        }
        return percent.count <= width ? percent : ""
    }
}
