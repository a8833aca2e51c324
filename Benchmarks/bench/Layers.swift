import ArgumentParser
import Sluice

/// `bench layer`: Sluice alone, on any shapes and numbers of threads. Benchmarks/scaling draws its charts from this.
struct Layers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layer",
        abstract: "Sluice alone, on any shapes and numbers of threads, which take turns.")

    @Argument(help: "Shapes, as in 64,50,512,512: sequences, steps, inputs, hidden units.")
    var shapes: [Shape]

    @Option(parsing: .upToNextOption, help: "Numbers of threads.")
    var threads: [Int] = [1]

    @Option(parsing: .upToNextOption, help: "Scalars: float, double.")
    var scalars: [ScalarType] = [.float, .double]

    @Option(parsing: .upToNextOption, help: "Passes: forward, training.")
    var passes: [Job.Pass] = [.forward, .training]

    @OptionGroup var network: FormOptions

    @Flag(help: "One JSON document on standard output, in seconds; the table goes to standard error.")
    var json = false

    func validate() throws {
        for count in threads { try Machine.check(threads: count) }
        try network.validate(shapes, scalars)
    }

    func run() throws {
        ReleaseBuild.handOverFromDebugBuild()
        let machine = Machine(threads: threads.max()!)
        let out = Output(json ? .standardError : .standardOutput)
        out.line(machine.description)
        if let description = network.form.description { out.line(description) }
        out.line("")
        out.line(LayerRow.header)
        var rows: [LayerRow] = []
        for shape in shapes {
            for pass in passes {
                for scalar in scalars {
                    let job = Job(shape: shape, pass: pass, scalar: scalar, form: network.form)
                    let measured = scalar == .float ? measure(job, Float.self) : measure(job, Double.self)
                    measured.forEach { out.line($0.line) }
                    rows += measured
                }
            }
        }
        if json { Output(.standardOutput).line(try Report(machine: machine, rows: rows).json()) }
    }

    /// One row for each number of threads.
    private func measure<S: Scalar>(_ job: Job, _: S.Type) -> [LayerRow] {
        let plan = Plan.standard, problem = Problem<S>(job)
        let passes = threads.map { Work(job, problem, .default, Workers(threads: $0)).pass }
        return zip(threads, Side.timings(passes, plan)).map { LayerRow(job: job, threads: $0, timing: $1) }
    }
}

/// One line: a shape on some threads.
struct LayerRow: Encodable {
    let shape: Shape
    let pass: Job.Pass
    let scalar: ScalarType
    let form: Form
    let threads: Int
    let timing: Timing
    /// At the median.
    let gflops: Double

    init(job: Job, threads: Int, timing: Timing) {
        shape = job.shape
        pass = job.pass
        scalar = job.scalar
        form = job.form
        self.threads = threads
        self.timing = timing
        gflops = job.flops / timing.median / 1e9
    }

    private static let columns = [-18, -9, -7, 7, 11, 11, 9]

    static var header: String {
        Text.row(["B,T,I,H", "pass", "scalar", "threads", "min", "median", "GFLOP/s"], columns)
    }

    var line: String {
        Text.row(
            [
                shape.description, pass.rawValue, scalar.rawValue, "\(threads)", Text.time(timing.min),
                Text.time(timing.median), Text.significant(gflops, 3),
            ], Self.columns)
    }
}

extension Shape: ExpressibleByArgument {
    init?(argument: String) {
        let sizes = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard sizes.count == 4, sizes.allSatisfy({ $0 >= 1 }) else { return nil }
        self.init(sizes[0], sizes[1], sizes[2], sizes[3])
    }
}

extension ScalarType: ExpressibleByArgument {}
extension Job.Pass: ExpressibleByArgument {}
