import ArgumentParser
import Sluice

/// `bench compare`: the OpenBLAS path against naive Swift, interleaved, results compared.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "OpenBLAS against naive Swift: forward passes and training steps, in turns, results compared.",
        discussion: "A difference above its bound fails the run: exit status 1.")

    @Flag(help: "One JSON document on standard output, in seconds; the table goes to standard error.")
    var json = false

    @Flag(help: "A few small shapes, in seconds: to see that it works.")
    var quick = false

    @Flag(help: "Measure naive Swift wherever, even where one pass takes minutes.")
    var full = false

    @Option(help: "Only the lines that contain every word of this, such as 'training double 64,50,512,512'.")
    var filter = ""

    @OptionGroup var network: FormOptions

    @Option(help: "The threads of a pass, and of the product that it is measured against.")
    var threads = 1

    func validate() throws {
        try Machine.check(threads: threads)
        guard !(quick && full) else { throw ValidationError("--quick and --full exclude each other.") }
        guard !jobs.isEmpty else {
            throw ValidationError("No line contains every word of '\(filter)'. A line is called '\(allJobs[0].name)'.")
        }
        try network.validate(jobs.map(\.shape), [.double])
    }

    func run() throws {
        ReleaseBuild.handOverFromDebugBuild()
        let machine = Machine(threads: threads)
        let out = Output(json ? .standardError : .standardOutput)
        out.line(machine.description)
        if !Backend.openBLAS.isAvailable {
            out.line("This build has no OpenBLAS (package trait off): naive Swift alone, and the speeds are its own.")
        }
        if let description = network.form.description { out.line(description) }
        out.line("")
        out.line(Table.header)

        let bench = Comparison(plan: plan, threads: threads)
        var rows: [Row] = []
        for job in jobs {
            rows.append(bench.measure(job))
            out.line(Table.line(rows[rows.count - 1]))
        }

        out.line("")
        out.line(Table.legend(plan))
        if json {
            Output(.standardOutput).line(try Report(machine: machine, rows: rows).json())
        }
        let failures = rows.filter { !$0.isWithinBound }
        for row in failures {
            Output.error("bench: \(row.job.name): the results differ by more than the bound, see above")
        }
        if !failures.isEmpty { throw ExitCode.failure }
    }

    private var plan: Plan { quick ? .quick : full ? .full : .standard }

    private var allJobs: [Job] {
        let shapes = quick ? Shape.quick : Shape.all
        return shapes.flatMap { shape in
            Job.Pass.allCases.flatMap { pass in
                [ScalarType.float, .double].map { Job(shape: shape, pass: pass, scalar: $0, form: network.form) }
            }
        }
    }

    private var jobs: [Job] {
        let words = filter.split(separator: " ")
        return allJobs.filter { job in words.allSatisfy { job.name.split(separator: " ").contains($0) } }
    }
}
