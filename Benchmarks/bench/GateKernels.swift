import ArgumentParser
import Sluice

/// `bench kernels`: how near the fused gate kernels come to what bounds them.
struct GateKernels: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "The fused gate kernels of one step beside their floor, on one thread.",
        discussion: """
            Nanoseconds of one unit of one sequence, the shortest of turns that the columns take. 'functions' is the time \
            of the kernel's sigmoid and tanh alone, on numbers in the cache; 'transport' that of a copy of as many bytes as \
            the kernel reads and writes; 'of floor' is the kernel's time divided by their sum.
            """)

    @Option(help: "Hidden units.") var hidden = 256
    @Option(help: "Sequences.") var sequences = 32
    @Option(name: .customLong("scalar"), parsing: .upToNextOption, help: "Scalars: double, float.")
    var scalars: [ScalarType] = [.float, .double]

    func validate() throws {
        for (name, value) in [("hidden", hidden), ("sequences", sequences)] { try Sizes.check("--\(name)", value) }
        let scalar = scalars.contains(.double) ? 8.0 : 4.0
        try Sizes.check(
            "A step of \(sequences) sequences and \(hidden) hidden units",
            needing: 8 * Double(sequences) * Double(hidden) * scalar)
    }

    func run() {
        ReleaseBuild.handOverFromDebugBuild()
        let out = Output(.standardOutput)
        out.line(Machine(threads: 1).description)
        out.line("\(sequences) sequences, \(hidden) hidden units, ns a unit\n")
        out.line(line(["step", "pass", "scalar", "kernel", "functions", "transport", "of floor"]))
        for scalar in scalars {
            switch scalar {
            case .float: measure(Float.self, out)
            case .double: measure(Double.self, out)
            }
        }
    }

    private func measure<S: Scalar>(_: S.Type, _ out: Output) {
        for step in KernelTrial<S>.Step.allCases {
            for isForward in [true, false] {
                let trial = KernelTrial<S>(step, sequences: sequences, hidden: hidden, forward: isForward)
                let times = Side.timings([trial.compute, trial.functions, trial.transport], .kernels).map(\.min)
                let units = Double(sequences * hidden) * 1e-9
                out.line(
                    line(
                        [step.rawValue, isForward ? "forward" : "backward", S.type.rawValue]
                            + times.map { Text.significant($0 / units, 3) }
                            + [Text.significant(times[0] / (times[1] + times[2]), 3)]))
            }
        }
    }

    private func line(_ cells: [String]) -> String { Text.row(cells, [-16, -8, -6, 9, 9, 9, 9]) }
}

extension Plan {
    fileprivate static let kernels = Plan(rounds: 9...9, sideSeconds: 1, longestNaivePass: 0)
}
