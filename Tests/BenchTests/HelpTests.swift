import ArgumentParser
import Testing

@testable import bench

/// What `bench --help` says.
@Suite struct HelpTests {
    /// Options are typed without the default subcommand's name, so a reader looks for them here.
    @Test func theDefaultSubcommandsOptionsAreShown() {
        let help = Bench.helpMessage(columns: 80)
        for option in [
            "--json", "--quick", "--full", "--filter <filter>", "--cell <cell>", "--direction <direction>",
            "--layers <layers>", "--projection <projection>", "--ragged", "--threads <threads>",
        ] {
            #expect(help.contains("\n  \(option)"), "\(option)")
        }
    }
}
