import Foundation
import Sluice
import Testing
import TestSupport

@testable import SluiceIO

@Suite struct ModelFileTests {
    static let configurations =
        Direction.allCases.flatMap { Configuration.everyCell(inputSize: 3, hiddenSize: 5, layers: 3, direction: $0) }
        + Biases.allCases.flatMap { biases in
            Configuration.everyCell(inputSize: 2, hiddenSize: 4, direction: .bidirectional).map {
                var configuration = $0
                configuration.biases = biases
                return configuration
            }
        }
        + Head.Steps.allCases.flatMap {
            Configuration.everyCell(inputSize: 1, hiddenSize: 1, head: Head(outputSize: 2, steps: $0))
        }

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
            func expectRefusal(_ words: String, _ change: (inout Safetensors) throws -> Void) throws {
                var file = try Safetensors(contentsOf: "\(folder)/m")
                try change(&file)
                try file.write(to: "\(folder)/changed")
                let error = #expect(throws: FileError.self) { try Network<Double>(contentsOf: "\(folder)/changed") }
                #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            }
            try expectRefusal("lacks the parameter bias_hh_l0") { $0.tensors["bias_hh_l0"] = nil }
            try expectRefusal("does not know: bias_hh_l7") { $0.tensors["bias_hh_l7"] = $0.tensors["bias_hh_l0"] }
            try expectRefusal("weight_ih_l0 has shape [3, 15]") {
                let bytes = try #require($0.tensors["weight_ih_l0"]?.bytes)
                $0.tensors["weight_ih_l0"] = try .init(type: "F64", shape: [3, 15], bytes: bytes)
            }
            try expectRefusal("no sluice.configuration") { $0.metadata = [:] }
            try expectRefusal("bias_ih_l0 is of type F32, and double is F64") {
                $0.tensors["bias_ih_l0"] = .init(Matrix<Float>(rows: 1, columns: 15), shape: [15])
            }
            try expectRefusal("bias_ih_l0 is of type F8_E4M3; F16, BF16, F32 or F64 is needed") {
                $0.tensors["bias_ih_l0"] = try .init(
                    type: "F8_E4M3", shape: [15], bytes: [UInt8](repeating: 0, count: 15))
            }
        }
    }

    /// The difference is named, not the tensor that shows it.
    @Test func refusesAnotherConfigurationNamingTheFirstDifference() throws {
        try withTemporaryFolder { folder in
            let saved = Configuration(
                cell: .lstm, inputSize: 3, hiddenSize: 5, layers: 2, direction: .bidirectional, projectionSize: 2,
                head: Head(outputSize: 2, steps: .last))
            var random = Random(seed: 9)
            let network = Network<Double>(saved, .pyTorch, using: &random)
            try network.save(to: "\(folder)/m")
            #expect(try Network<Double>(contentsOf: "\(folder)/m", as: saved).parameters == network.parameters)
            func expectRefusal(_ words: String, _ change: (inout Configuration) -> Void) {
                var asked = saved
                change(&asked)
                let error = #expect(throws: FileError.self) {
                    try Network<Double>(contentsOf: "\(folder)/m", as: asked)
                }
                #expect(error?.problem == "holds another network: its " + words)
            }
            expectRefusal("cell is lstm.standard, not lstm.peephole") { $0.cell = .lstm(.peephole) }
            expectRefusal("inputSize is 3, not 4") { $0.inputSize = 4 }
            expectRefusal("hiddenSize is 5, not 6") { ($0.hiddenSize, $0.layers) = (6, 1) }
            expectRefusal("layers is 2, not 1") { $0.layers = 1 }
            expectRefusal("direction is bidirectional, not backward") { $0.direction = .backward }
            expectRefusal("projectionSize is 2, not none") { $0.projectionSize = nil }
            expectRefusal("biases are standard, not input") { $0.biases = .input }
            expectRefusal("head is 2 outputs on last, not none") { $0.head = nil }
            expectRefusal("head is 2 outputs on last, not 2 outputs on mean") { $0.head?.steps = .mean }
            // The standard biases by their name are the same network.
            var named = saved
            named.biases = .both
            #expect(throws: Never.self) { try Network<Double>(contentsOf: "\(folder)/m", as: named) }
        }
    }
}

@Suite struct ConfigurationFileTests {
    private static func configuration(_ fields: String) throws(FileError) -> Configuration {
        try Configuration(json: "{\(fields)}", path: "test")
    }

    /// What files held before there were directions, projections and a choice of biases.
    @Test func theFirstFormStillReads() throws {
        let read = try Self.configuration(
            #""cell":"gru.chung2014","inputSize":2,"hiddenSize":16,"layers":1,"head":{"outputSize":1,"steps":"all"}"#)
        #expect(
            read == Configuration(cell: .gru(.chung2014), inputSize: 2, hiddenSize: 16, head: Head(outputSize: 1)))
    }

    @Test(arguments: [
        (#""cell":"lstm.standard","inputSize":0,"hiddenSize":5,"layers":1"#, "inputSize 0"),
        (
            #""cell":"lstm.standard","inputSize":3,"hiddenSize":999999999999999,"layers":1"#,
            "hiddenSize 999999999999999"
        ),
        (#""cell":"lstm.standard","inputSize":3,"hiddenSize":5,"layers":-1"#, "layers -1"),
        (#""cell":"gru.resetAfter","inputSize":3,"hiddenSize":5,"layers":1,"projectionSize":2"#, "no projection"),
        (#""cell":"lstm.standard","inputSize":3,"hiddenSize":5,"layers":1,"projectionSize":5"#, "1 to 4 is possible"),
        (#""cell":"lstm.standard","inputSize":3,"hiddenSize":5,"layers":1,"projectionSize":0"#, "projectionSize 0"),
        (
            #""cell":"rnn.tanh","inputSize":3,"hiddenSize":5,"layers":1,"head":{"outputSize":0,"steps":"all"}"#,
            "head.outputSize 0"
        ),
        (#""cell":"lstm.huge","inputSize":3,"hiddenSize":5,"layers":1"#, "cannot be understood"),
        (#""cell":"rnn.tanh","inputSize":3,"hiddenSize":5,"layers":1,"direction":"up"#, "cannot be understood"),
        (#""cell":"rnn.tanh","inputSize":1e30,"hiddenSize":5,"layers":1"#, "cannot be understood"),
        (#""cell":"rnn.tanh","inputSize":3,"inputSize":4,"hiddenSize":5,"layers":1"#, "cannot be understood"),
    ])
    func whatNoNetworkCanHaveIsAnError(_ fields: String, _ words: String) {
        let error = #expect(throws: FileError.self) { try Self.configuration(fields) }
        #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
    }

    /// The largest of everything is too much; of the largest that is possible the parameters can be counted, and the file lacks
    /// them.
    @Test(arguments: [
        ("lstm.layerNormalized", 1 << 20, "says a network of 108244875366891520 parameters"),
        ("rnn.tanh", 1 << 6, "lacks the parameter weight_ih_l0"),
    ])
    func theLargestSizesAreCounted(_ cell: String, _ hidden: Int, _ words: String) throws {
        var file = Safetensors()
        file.metadata[ModelFile.configurationKey] = """
            {"cell":"\(cell)","inputSize":16777216,"hiddenSize":\(hidden),"layers":4096,\
            "direction":"bidirectional","head":{"outputSize":16777216,"steps":"all"}}
            """
        let opened = try SafetensorsFile(file.bytes(), path: "test")
        let error = #expect(throws: FileError.self) { try ModelFile(opened) }
        #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
    }

    @Test func anyChangeOfAByteIsAnErrorOrHarmless() throws {
        let configuration = Configuration(
            cell: .lstm, inputSize: 3, hiddenSize: 5, layers: 2, direction: .bidirectional, projectionSize: 2,
            biases: .both, head: Head(outputSize: 2, steps: .last))
        let text = [UInt8](configuration.json.utf8)
        for place in text.indices {
            for value in [UInt8(0), 0x20, 0x22, 0x2C, 0x2D, 0x2E, 0x30, 0x39, 0x65, 0x7D, 0xFF] {
                var changed = text
                changed[place] = value
                var file = Safetensors()
                file.metadata[ModelFile.configurationKey] = String(decoding: changed, as: UTF8.self)
                _ = try? ModelFile(SafetensorsFile(file.bytes(), path: "test")) // must not trap
            }
        }
    }
}
