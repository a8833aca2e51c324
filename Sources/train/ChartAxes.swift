#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The horizontal axis of a ``LossChart``: epochs, from 0.
struct EpochAxis {
    let last: Int
    /// Round numbers, at most 7.
    let ticks: [Int]

    init(last: Int) {
        self.last = max(last, 1)
        var step = 1
        // 1, 2, 5, 10, 20, 50...
        while self.last / step > 6 { step = "\(step)".hasPrefix("2") ? step / 2 * 5 : step * 2 }
        ticks = Array(stride(from: 0, through: self.last, by: step))
    }

    func position(_ epoch: Double) -> Double {
        LossChart.left + (LossChart.right - LossChart.left) * epoch / Double(last)
    }
}

/// The vertical axis of a ``LossChart``: the logarithm of the loss.
struct LossAxis {
    /// The decimal logarithms of the ends.
    let lower: Double
    let upper: Double
    /// Labelled ticks: powers of ten; 1, 2 and 5 times those where the axis spans less than two of them.
    let ticks: [(exponent: Double, label: String)]
    /// The other multiples of the powers of ten, as decimal logarithms; none where they would be too dense.
    let minorTicks: [Double]

    /// An axis for the given losses, those that cannot be shown left aside.
    init(_ losses: [Double]) {
        let shown = losses.filter(Self.isShown)
        let least = log10(shown.min() ?? 0.1), most = log10(shown.max() ?? 1)
        let margin = max(0.05 * (most - least), 0.05)
        lower = least - margin
        upper = most + margin
        let range = lower...upper

        let decades = Int(lower.rounded(.down))...Int(upper.rounded(.up))
        let powers = decades.filter { range.contains(Double($0)) }
        if powers.count >= 2 {
            let step = (powers.count + 7) / 8
            ticks = powers.filter { $0 % step == 0 }.map { (Double($0), SVG.powerOfTen($0)) }
        } else {
            ticks = Self.fineTicks(decades, range)
        }
        minorTicks = (2...6).contains(powers.count) ? Self.minorTicks(decades, range) : []
    }

    /// Ticks of an axis of a decade or two: at 1, 2 and 5, or at the roundest numbers that make two ticks at least.
    private static func fineTicks(_ decades: ClosedRange<Int>, _ range: ClosedRange<Double>) -> [(Double, String)] {
        let choices = [
            [10, 20, 50], [10, 15, 20, 30, 40, 50, 60, 80],
            [10, 12, 14, 16, 18, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90], Array(10..<100),
        ]
        for multiples in choices {
            let ticks = decades.flatMap { decade in
                multiples.map { Double(decade - 1) + log10(Double($0)) }
            }.filter(range.contains)
            if ticks.count >= 2 { return ticks.map { ($0, LossChart.text(ofLoss: pow(10, $0))) } }
        }
        return []
    }

    private static func minorTicks(_ decades: ClosedRange<Int>, _ range: ClosedRange<Double>) -> [Double] {
        decades.flatMap { decade in (2...9).map { Double(decade) + log10(Double($0)) } }.filter(range.contains)
    }

    /// Whether a logarithm has a place for a loss.
    static func isShown(_ loss: Double) -> Bool { loss.isFinite && loss > 0 }

    func position(_ loss: Double) -> Double { position(exponent: log10(loss)) }

    func position(exponent: Double) -> Double {
        LossChart.bottom - (LossChart.bottom - LossChart.top) * (exponent - lower) / (upper - lower)
    }
}
