import Foundation
import Sluice
import Testing
import TestSupport

@testable import SluiceIO

/// A folder of its own for each test, removed afterwards.
private func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}

@Suite struct ModelFileTests {
    static let configurations =
        Configuration.everyCell(inputSize: 3, hiddenSize: 5, layers: 2)
        + Configuration.everyCell(inputSize: 1, hiddenSize: 1, head: Head(outputSize: 2, steps: .last))

    @Test(arguments: configurations)
    func savesAndLoadsBitForBit(_ configuration: Configuration) throws {
        try withTemporaryFolder { folder in
            var random = Random(seed: 9)
            let double = Network<Double>(configuration, .pyTorch, using: &random)
            let float = Network<Float>(configuration, .keras, using: &random)
            try double.save(to: "\(folder)/d", metadata: ["note": "über \"quotes\""])
            try float.save(to: "\(folder)/f")

            let file = try ModelFile(contentsOf: "\(folder)/d")
            #expect(file.configuration == configuration && file.scalarType == .double)
            #expect(file.metadata == ["note": "über \"quotes\""])
            let loaded = try Network<Double>(contentsOf: "\(folder)/d")
            #expect(loaded.configuration == configuration && loaded.parameters == double.parameters)
            #expect(try Network<Float>(contentsOf: "\(folder)/f").parameters == float.parameters)
            #expect(throws: FileError.self) { try Network<Float>(contentsOf: "\(folder)/d") }
        }
    }

    /// What is in the file is PyTorch's: its names, its shapes, its transposed weights.
    @Test func weightsAreStoredAsPyTorchDoes() throws {
        try withTemporaryFolder { folder in
            var random = Random(seed: 9)
            let configuration = Configuration(cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 5)
            let network = Network<Double>(configuration, .pyTorch, using: &random)
            try network.save(to: "\(folder)/m")
            let file = try Safetensors(contentsOf: "\(folder)/m")
            #expect(
                file.tensors.mapValues(\.shape) == [
                    "weight_ih_l0": [15, 3], "weight_hh_l0": [15, 5], "bias_ih_l0": [15], "bias_hh_l0": [15],
                ])
            let stored: Matrix<Double> = try #require(file.tensors["weight_ih_l0"]?.matrix())
            #expect(stored[14, 2] == network.parameters["weight_ih_l0"][2, 14])
        }
    }

    @Test func refusesAnotherArchitectureNamingTheFirstDifference() throws {
        try withTemporaryFolder { folder in
            var random = Random(seed: 9)
            let network = Network<Double>(
                Configuration(cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 5), .pyTorch, using: &random)
            try network.save(to: "\(folder)/m")
            func expectRefusal(_ words: String, _ change: (inout Safetensors) -> Void) throws {
                var file = try Safetensors(contentsOf: "\(folder)/m")
                change(&file)
                try file.write(to: "\(folder)/changed")
                let error = #expect(throws: FileError.self) { try ModelFile(contentsOf: "\(folder)/changed") }
                #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            }
            try expectRefusal("lacks the parameter bias_hh_l0") { $0.tensors["bias_hh_l0"] = nil }
            try expectRefusal("does not know: bias_hh_l7") { $0.tensors["bias_hh_l7"] = $0.tensors["bias_hh_l0"] }
            try expectRefusal("weight_ih_l0 has shape [3, 15]") { $0.tensors["weight_ih_l0"]?.shape = [3, 15] }
            try expectRefusal("no sluice.configuration") { $0.metadata = [:] }
            try expectRefusal("cannot be understood") { file in
                file.metadata["sluice.configuration"] = file.metadata["sluice.configuration"]?
                    .replacingOccurrences(of: "\"hiddenSize\":5", with: "\"hiddenSize\":999999999999999")
            }
            try expectRefusal("bias_ih_l0 is of type F32") { file in
                file.tensors["bias_ih_l0"]?.type = "F32"
                file.tensors["bias_ih_l0"]?.bytes.removeLast(60)
            }
        }
    }
}

@Suite struct SafetensorsTests {
    /// A file by the format's own library, with keys out of the order of their offsets.
    @Test func readsAFileOfTheFormatsOwnLibrary() throws {
        let fixture = try Fixture("pytorch-resetAfter-T5B3I4H6")
        #expect(fixture.file.metadata["variant"] == "resetAfter")
        #expect(fixture.shape("x") == [5, 3, 4])
    }

    @Test func everyTruncationAndEveryChangedHeaderByteIsAnErrorOrHarmless() throws {
        var file = Safetensors()
        file.metadata = ["a": "b"]
        file.tensors["m"] = .init(Matrix<Double>(rows: 2, columns: 1, [1, 2]))
        let bytes = file.bytes()
        #expect(try Safetensors(bytes, path: "test") == file)
        for count in 0..<bytes.count {
            #expect(throws: FileError.self) { try Safetensors(Array(bytes[..<count]), path: "test") }
        }
        let headerEnd = bytes.count - 16
        for place in 0..<headerEnd {
            for value in [UInt8(0), 0x20, 0x22, 0x2D, 0x39, 0x7F, 0xFF] {
                var changed = bytes
                changed[place] = value
                _ = try? Safetensors(changed, path: "test") // must not trap
            }
        }
    }

    @Test func sameContentsGiveTheSameBytes() {
        var a = Safetensors(), b = Safetensors()
        for name in ["x", "y", "z"] { a.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        for name in ["z", "x", "y"] { b.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        #expect(a.bytes() == b.bytes())
    }
}

@Suite struct FileTests {
    @Test func writingKeepsTheOldFileUntilTheNewOneIsWhole() throws {
        try withTemporaryFolder { folder in
            try writeAtomically("one", to: "\(folder)/a")
            try writeAtomically("two", to: "\(folder)/a")
            #expect(try readFile("\(folder)/a") == Array("two".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
            let error = #expect(throws: FileError.self) { try writeAtomically("x", to: "\(folder)/no/a") }
            #expect(error?.description.contains("No such file") == true)
            #expect(throws: FileError.self) { try readFile("\(folder)/b") }
            #expect(throws: FileError.self) { try readFile(folder) }
        }
    }
}
