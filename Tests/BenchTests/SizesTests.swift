import ArgumentParser
import Testing

@testable import bench

/// Sizes that cannot be are told in words before anything is made of them: products that overflow, memory that there is not.
@Suite struct SizesTests {
    private static let most = "9223372036854775807"

    private func expectRefused<Command: ParsableCommand>(
        _: Command.Type, _ arguments: [String], _ words: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let error = try #require(
            #expect(throws: (any Error).self, sourceLocation: location) { try Command.parse(arguments) })
        #expect(Command.exitCode(for: error).rawValue == 64, sourceLocation: location)
        let message = Command.message(for: error)
        #expect(message.contains(words), "\(message)", sourceLocation: location)
    }

    @Test(arguments: [
        "9223372036854775807,2,2,2", "2,9223372036854775807,2,2", "2,2,9223372036854775807,2",
        "2,2,2,9223372036854775807", "268435457,1,1,1",
    ]) func sizesBeyondAll(shape: String) throws {
        try expectRefused(Layers.self, [shape], "each size must be from 1 to 268435456")
    }

    @Test(arguments: [
        "268435456,268435456,268435456,268435456", "268435456,268435456,1,1", "1,1,268435456,268435456",
        "1,1,268435456,1000000", "1,268435456,100000,1",
    ]) func memoryThatIsNotThere(shape: String) throws {
        try expectRefused(Layers.self, [shape], "of memory, and this machine has")
        try expectRefused(Layers.self, [shape, "--ragged", "--cell", "lstm.standard", "--projection", "1"], "memory")
    }

    @Test func layersOfANetwork() throws {
        for most in [Self.most, "268435457", "0", "-1"] {
            try expectRefused(Layers.self, ["1,1,2,2", "--layers=\(most)"], "--layers must be from 1 to 268435456")
            try expectRefused(Compare.self, ["--quick", "--layers=\(most)"], "--layers must be from 1 to 268435456")
        }
        try expectRefused(Compare.self, ["--quick", "--layers", "268435456"], "of memory, and this machine has")
    }

    @Test(arguments: [most, "268435457", "0", "-5"]) func optionsOfEachCommand(size: String) throws {
        let words = "must be from 1 to 268435456, not \(size)"
        for option in ["--hidden", "--sequences"] {
            let arguments = ["\(option)=\(size)"]
            try expectRefused(GateKernels.self, arguments, words)
            try expectRefused(Streaming.self, arguments, words)
        }
        try expectRefused(Streaming.self, ["--inputs=\(size)"], words)
        try expectRefused(Streaming.self, ["--steps=\(size)"], words)
        for option in ["--batch", "--inputs", "--hidden", "--layers"] {
            try expectRefused(Memory.self, ["\(option)=\(size)"], words)
        }
        if size != "-5" { // an option of several values takes no sign
            try expectRefused(Memory.self, ["--steps", size], words)
            for option in ["--hidden", "--sequences"] { try expectRefused(Gemm.self, [option, size], words) }
        }
    }

    @Test func memoryOfEachCommand() throws {
        let words = "of memory, and this machine has", most = "268435456"
        try expectRefused(Gemm.self, ["--hidden", most], words)
        try expectRefused(Streaming.self, ["--hidden", most], words)
        try expectRefused(GateKernels.self, ["--hidden", most, "--sequences", most], words)
        try expectRefused(Memory.self, ["--steps", most, "--hidden", "10000"], words)
        try expectRefused(TrainerCost.self, ["--parameters", "1099511627776"], words)
        try expectRefused(TrainerCost.self, ["--parameters", Self.most], "must be from 1 to")
        try expectRefused(
            MemoryWorker.self,
            [
                "--steps", most, "--batch", most, "--inputs", "1", "--hidden", "1", "--layers", "1", "--cell",
                "gru.resetAfter", "--threads", "1",
            ], words)
    }
}
