import ArgumentParser
import Sluice

/// `bench stream`: how long one step takes when inputs come one at a time.
struct Streaming: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "The latency of single steps: median, 99th percentile and worst of many.",
        discussion:
            "Each step is timed alone; the clock's own cost, measured in the same run, is printed and not taken off.")

    @Option(help: "Hidden units.") var hidden = 64
    @Option(help: "Inputs.") var inputs = 64
    @Option(help: "Sequences stepped together.") var sequences = 1
    @Option(help: "Steps to time.") var steps = 1_000_000
    @Option(help: "The cell.") var cell = Cell.gru(.resetAfter)

    func validate() throws {
        for (name, value) in [("hidden", hidden), ("inputs", inputs), ("sequences", sequences), ("steps", steps)] {
            try Sizes.check("--\(name)", value)
        }
        let form = Form(cell: cell, direction: .forward, layers: 1, projection: nil, isRagged: false)
        try form.check(Shape(sequences, 1, inputs, hidden), .double)
    }

    func run() {
        ReleaseBuild.handOverFromDebugBuild()
        let out = Output(.standardOutput)
        out.line(Machine(threads: 1).description)
        out.line("")
        out.line("\(sequences),1,\(inputs),\(hidden), \(cell.rawValue), \(steps) steps, each timed")
        out.line("scalar       min       p50       p99     p99.9       max")
        out.line(line("float", latencies(Float.self)))
        out.line(line("double", latencies(Double.self)))
        out.line(line("(clock)", timings(steps) {}))
    }

    private func latencies<S: Scalar>(_: S.Type) -> [Double] {
        var random = Random(seed: 1)
        let configuration = Configuration(cell: cell, inputSize: inputs, hiddenSize: hidden)
        let stream = StreamingNetwork(Network<S>(configuration, .pyTorch, using: &random), sequences: sequences)
        let x = Matrix<S>(
            rows: sequences, columns: inputs, (0..<sequences * inputs).map { _ in S(random.normal()) })
        var outputs = Matrix<S>(rows: sequences, columns: hidden)
        for _ in 0..<10_000 { stream.step(x, into: &outputs) }
        return timings(steps) { stream.step(x, into: &outputs) }
    }

    /// The seconds of each call, sorted.
    private func timings(_ count: Int, _ call: () -> Void) -> [Double] {
        let clock = ContinuousClock()
        var seconds = [Double](repeating: 0, count: count)
        for index in 0..<count {
            let start = clock.now
            call()
            seconds[index] = (clock.now - start) / .seconds(1)
        }
        return seconds.sorted()
    }

    private func line(_ name: String, _ sorted: [Double]) -> String {
        func column(_ share: Double) -> String {
            let text = Text.time(sorted[min(Int(Double(sorted.count) * share), sorted.count - 1)])
            return String(repeating: " ", count: max(10 - text.count, 1)) + text
        }
        let padded = name + String(repeating: " ", count: max(6 - name.count, 0))
        return padded + [0, 0.5, 0.99, 0.999, 1].map(column).joined()
    }
}
