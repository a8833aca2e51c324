import Testing

@testable import bench

@Suite struct MemoryTests {
    @Test(arguments: [[], ["--quick"], ["--steps", "100", "200", "--cell", "lstm.standard", "--layers", "2"]])
    func goodOptions(arguments: [String]) throws {
        _ = try Memory.parse(arguments)
    }

    @Test(arguments: [
        ["--steps", "0"], ["--batch", "0"], ["--quick", "--steps", "100"], ["--threads", "0"], ["--cell", "none"],
    ]) func badOptionsAreRefused(arguments: [String]) throws {
        let error = try #require(#expect(throws: (any Error).self) { try Memory.parse(arguments) })
        #expect(Memory.exitCode(for: error).rawValue == 64)
    }

    @Test func figures() {
        #expect(MemoryFigures("1048576 0.25") == MemoryFigures(bytes: 1 << 20, seconds: 0.25))
        #expect(MemoryFigures("") == nil && MemoryFigures("1 x") == nil && MemoryFigures("1 2 3") == nil)
    }

    /// Markdown, whose columns stand below each other.
    @Test func table() {
        let row = MemoryRow(
            steps: 10_000, way: .checkpointed, figures: MemoryFigures(bytes: 3 << 20, seconds: 0.125), timeToPlain: 1.25
        )
        #expect(row.line == "|   10000 | checkpointed |      3.00 |          315 |  125 ms |     1.25 |")
        #expect(
            MemoryRow.header == [
                "|       T | way          | peak, MiB | bytes a step |    time | of plain |",
                "|--------:|--------------|----------:|-------------:|--------:|---------:|",
            ])
        let failed = MemoryRow(steps: 10, way: .pyTorch, figures: nil, timeToPlain: nil)
        #expect(failed.line == "|      10 | PyTorch      |    failed |            - |       - |        - |")
    }
}
