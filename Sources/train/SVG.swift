/// The elements of a vector picture that a chart is made of.
enum SVG {
    /// A length in pixels.
    static func number(_ value: Double) -> String { fixed(value, 1) }

    /// A line between two points.
    static func line(
        _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), color: String, width: Double = 1
    ) -> String {
        """
        <line x1="\(number(from.x))" y1="\(number(from.y))" x2="\(number(to.x))" y2="\(number(to.y))" stroke="\(color)" \
        stroke-width="\(number(width))" stroke-linecap="\(width > 1 ? "round" : "butt")"/>
        """
    }

    /// A text.
    ///
    /// - Parameters:
    ///   - markup: the text, already ``escaped(_:)`` where it needs to be.
    ///   - at: where its base line starts, ends or has its middle.
    ///   - anchor: which of these: `start`, `middle` or `end`.
    ///   - centered: whether `at` is half-way up the letters instead of their foot.
    static func text(
        _ markup: String, at: (x: Double, y: Double), size: Double = 12, weight: Int = 400, color: String,
        anchor: String = "start", centered: Bool = false
    ) -> String {
        """
        <text x="\(number(at.x))" y="\(number(centered ? at.y + 0.35 * size : at.y))" font-size="\(number(size))" \
        font-weight="\(weight)" fill="\(color)" text-anchor="\(anchor)">\(markup)</text>
        """
    }

    /// A disc with a white rim.
    static func dot(at: (x: Double, y: Double), color: String) -> String {
        """
        <circle cx="\(number(at.x))" cy="\(number(at.y))" r="4" fill="\(color)" stroke="#ffffff" stroke-width="1.5"/>
        """
    }

    /// A line through many points, with round joins; of one point, a dot of the line's width.
    static func path(_ points: [(x: Double, y: Double)], color: String, width: Double) -> String {
        let corners = points.map { "\(number($0.x)) \(number($0.y))" }
        let data = corners.joined(separator: "L") + (points.count == 1 ? "h0" : "")
        return """
            <path d="M\(data)" fill="none" stroke="\(color)" stroke-width="\(number(width))" stroke-linejoin="round" \
            stroke-linecap="round"/>
            """
    }

    /// A power of ten with its exponent raised.
    static func powerOfTen(_ exponent: Int) -> String {
        let digits = (exponent < 0 ? "−" : "") + "\(exponent.magnitude)"
        return """
            10<tspan dy="-0.45em" font-size="0.75em">\(digits)</tspan>
            """
    }

    /// Text that can stand between tags.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
        return result
    }
}
