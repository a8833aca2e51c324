import ArgumentParser
import Sluice

/// `bench memory`: what training on long sequences takes, plain, checkpointed and beside PyTorch.
struct Memory: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Peak memory and time of a training step on long sequences: plain, checkpointed, and PyTorch.",
        discussion: """
            Each line is measured in a process of its own, on Linux. 'peak' is what a first step adds to the resident memory of a \
            process that has its inputs, targets and parameters, and has taken a tiny step before: activations, gradients, the \
            optimiser's moments, packed weights. The time is the median of the steps after the first. A step is forward, \
            mean squared error of one output a step, backward and Adam, in Float.

            PyTorch is taken from the environment that Benchmarks/peers/run makes; without it its lines are left out. All \
            of it takes less than five minutes on two quiet cores; --quick some seconds.
            """)

    @Option(parsing: .upToNextOption, help: "T, the steps of a sequence (default: 1000 10000 100000).")
    var steps: [Int] = []

    @Option(help: "B, the sequences.") var batch = 4
    @Option(help: "I, the inputs of a step.") var inputs = 16
    @Option(help: "H, the hidden units.") var hidden = 64
    @Option(help: "The layers.") var layers = 1
    @Option(help: "The cell.") var cell = Cell.gru(.resetAfter)
    @Option(help: "The threads of a step.") var threads = 1

    @Option(help: "The Python that has PyTorch (default: SLUICE_PEERS_VENV, or .venv-peers, as Benchmarks/peers/run).")
    var python: String?

    @Flag(help: "T = 200 and 2000, in seconds: to see that it works.")
    var quick = false

    @Flag(help: "One JSON document on standard output, in bytes and seconds; the table goes to standard error.")
    var json = false

    func validate() throws {
        try Machine.check(threads: threads)
        for (name, values) in [
            ("steps", steps), ("batch", [batch]), ("inputs", [inputs]), ("hidden", [hidden]), ("layers", [layers]),
        ] {
            for value in values { try Sizes.check("--\(name)", value) }
        }
        let form = Form(cell: cell, direction: .forward, layers: layers, projection: nil, isRagged: false)
        for steps in steps { try form.check(Shape(batch, steps, inputs, hidden), .float) }
        guard steps.isEmpty || !quick else { throw ValidationError("--quick and --steps exclude each other.") }
    }

    func run() throws {
        ReleaseBuild.handOverFromDebugBuild()
        let machine = Machine(threads: threads)
        let out = Output(json ? .standardError : .standardOutput)
        out.line(machine.description)
        out.line("\(cell.rawValue), \(layers) x \(hidden) hidden units, \(inputs) inputs, \(batch) sequences")
        out.line("")
        MemoryRow.header.forEach(out.line)
        var rows: [MemoryRow] = []
        for steps in steps.isEmpty ? (quick ? [200, 2000] : [1000, 10_000, 100_000]) : steps {
            var plain: MemoryFigures?
            for way in MemoryRow.Way.allCases {
                guard let command = command(way, steps) else { continue }
                let figures = Shell.firstLine(of: command).flatMap { MemoryFigures($0) }
                if way == .plain { plain = figures }
                let row = MemoryRow(steps: steps, way: way, figures: figures, timeToPlain: figures / plain)
                rows.append(row)
                out.line(row.line)
            }
        }
        if json { Output(.standardOutput).line(try Report(machine: machine, rows: rows).json()) }
        if rows.contains(where: { $0.figures == nil }) { throw ExitCode.failure }
    }

    /// What measures a way; nil: it is not there.
    private func command(_ way: MemoryRow.Way, _ steps: Int) -> String? {
        let sizes =
            "--steps \(steps) --batch \(batch) --inputs \(inputs) --hidden \(hidden) --layers \(layers) "
            + "--cell \(cell.rawValue) --threads \(threads)"
        switch way {
        case .plain: return "'\(Self.program)' memory-worker \(sizes)"
        case .checkpointed: return "'\(Self.program)' memory-worker --checkpointed \(sizes)"
        case .pyTorch:
            return Shell.peerScript("torch_memory.py", python: python).map { "\($0) \(sizes)" }
        }
    }

    private static var program: String { ReleaseBuild.realPath("/proc/self/exe") ?? CommandLine.arguments[0] }
}

/// What one process measured.
struct MemoryFigures: Encodable, Equatable {
    /// What the first step added to the resident memory.
    let bytes: Int
    /// Of a step after the first, the median.
    let seconds: Double

    init(bytes: Int, seconds: Double) {
        self.bytes = bytes
        self.seconds = seconds
    }

    /// From "bytes seconds".
    init?(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count == 2, let bytes = Int(words[0]), let seconds = Double(words[1]) else { return nil }
        self.init(bytes: bytes, seconds: seconds)
    }
}

/// The quotient of two times, where both are known.
private func / (figures: MemoryFigures?, other: MemoryFigures?) -> Double? {
    guard let figures, let other else { return nil }
    return figures.seconds / other.seconds
}

/// One line of the table, in Markdown.
struct MemoryRow: Encodable {
    enum Way: String, Encodable, CaseIterable {
        case plain, checkpointed
        case pyTorch = "PyTorch"
    }

    let steps: Int
    let way: Way
    /// nil: it failed.
    let figures: MemoryFigures?
    let timeToPlain: Double?

    private static let columns: [(title: String, width: Int)] = [
        ("T", 7), ("way", -12), ("peak, MiB", 9), ("bytes a step", 12), ("time", 7), ("of plain", 8),
    ]

    static var header: [String] { MarkdownTable.header(columns) }

    var line: String {
        MarkdownTable.line(
            [
                "\(steps)", way.rawValue,
                figures.map { Text.significant(Double($0.bytes) / 0x1p20, 3) } ?? "failed",
                figures.map { Text.significant(Double($0.bytes) / Double(steps), 3) } ?? "-",
                figures.map { Text.time($0.seconds) } ?? "-", timeToPlain.map { Text.significant($0, 3) } ?? "-",
            ], Self.columns)
    }
}
