/// Numbers as text.
enum Text {
    /// Seconds with three digits, in the unit that suits.
    static func time(_ seconds: Double) -> String {
        let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")]
        // 0.9995 of a unit would be written as 1000 of the next.
        let (size, name) = units.first { seconds >= 0.9995 * $0.0 } ?? units[3]
        return "\(significant(seconds / size, 3)) \(name)"
    }

    /// A number with so many significant digits, whole from there on: 1.23, 12.3, 123, 1234.
    static func significant(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        var decimals = digits - 1
        var limit = 10.0
        while decimals > 0 && fixed(abs(value), decimals).value >= limit {
            decimals -= 1
            limit *= 10
        }
        return fixed(value, decimals).text
    }

    /// Two digits and a power of ten: 1.2e-15.
    static func scientific(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
        var exponent = 0
        var mantissa = abs(value)
        while mantissa < 0.95 {
            mantissa *= 10
            exponent -= 1
        }
        while mantissa >= 9.95 {
            mantissa /= 10
            exponent += 1
        }
        return "\(value < 0 ? "-" : "")\(fixed(mantissa, 1).text)e\(exponent)"
    }

    /// Cells in columns of fixed width, so that a line can be written as soon as it is known; a negative width: to the left.
    static func row(_ cells: [String], _ widths: [Int]) -> String {
        zip(cells, widths).map { cell, width in
            let space = String(repeating: " ", count: max(abs(width) - cell.count, 0))
            return width < 0 ? cell + space : space + cell
        }.joined(separator: "  ")
    }

    /// Rounded to so many decimals: the number and its text.
    private static func fixed(_ value: Double, _ decimals: Int) -> (value: Double, text: String) {
        let scale = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
        let units = Int((abs(value) * scale).rounded())
        let sign = value < 0 && units > 0 ? "-" : ""
        let fraction = String(units % Int(scale))
        let zeros = String(repeating: "0", count: max(decimals - fraction.count, 0))
        let text = decimals == 0 ? "\(sign)\(units)" : "\(sign)\(units / Int(scale)).\(zeros)\(fraction)"
        return (Double(units) / scale, text)
    }
}
