/// The loss curves of a run as an SVG picture: epochs to the right, loss upwards on a logarithmic scale.
///
/// A logarithm has no place for losses that are zero, negative or not finite: there a curve has a gap.
struct LossChart {
    let title: String
    let subtitle: String
    /// Epoch - 1 -> the training loss.
    let train: [Double]
    /// Epoch - 1 -> the test loss.
    let test: [Double]

    // The plot's edges in the picture, in pixels.
    static let left = 76.0
    static let right = 628.0
    static let top = 104.0
    static let bottom = 380.0

    // Blue and vermilion of Okabe and Ito, which the colour-blind can tell apart too.
    static let trainColor = "#0072B2"
    static let testColor = "#D55E00"
    private static let ink = "#1f2328"
    private static let softInk = "#59636e"
    private static let axisColor = "#8c959f"
    private static let gridColor = "#e6e9ed"

    var svg: String {
        let x = EpochAxis(last: max(train.count, test.count))
        let y = LossAxis(train + test)
        let curves = [
            LossCurve("Train", Self.trainColor, train, x, y),
            LossCurve("Test", Self.testColor, test, x, y),
        ]
        let title = SVG.escaped(title), subtitle = SVG.escaped(subtitle)
        let parts = [
            SVG.text(title, at: (Self.left, 36), size: 18, weight: 600, color: Self.ink),
            SVG.text(
                subtitle, at: (Self.left, 57), size: min(12, 1200 / Double(subtitle.count + 1)), color: Self.softInk),
            legend(curves), verticalAxis(y), horizontalAxis(x), curves.map(\.svg).joined(separator: "\n"),
            endLabels(curves),
        ]
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 440" width="720" height="440" role="img" \
            aria-labelledby="title description" \
            font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif">
            <title id="title">\(title)</title>
            <desc id="description">\(subtitle). Train and test loss after each epoch, log scale.</desc>
            <rect width="720" height="440" fill="#ffffff"/>
            \(parts.joined(separator: "\n"))
            </svg>

            """
    }

    /// Samples of the curves with their names, in one row above the plot.
    private func legend(_ curves: [LossCurve]) -> String {
        var x = Self.left
        return curves.map { curve in
            defer { x += 54 + 7 * Double(curve.name.count) }
            return SVG.line((x + 1, 80), (x + 21, 80), color: curve.color, width: 2.5) + "\n"
                + SVG.text(curve.name, at: (x + 29, 80), size: 12.5, color: Self.ink, centered: true)
        }.joined(separator: "\n")
    }

    private func verticalAxis(_ axis: LossAxis) -> String {
        var parts = axis.ticks.flatMap { tick in
            let y = axis.position(exponent: tick.exponent)
            return [
                SVG.line((Self.left, y), (Self.right, y), color: Self.gridColor),
                SVG.text(tick.label, at: (Self.left - 10, y), color: Self.softInk, anchor: "end", centered: true),
            ]
        }
        parts += axis.minorTicks.map { exponent in
            let y = axis.position(exponent: exponent)
            return SVG.line((Self.left - 4, y), (Self.left, y), color: "#c3c9d0")
        }
        let name = SVG.text("Loss (log scale)", at: (0, 0), color: Self.softInk, anchor: "middle")
        let middle = SVG.number((Self.top + Self.bottom) / 2)
        parts.append("<g transform=\"translate(24 \(middle)) rotate(-90)\">\(name)</g>")
        return parts.joined(separator: "\n")
    }

    private func horizontalAxis(_ axis: EpochAxis) -> String {
        var parts = [SVG.line((Self.left, Self.bottom), (Self.right, Self.bottom), color: Self.axisColor)]
        parts += axis.ticks.flatMap { tick in
            let x = axis.position(Double(tick))
            return [
                SVG.line((x, Self.bottom), (x, Self.bottom + 5), color: Self.axisColor),
                SVG.text(grouped(tick), at: (x, Self.bottom + 20), color: Self.softInk, anchor: "middle"),
            ]
        }
        let middle = ((Self.left + Self.right) / 2, Self.bottom + 43)
        parts.append(SVG.text("Epoch", at: middle, color: Self.softInk, anchor: "middle"))
        return parts.joined(separator: "\n")
    }

    /// The last losses, at the curves' ends; moved apart where they would overlap.
    private func endLabels(_ curves: [LossCurve]) -> String {
        var ends = curves.compactMap { curve in curve.end.map { (curve: curve, end: $0, y: $0.y) } }
        if ends.count == 2, abs(ends[0].y - ends[1].y) < 17 {
            let middle = (ends[0].y + ends[1].y) / 2, upper = ends[0].y < ends[1].y ? 0 : 1
            ends[upper].y = middle - 8.5
            ends[1 - upper].y = middle + 8.5
        }
        return ends.map { label in
            SVG.dot(at: (label.end.x, label.end.y), color: label.curve.color) + "\n"
                + SVG.text(
                    Self.text(ofLoss: label.end.loss), at: (label.end.x + 11, label.y), size: 12, weight: 600,
                    color: label.curve.color, centered: true)
        }.joined(separator: "\n")
    }

    /// A loss as a person writes it: `0.042`, and a power of ten where that would be all zeros.
    static func text(ofLoss loss: Double) -> String {
        switch loss {
        case 0.000_999_5..<0.009_95: return fixed(loss, 4)
        case 0.009_95..<0.0995: return fixed(loss, 3)
        case 0.0995..<9.95: return fixed(loss, 2)
        case 9.95..<999.5: return fixed(loss, 0)
        default:
            let parts = scientific(loss, 1).split(separator: "e")
            guard parts.count == 2, let exponent = Int(parts[1]) else { return "\(loss)" }
            return "\(parts[0]) × \(SVG.powerOfTen(exponent))"
        }
    }
}
