import ArgumentParser

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures Sluice on this machine.",
        usage: """
            bench [<options>]
            bench <subcommand> [<options>]
            """,
        discussion: """
            Without a subcommand, as in 'bench --quick', it is compare, with the options:

            \(compareOptions)
            """,
        subcommands: [
            Compare.self, Layers.self, Gemm.self, GateKernels.self, Streaming.self, Memory.self, MemoryWorker.self,
            Ragged.self, TrainerCost.self, PeerWorker.self,
        ],
        defaultSubcommand: Compare.self)

    /// The options of the default subcommand, which `bench --help` would not show otherwise.
    private static var compareOptions: String {
        let help = Compare.helpMessage(columns: 80)
        guard let options = help.firstRange(of: "OPTIONS:\n"), let end = help.firstRange(of: "  -h, --help") else {
            return help
        }
        return String(help[options.upperBound..<end.lowerBound])
    }
}
