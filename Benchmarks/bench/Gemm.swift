import ArgumentParser
import Sluice

#if OpenBLAS
import COpenBLAS
#endif

/// `bench gemm`: the table that PanelRule stands on, measured on this machine.
struct Gemm: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The product of a time step, h [B, H] x U [H, 3H], whole and in column panels, on one thread.",
        discussion: """
            GFLOP/s of the shortest time. 'whole' is one call of OpenBLAS; 'n x m' is the product in panels of n columns \
            by blocks of m rows, as the library does it; the star marks what its rule (PanelRule.swift) takes with this \
            processor's kernels. All products of a line of hidden units take turns.

            The peak is the fastest product of the run in that scalar. So that it is the core's and not that of what was \
            asked for, some products that need neither packing nor the second-level cache (32 to 64 rows, 64 to 128 x 32 \
            to 64) are measured in every line too.

            Panels whose numbers differ from the whole product's by more than 2 H eps fail the run: exit status 1.
            """)

    @Option(parsing: .upToNextOption, help: "Hidden units (default: 16, 32, ... 1024).")
    var hidden: [Int] = []

    @Option(parsing: .upToNextOption, help: "Sequences: the rows of h (default: 1, 2, ... 128).")
    var sequences: [Int] = []

    @Option(name: .customLong("scalar"), parsing: .upToNextOption, help: "Scalars: double, float.")
    var scalars: [ScalarType] = [.double, .float]

    @Flag(help: "Other widths and blocks of rows too.")
    var all = false

    @Flag(help: "Three sizes, in seconds: to see that it works.")
    var quick = false

    @Flag(help: "One JSON document on standard output, in seconds; the table goes to standard error.")
    var json = false

    func validate() throws {
        for (name, values) in [("hidden", hidden), ("sequences", sequences)] {
            for value in values { try Sizes.check("--\(name)", value) }
        }
        let form = Form(cell: .gru(.resetAfter), direction: .forward, layers: 1, projection: nil, isRagged: false)
        for hidden in hidden {
            for sequences in sequencesOrDefault { try form.check(Shape(sequences, 1, hidden, hidden), .float) }
        }
    }

    func run() throws {
        ReleaseBuild.handOverFromDebugBuild()
        let machine = Machine(threads: 1)
        let out = Output(json ? .standardError : .standardOutput)
        out.line(machine.description)
        guard Backend.openBLAS.isAvailable else {
            out.line("This build has no OpenBLAS (package trait off), so there is nothing to measure.")
            if json { Output(.standardOutput).line(try Report(machine: machine, rows: [GemmRow]()).json()) }
            return
        }
        #if OpenBLAS
        openblas_set_num_threads(1)
        #endif
        let rows = scalars.flatMap { scalar in
            switch scalar {
            case .double: measure(Double.self, out)
            case .float: measure(Float.self, out)
            }
        }
        if json { Output(.standardOutput).line(try Report(machine: machine, rows: rows).json()) }
        let failures = rows.filter { !$0.isWithinBound }
        for row in failures { Output.error("bench: \(row.name): the panels' product differs from the whole one") }
        if !failures.isEmpty { throw ExitCode.failure }
    }

    /// The table of one scalar, printed line by line.
    private func measure<S: Scalar>(_: S.Type, _ out: Output) -> [GemmRow] {
        let table = GemmTable(sequences: sequencesOrDefault)
        out.line("\n\(S.type.rawValue)\n\(table.header)")
        var rows: [GemmRow] = []
        for hidden in hiddenOrDefault {
            let line = GemmLine<S>(hidden: hidden, sequences: sequencesOrDefault, all: all)
            let measured = line.measure(quick ? .gemmQuick : .gemm)
            for text in table.lines(measured) { out.line(text) }
            rows += measured
        }
        let peak = rows.map(\.gflops).max() ?? 0
        for index in rows.indices { rows[index].shareOfPeak = rows[index].gflops / peak }
        for text in GemmTable.summary(rows) { out.line(text) }
        return rows
    }

    private var hiddenOrDefault: [Int] {
        !hidden.isEmpty ? hidden : quick ? [16, 64, 256] : [16, 32, 64, 128, 256, 512, 1024]
    }

    private var sequencesOrDefault: [Int] {
        !sequences.isEmpty ? sequences : quick ? [1, 4, 32] : [1, 2, 4, 8, 16, 32, 64, 128]
    }
}

extension Plan {
    fileprivate static let gemm = Plan(rounds: 3...7, sideSeconds: 0.15, longestNaivePass: 0)
    fileprivate static let gemmQuick = Plan(rounds: 3...3, sideSeconds: 0.06, longestNaivePass: 0)
}
