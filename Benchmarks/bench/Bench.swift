import ArgumentParser

/// `swift run bench`: how fast this machine computes, measured and checked in one run.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures Sluice on this machine.",
        discussion: "Without a subcommand: compare, with its options, as in 'bench --quick'.",
        subcommands: [
            Compare.self, Layers.self, Gemm.self, GateKernels.self, Streaming.self, Memory.self, MemoryWorker.self,
            TrainerCost.self, PeerWorker.self,
        ],
        defaultSubcommand: Compare.self)
}
