import ArgumentParser
import Sluice

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// `bench ragged`: training on batches whose lengths are new in each of them.
struct Ragged: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Training on new lengths in each batch, beside one packing again and again, and PyTorch's.",
        discussion: """
            A step is forward, mean squared error of one output a step, backward and Adam, of a GRU (reset after) with a head, in \
            Float; batches and packings are made beforehand. Steps on new lengths, drawn evenly from a range, take turns by \
            twenty with steps on one of these batches, the one nearest to the twenty's means of rows and steps. 'ratio' is the \
            median of the turns' own quotients, among the first and the last tenth of the steps. 'grown' is what the process's \
            peak memory grew by after the first tenth.

            PyTorch (packed sequences, eager) is taken from the environment that Benchmarks/peers/run makes; without it its \
            column is empty. 'of PyTorch' is its time on new lengths by Sluice's. With one thread times are the process's own on the \
            processor, so that others on the machine do not count; with more, the clock's. All of it takes some ten minutes; --quick \
            some seconds.
            """)

    @Option(parsing: .upToNextOption, help: "H, the hidden units.") var hidden = [8, 12, 24, 48, 128]
    @Option(parsing: .upToNextOption, help: "B, the sequences of a batch.") var batch = [3, 4, 12, 32]
    @Option(parsing: .upToNextOption, help: "Ranges of lengths.") var lengths = [Lengths(1...40), Lengths(10...100)]
    @Option(help: "I, the inputs of a step.") var inputs = 8
    @Option(help: "The steps of each side.") var steps = 10_000
    @Option(help: "The seconds after which a line ends with fewer steps.") var seconds = 12.0
    @Option(help: "The threads of a step.") var threads = 1

    @Option(help: "The Python that has PyTorch (default: SLUICE_PEERS_VENV, or .venv-peers, as Benchmarks/peers/run).")
    var python: String?

    @Flag(help: "Two lines of 1000 steps: to see that it works.") var quick = false

    @Flag(help: "One JSON document on standard output, in seconds and bytes; the table goes to standard error.")
    var json = false

    func validate() throws {
        try Machine.check(threads: threads)
        for (name, values) in [("hidden", hidden), ("batch", batch), ("inputs", [inputs])] {
            for value in values { try Sizes.check("--\(name)", value) }
        }
        let form = Form(cell: .gru(.resetAfter), direction: .forward, layers: 1, projection: nil, isRagged: false)
        for lengths in lengths {
            try form.check(Shape(batch.max() ?? 1, lengths.longest, inputs, hidden.max() ?? 1), .float)
        }
        guard steps >= 20 else { throw ValidationError("--steps \(steps): at least 20 are needed.") }
        guard seconds > 0 else { throw ValidationError("--seconds \(seconds): more than 0 is needed.") }
    }

    func run() throws {
        ReleaseBuild.handOverFromDebugBuild()
        let machine = Machine(threads: threads)
        let out = Output(json ? .standardError : .standardOutput)
        out.line(machine.description)
        out.line("gru.resetAfter, \(inputs) inputs, training, Float")
        out.line("")
        RaggedRow.header.forEach(out.line)
        var rows: [RaggedRow] = []
        for lengths in quick ? [lengths[0]] : lengths {
            for hidden in quick ? Array(hidden.prefix(2)) : hidden {
                for batch in quick ? [batch[0]] : batch {
                    let row = try row(RaggedShape(hidden: hidden, batch: batch, inputs: inputs, lengths: lengths))
                    rows.append(row)
                    out.line(row.line)
                }
            }
        }
        if json { Output(.standardOutput).line(try Report(machine: machine, rows: rows).json()) }
    }

    private func row(_ shape: RaggedShape) throws -> RaggedRow {
        let steps = quick ? 1000 : steps
        var trial = RaggedTrial(shape, Workers(threads: threads))
        let turns = try trial.run(steps: steps, seconds: seconds)
        let command = Shell.peerScript("torch_ragged.py", python: python).map {
            "\($0) --hidden \(shape.hidden) --batch \(shape.batch) --inputs \(inputs) --shortest \(shape.lengths.shortest) "
                + "--longest \(shape.lengths.longest) --steps \(steps) --seconds \(seconds / 2) --threads \(threads)"
        }
        return RaggedRow(
            shape: shape, steps: turns.steps, first: turns.first, last: turns.last, grown: trial.grown,
            pyTorch: command.flatMap { Shell.firstLine(of: $0) }.flatMap { Double($0) })
    }
}

/// A range of lengths, written 1-40.
struct Lengths: ExpressibleByArgument, Encodable, CustomStringConvertible {
    let shortest: Int
    let longest: Int

    init(_ range: ClosedRange<Int>) {
        shortest = range.lowerBound
        longest = range.upperBound
    }

    init?(argument: String) {
        let numbers = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let low = numbers[0], let high = numbers[1] else { return nil }
        guard low >= 1, high >= low, high <= Sizes.largest else { return nil }
        self.init(low...high)
    }

    var description: String { "\(shortest)-\(longest)" }
    var defaultValueDescription: String { description }
}

struct RaggedShape: Encodable {
    let hidden: Int
    let batch: Int
    let inputs: Int
    let lengths: Lengths
}

/// The medians of some turns.
struct RaggedFigures: Encodable, Equatable {
    /// Of a step, on new lengths and on one packing.
    let new: Double
    let one: Double
    let ratio: Double

    init(_ turns: ArraySlice<(new: Double, one: Double)>) {
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        new = median(turns.map(\.new))
        one = median(turns.map(\.one))
        ratio = median(turns.map { $0.new / $0.one })
    }
}

/// Both sides of a line, in turns.
struct RaggedTrial {
    private let shape: RaggedShape
    private var random = Random(seed: 1)
    private var onNew: Trainer<Float>
    private var onOne: Trainer<Float>
    /// The bytes by which the process's peak memory grew after the first tenth of the steps; nil: this system does not say.
    private(set) var grown: Int?

    init(_ shape: RaggedShape, _ workers: Workers) {
        self.shape = shape
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: shape.inputs, hiddenSize: shape.hidden, head: Head(outputSize: 1))
        let network = Network<Float>(configuration, .pyTorch, using: &random, workers: workers)
        onNew = Trainer(network, loss: .meanSquaredError, optimizer: .adam(learningRate: 1e-5))
        onOne = Trainer(network, loss: .meanSquaredError, optimizer: .adam(learningRate: 1e-5))
    }

    /// The figures of the first and the last tenth of so many steps, or of as many as the time was enough for.
    mutating func run(steps: Int, seconds: Double) throws -> (steps: Int, first: RaggedFigures, last: RaggedFigures) {
        let size = min(20, steps / 20), start = ContinuousClock.now
        var turns: [(new: Double, one: Double)] = []
        _ = try? PeerMemory.settle()
        var peaks: [Int?] = []
        while turns.count < steps / size
            && (turns.count < 20 || (ContinuousClock.now - start) / .seconds(1) < seconds)
        {
            let batches = (0..<size).map { _ in batch() }
            let one = mean(of: batches)
            // Neither side always finds the memory of the batches warm.
            if turns.count.isMultiple(of: 2) {
                let new = time(&onNew, batches)
                turns.append((new, time(&onOne, Array(repeating: one, count: size))))
            } else {
                let once = time(&onOne, Array(repeating: one, count: size))
                turns.append((time(&onNew, batches), once))
            }
            peaks.append(try? PeerMemory.peak())
        }
        let tenth = max(turns.count / 10, 1)
        if let first = peaks[tenth - 1], let last = peaks[peaks.count - 1] { grown = last - first }
        return (turns.count * size, RaggedFigures(turns.prefix(tenth)), RaggedFigures(turns.suffix(tenth)))
    }

    /// The seconds of a step.
    private func time(_ trainer: inout Trainer<Float>, _ batches: [Batch<Float>]) -> Double {
        let start = now
        for batch in batches { trainer.step(batch) }
        return (now - start) / Double(batches.count)
    }

    /// Seconds: of this process on the processor, where one thread computes; else of the clock.
    private var now: Double {
        var time = timespec()
        unsafe clock_gettime(onNew.network.workers.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private mutating func batch() -> Batch<Float> {
        let range = shape.lengths.shortest...shape.lengths.longest
        let packing = Packing(lengths: (0..<shape.batch).map { _ in Int.random(in: range, using: &random) })
        return Batch(x: numbers(packing, shape.inputs), targets: numbers(packing, 1), packing: packing)
    }

    private mutating func numbers(_ packing: Packing, _ columns: Int) -> Matrix<Float> {
        var numbers = Matrix<Float>(rows: packing.rowCount, columns: columns)
        numbers.withMutableSpan { for index in $0.indices { $0[index] = Float.random(in: -1...1, using: &random) } }
        return numbers
    }

    /// The one of the batches that is nearest to their means of rows and of steps.
    private func mean(of batches: [Batch<Float>]) -> Batch<Float> {
        func mean(_ value: (Packing) -> Int) -> Double {
            Double(batches.reduce(0) { $0 + value($1.packing) }) / Double(batches.count)
        }
        let rows = mean(\.rowCount), steps = mean(\.stepCount)
        func distance(_ batch: Batch<Float>) -> Double {
            abs(Double(batch.packing.rowCount) / rows - 1) + abs(Double(batch.packing.stepCount) / steps - 1)
        }
        return batches.min { distance($0) < distance($1) }!
    }
}

/// One line of the table, in Markdown.
struct RaggedRow: Encodable {
    let shape: RaggedShape
    /// Of each side.
    let steps: Int
    let first: RaggedFigures
    let last: RaggedFigures
    let grown: Int?
    /// The seconds of PyTorch's step on new lengths; nil: it is not there, or failed.
    let pyTorch: Double?

    private static let columns: [(title: String, width: Int)] = [
        ("H", 4), ("B", 3), ("lengths", -7), ("steps", 6), ("one, first", 10), ("new, first", 10), ("ratio", 5),
        ("one, last", 9), ("new, last", 9), ("ratio", 5), ("grown", 8), ("PyTorch", 7), ("of PyTorch", 10),
    ]

    static var header: [String] { MarkdownTable.header(columns) }

    var line: String {
        MarkdownTable.line(
            [
                "\(shape.hidden)", "\(shape.batch)", shape.lengths.description, "\(steps)",
                Text.time(first.one), Text.time(first.new), Text.significant(first.ratio, 3),
                Text.time(last.one), Text.time(last.new), Text.significant(last.ratio, 3),
                grown.map { "\($0 >> 10) KiB" } ?? "-", pyTorch.map { Text.time($0) } ?? "-",
                pyTorch.map { Text.significant($0 / last.new, 3) + "x" } ?? "-",
            ], Self.columns)
    }
}
