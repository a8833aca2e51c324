import Foundation
import Sluice
import Testing
import TestSupport

@testable import SluiceIO

/// Of a file only what is asked for is read, in a time that grows as its tensors do.
@Suite struct LazyReadingTests {
    private static let configuration = Configuration(cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 5)

    /// A network under the prefix `rnn.`, and beside it a tensor of so many bytes that nobody wrote: the file has a hole there.
    private static func write(beside count: Int, type: String, shape: [Int], to path: String) throws {
        var random = Random(seed: 1)
        let network = Network<Float>(configuration, .pyTorch, using: &random)
        try network.save(to: "\(path).network")
        let file = try Safetensors(contentsOf: "\(path).network")
        var tensors = file.tensors.map { ("rnn." + $0.key, $0.value.type, $0.value.shape, $0.value.bytes.count) }
        tensors.append(("zzz.weight", type, shape, count))
        let header = SafetensorsHeader(tensors, metadata: [:])
        var bytes = try header.bytes(for: path)
        for name in file.tensors.keys.sorted() { bytes += file.tensors[name]!.bytes }
        try writeAtomically(bytes, to: path)
        try #require(truncate(path, off_t(bytes.count + count)) == 0)
    }

    /// The most memory that this process has had, in bytes.
    private static func peak() -> Int {
        var usage = rusage()
        getrusage(0, &usage) // RUSAGE_SELF
        return usage.ru_maxrss * 1024
    }

    @Test func aSmallNetworkOfALargeFileTakesLittleMemory() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/large"
            try Self.write(beside: 600 << 20, type: "BF16", shape: [300 << 20], to: path)
            await #expect(processExitsWith: .success) { [path = path as String] in
                let before = Self.peak()
                _ = try Network<Float>(contentsOf: path, as: Self.configuration, prefix: "rnn.")
                let grown = Self.peak() - before
                if grown > 64 << 20 { fatalError("\(grown) bytes") }
            }
        }
    }

    /// A header that claims a tensor of 1 TiB, which the file has, too, as a hole.
    @Test(.timeLimit(.minutes(60))) func aSparseFileIsAnError() throws {
        try withTemporaryFolder { folder in
            func words(_ body: () throws -> Void) -> String {
                let error = #expect(throws: FileError.self) { try body() }
                return error?.problem ?? ""
            }
            let path = "\(folder)/sparse"
            try Self.write(beside: 1 << 40, type: "F32", shape: [1 << 20, 1 << 18], to: path)
            #expect(
                words { _ = try Safetensors(contentsOf: path) }.hasPrefix("needs 1024.0 GiB of memory, and there are"))
            #expect(words { _ = try readFile(path) }.hasPrefix("needs 1024.0 GiB of memory, and there are"))
            #expect(
                words { _ = try SafetensorsFile(contentsOf: path).tensor("zzz.weight") }.hasPrefix("needs 1024.0 GiB"))
            #expect(throws: Never.self) { try Network<Float>(contentsOf: path, as: Self.configuration, prefix: "rnn.") }
            // One hole from its beginning to its end, and one whose first bytes claim all of it as its header.
            try writeAtomically([UInt8](repeating: 0, count: 8), to: path)
            truncate(path, 1 << 40)
            #expect(words { _ = try Safetensors(contentsOf: path) }.contains("its header does not begin with {"))
            try writeAtomically([0, 0, 0, 0, 0xFF, 0, 0, 0], to: path)
            truncate(path, 1 << 40)
            #expect(
                words { _ = try Safetensors(contentsOf: path) }.contains("a header of 1095216660480 bytes; 100000000"))
        }
    }

    /// A network as large as its configuration says, all of it a hole.
    @Test func aNetworkLargerThanTheMachineIsAnError() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/huge"
            let configuration = Configuration(
                cell: .rnn(.tanh), inputSize: 1 << 24, hiddenSize: 1 << 15, biases: Biases.none)
            let tensors = ParameterLayout(configuration).entries.map {
                ($0.name, "F32", $0.fileShape, $0.range.count * 4)
            }
            let header = SafetensorsHeader(tensors, metadata: [ModelFile.configurationKey: configuration.json])
            let bytes = try header.bytes(for: path)
            try writeAtomically(bytes, to: path)
            try #require(truncate(path, off_t(bytes.count + tensors.reduce(0) { $0 + $1.3 })) == 0)
            #expect(throws: Never.self) { try ModelFile(contentsOf: path) }
            let error = #expect(throws: FileError.self) { try Network<Float>(contentsOf: path) }
            #expect(
                error?.problem.hasPrefix("needs 2052.0 GiB of memory, and there are") == true, "\(error?.problem ?? "")"
            )
        }
    }

    /// What another program cut off meanwhile is an error, not a signal.
    @Test func aFileThatBecomesShorterIsAnError() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/m"
            try Self.write(beside: 1_000, type: "U8", shape: [1_000], to: path)
            let file = try SafetensorsFile(contentsOf: path)
            truncate(path, 600)
            let error = #expect(throws: FileError.self) { try file.tensor("zzz.weight") }
            #expect(error?.problem == "became shorter while it was read: 0 of 1000 bytes")
        }
    }

    /// Another file under its name changes nothing of one that is open.
    @Test func aFileThatIsReplacedStaysOpen() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/m"
            var random = Random(seed: 1)
            let network = Network<Float>(Self.configuration, .pyTorch, using: &random)
            try network.save(to: path)
            let file = try ModelFile(contentsOf: path)
            try writeAtomically("nothing", to: path)
            #expect(try Network<Float>(file).parameters == network.parameters)
        }
    }

    @Test func newerTypesBesideANetworkDoNotMatter() throws {
        try withTemporaryFolder { folder in
            for (type, bits) in [
                ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8), ("F4", 4), ("F6_E3M2", 6), ("C64", 64), ("F2_X", 3),
            ] {
                try Self.write(beside: 8 * bits, type: type, shape: [8, 8], to: "\(folder)/m")
                #expect(throws: Never.self) {
                    try Network<Float>(contentsOf: "\(folder)/m", as: Self.configuration, prefix: "rnn.")
                }
                #expect(try Safetensors(contentsOf: "\(folder)/m").tensors["zzz.weight"]?.type == type)
            }
        }
    }

    // MARK: Time

    /// The shortest of a few tries, in seconds of this thread on a processor: other programs do not count.
    private func shortest(_ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
        }
        var best = Double.infinity
        for _ in 0..<5 {
            let start = now()
            try body()
            best = min(best, now() - start)
        }
        return best
    }

    /// A limit of twice what is asked for; it took 2.5 s.
    @Test func manyTensorsTakeLittleTime() throws {
        try withTemporaryFolder { folder in
            var file = Safetensors()
            let one = Matrix<Float>(rows: 1, columns: 1)
            for index in 0..<60_000 { file.tensors["encoder.layers.\(index).weight"] = .init(one) }
            try file.write(to: "\(folder)/m")
            #expect(try shortest { _ = try SafetensorsFile(contentsOf: "\(folder)/m") } < 0.6)
        }
    }

    /// Saved, opened and compared without a search by name for each of 16,384 parameters, which took 3.1 s.
    @Test func manyLayersTakeLittleTime() throws {
        try withTemporaryFolder { folder in
            var random = Random(seed: 1)
            let network = Network<Float>(
                Configuration(cell: .gru(.resetAfter), inputSize: 1, hiddenSize: 1, layers: 4_096), .pyTorch,
                using: &random)
            let saving = try shortest { try network.save(to: "\(folder)/m") }
            let opening = try shortest { _ = try Network<Float>(contentsOf: "\(folder)/m") }
            #expect(saving < 0.6 && opening < 0.6)
            #expect(try Network<Float>(contentsOf: "\(folder)/m").parameters == network.parameters)
        }
    }

    /// One limit, both ways: of what would not be opened, nothing is saved.
    @Test func tooManyLayersAreNeitherSavedNorOpened() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/m"
            let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                [path = path as String] in
                var random = Random(seed: 1)
                let network = Network<Float>(
                    Configuration(cell: .rnn(.tanh), inputSize: 1, hiddenSize: 1, layers: 5_000), .pyTorch,
                    using: &random)
                do { try network.save(to: path) } catch { fatalError("\(error)") }
            }
            #expect(result.says("layers 5000; 1 to 4096 is possible"))
            let left = try names(in: folder)
            #expect(left == [])
            let text = #"{"cell":"rnn.tanh","inputSize":1,"hiddenSize":1,"layers":5000}"#
            let error = #expect(throws: FileError.self) { try Configuration(json: text, path: path) }
            #expect(error?.problem == "its sluice.configuration says layers 5000; 1 to 4096 is possible")
        }
    }
}
