import Testing

@testable import train

@Suite struct LossChartTests {
    private func svg(_ train: [Double], _ test: [Double], title: String = "Title") -> String {
        LossChart(title: title, subtitle: "Subtitle", train: train, test: test).svg
    }

    /// How often a piece of text occurs.
    private func count(_ piece: String, in text: String) -> Int {
        text.split(separator: piece, omittingEmptySubsequences: false).count - 1
    }

    @Test func hasBothCurvesAxesAndLegend() {
        let losses = (1...2000).map { 1 / Double($0) }
        let picture = svg(losses, losses.map { 2 * $0 })
        #expect(count("<path", in: picture) == 2)
        #expect(count("stroke=\"\(LossChart.trainColor)\"", in: picture) == 2) // the curve and its legend
        #expect(count("stroke=\"\(LossChart.testColor)\"", in: picture) == 2)
        for text in [">Train<", ">Test<", ">Epoch<", ">Loss (log scale)<", ">2,000<", ">−3<", ">Title<"] {
            #expect(picture.contains(text), "\(text)")
        }
        #expect(picture.utf8.count < 40_000)
        #expect(count("<g", in: picture) == count("</g>", in: picture))
    }

    @Test func textIsEscaped() {
        #expect(svg([1], [1], title: "a < b & c").contains("a &lt; b &amp; c"))
    }

    @Test(
        arguments: [
            [], [0.5], [0, 0, 0], [.nan, .infinity, -1], [1e-300, 1e300], [.leastNonzeroMagnitude], [0.7, 0.7, 0.7],
            [0.71, 0.72],
        ] as [[Double]]) func strangeLossesMakeAPicture(losses: [Double])
    {
        let picture = svg(losses, [])
        #expect(!picture.contains("nan") && !picture.contains("inf"))
        #expect(picture.hasSuffix("</svg>\n"))
        #expect(count("<path", in: picture) == (losses.contains(where: LossAxis.isShown) ? 1 : 0))
    }

    @Test func lossesWithoutLogarithmAreGaps() {
        #expect(LossCurve.thinned([1, 2, 0, 3, .nan, -1, 4]) == [[0, 1], [3], [6]])
    }

    @Test func thinningKeepsSpikes() {
        var losses = [Double](repeating: 1, count: 100_000)
        losses[77_777] = 50
        losses[33_333] = 0.01
        let runs = LossCurve.thinned(losses)
        #expect(runs.count == 1)
        #expect(runs[0].count <= LossCurve.limit)
        #expect(runs[0].contains(77_777) && runs[0].contains(33_333))
        #expect(runs[0] == runs[0].sorted())
    }

    @Test(arguments: [
        (1, [0, 1]), (5000, [0, 1000, 2000, 3000, 4000, 5000]), (6, [0, 1, 2, 3, 4, 5, 6]), (7, [0, 2, 4, 6]),
        (25, [0, 5, 10, 15, 20, 25]), (130, [0, 20, 40, 60, 80, 100, 120]), (150, [0, 50, 100, 150]),
    ]) func epochTicksAreRound(last: Int, ticks: [Int]) {
        #expect(EpochAxis(last: last).ticks == ticks)
    }

    @Test func lossTicksArePowersOfTen() {
        let axis = LossAxis([2, 0.00003])
        #expect(axis.ticks.map(\.exponent) == [-4, -3, -2, -1, 0])
        #expect(axis.position(2) > LossChart.top && axis.position(0.00003) < LossChart.bottom)
        #expect(axis.position(2) < axis.position(1))
    }

    @Test func aShortAxisHasTicksToo() {
        #expect(LossAxis([0.3, 0.9]).ticks.map(\.label) == ["0.50", "1.00"])
        #expect(LossAxis([1.53, 0.96]).ticks.map(\.label) == ["1.00", "1.50"])
        #expect(LossAxis([1.2]).ticks.map(\.label) == ["1.10", "1.20", "1.30"])
    }

    @Test(arguments: [(0.042, "0.042"), (0.7, "0.70"), (12.3, "12"), (0.0012, "0.0012")])
    func lossText(loss: Double, text: String) {
        #expect(LossChart.text(ofLoss: loss) == text)
    }

    @Test func aSmallLossHasARaisedExponent() {
        let text = LossChart.text(ofLoss: 3.8e-5)
        #expect(text.hasPrefix("3.8 × 10<tspan") && text.hasSuffix(">−5</tspan>"))
    }
}
