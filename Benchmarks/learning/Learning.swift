import ArgumentParser

/// `swift run -c release learning`: how fast networks learn, on data that are drawn as they are needed.
@main
struct Learning: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learning",
        abstract: "Trains networks on generated data and writes their learning curves.",
        discussion: """
            A run writes JSON, one object a line: first what is trained, then points of the curve as they are reached, and \
            last the result. The same seed gives the same losses, bit for bit.
            """,
        subcommands: [Adding.self, Addition.self])
}
