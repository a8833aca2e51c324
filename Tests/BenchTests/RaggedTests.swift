import Foundation
import Sluice
import Testing

@testable import bench

@Suite struct RaggedTests {
    @Test(arguments: [
        [], ["--quick"], ["--hidden", "8", "16", "--batch", "2", "--lengths", "1-1", "3-9", "--steps", "20", "--json"],
    ])
    func goodOptions(arguments: [String]) throws { _ = try Ragged.parse(arguments) }

    @Test(arguments: [
        ["--hidden", "0"], ["--batch", "9223372036854775807"], ["--lengths", "0-4"], ["--lengths", "4-3"],
        ["--lengths", "4"], ["--lengths", "1-9223372036854775807"], ["--steps", "19"], ["--seconds", "0"],
        ["--threads", "0"],
    ])
    func badOptionsAreRefused(arguments: [String]) throws {
        let error = try #require(#expect(throws: (any Error).self) { try Ragged.parse(arguments) })
        #expect(Ragged.exitCode(for: error).rawValue == 64)
    }

    /// Both sides, in turns, of a line as long as a quick one.
    @Test func aTrial() throws {
        let shape = RaggedShape(hidden: 8, batch: 3, inputs: 4, lengths: Lengths(1...6))
        var trial = RaggedTrial(shape, .single)
        let turns = try trial.run(steps: 40, seconds: 60)
        #expect(turns.steps == 40)
        for figures in [turns.first, turns.last] {
            #expect(figures.new > 0 && figures.one > 0 && figures.ratio > 0)
        }
    }

    @Test func medians() {
        let figures = RaggedFigures([(3, 1), (4, 2), (9, 1)])
        #expect(figures.new == 4 && figures.one == 1 && figures.ratio == 3)
    }

    /// Markdown, whose columns stand below each other.
    @Test func table() {
        let figures = RaggedFigures([(new: 5e-5, one: 4e-5)])
        let row = RaggedRow(
            shape: RaggedShape(hidden: 8, batch: 4, inputs: 8, lengths: Lengths(1...40)), steps: 10_000, first: figures,
            last: figures, grown: 4096, pyTorch: 5e-4)
        #expect(Set([RaggedRow.header[0].count, RaggedRow.header[1].count, row.line.count]).count == 1)
        #expect(row.line.contains("| 1-40    |  10000 |    40.0 us |    50.0 us |  1.25 |"))
        #expect(row.line.hasSuffix("|    4 KiB |  500 us |      10.0x |"))
    }
}
