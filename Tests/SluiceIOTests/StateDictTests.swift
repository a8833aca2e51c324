import Foundation
import Sluice
import SluiceIO
import Testing
import TestSupport

/// Files between PyTorch's `state_dict`s and networks here, both ways. PyTorch's are as its own users save them:
/// `scripts/golden/pytorch_state_dicts.py`.
@Suite struct StateDictTests {
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        let configuration: Configuration
        var prefix = ""
        var headPrefix = "head."
        var description: String { name }
        var path: String { Fixture.path("pytorch-state_dict-\(name)") }

        func network() throws -> Network<Float> {
            try Network(contentsOf: path, as: configuration, prefix: prefix, headPrefix: headPrefix)
        }
    }

    static let cases = [
        Case(
            name: "gru",
            configuration: Configuration(
                cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 5, layers: 2, direction: .bidirectional)),
        Case(
            name: "lstm",
            configuration: Configuration(
                cell: .lstm, inputSize: 3, hiddenSize: 5, layers: 2, projectionSize: 3, head: Head(outputSize: 2)),
            prefix: "rnn.", headPrefix: "fc."),
        Case(
            name: "rnn",
            configuration: Configuration(cell: .rnn(.relu), inputSize: 3, hiddenSize: 5, biases: Biases.none)),
    ]

    /// Float: sums of some ten products, seven steps deep.
    private static let tolerance: Float = 1e-5

    @Test(arguments: cases)
    func computesWhatPyTorchDoes(_ test: Case) throws {
        let expected = try Fixture("pytorch-state_dict-\(test.name)-expected").file.tensors
        let shape = try #require(expected["x"]?.shape)
        let x: Matrix<Float> = try #require(expected["x"]?.matrix())
        let (outputs, state) = try test.network().forward(x, Packing(sequences: shape[1], steps: shape[0]))
        func expect(_ result: [Matrix<Float>], _ name: String) throws {
            let peer: Matrix<Float> = try #require(expected[name]?.matrix())
            let own = Matrix<Float>(rows: peer.rows, columns: peer.columns, result.flatMap(\.elements))
            #expect(relativeDifference(own, peer) < Self.tolerance, "\(name)")
        }
        try expect([outputs], "y")
        try expect(state.hidden, "hn")
        if test.configuration.hasCellState { try expect(state.cell, "cn") }
    }

    /// A file saved here has PyTorch's tensors, by name, shape and bytes, which is what `load_state_dict` asks.
    @Test(arguments: cases)
    func savesPyTorchsTensors(_ test: Case) throws {
        try withTemporaryFolder { folder in
            try test.network().save(to: "\(folder)/saved")
            let theirs = try Safetensors(contentsOf: test.path).tensors
            let ours = try Safetensors(contentsOf: "\(folder)/saved").tensors
            for (name, tensor) in ours {
                let theirName =
                    name.hasPrefix("head.") ? test.headPrefix + name.dropFirst(5) : test.prefix + name
                #expect(tensor == theirs[theirName], "\(name)")
            }
            #expect(ours.count == theirs.count - (theirs["embedding.weight"] == nil ? 0 : 1))
        }
    }

    @Test func theFirstDifferenceIsNamed() throws {
        func expectRefusal(_ words: String, _ index: Int, _ change: (inout Configuration) -> Void) {
            var configuration = Self.cases[index].configuration
            change(&configuration)
            let changed = Case(
                name: Self.cases[index].name, configuration: configuration, prefix: Self.cases[index].prefix,
                headPrefix: Self.cases[index].headPrefix)
            let error = #expect(throws: FileError.self) { try changed.network() }
            #expect(error?.problem == words)
        }
        expectRefusal("weight_ih_l0 has shape [15, 3], its configuration says [15, 4]", 0) { $0.inputSize = 4 }
        expectRefusal("holds a tensor that its configuration does not know: bias_hh_l1", 0) { $0.layers = 1 }
        expectRefusal("weight_ih_l1 has shape [15, 10], its configuration says [15, 5]", 0) { $0.direction = .forward }
        expectRefusal("weight_ih_l0 has shape [15, 3], its configuration says [20, 3]", 0) { $0.cell = .lstm }
        expectRefusal("holds a tensor that its configuration does not know: bias_hh_l0", 0) { $0.biases = .input }
        expectRefusal("rnn.weight_hh_l0 has shape [20, 3], its configuration says [20, 5]", 1) {
            $0.projectionSize = nil
        }
        expectRefusal("fc.weight has shape [2, 3], its configuration says [4, 3]", 1) { $0.head?.outputSize = 4 }
        expectRefusal("lacks the parameter bias_ih_l0", 2) { $0.biases = .both }
        // A prefix that is not given is missed, and a head that is not asked for is another module's.
        let plain = Case(name: "lstm", configuration: Self.cases[1].configuration)
        #expect(throws: FileError(path: plain.path, problem: "lacks the parameter weight_ih_l0")) {
            try plain.network()
        }
        var bare = Self.cases[1].configuration
        bare.head = nil
        #expect(throws: Never.self) { try Case(name: "lstm", configuration: bare, prefix: "rnn.").network() }
        #expect(throws: FileError.self) { try Network<Double>(contentsOf: plain.path, as: bare, prefix: "rnn.") }
    }

    private static let exportFolder = ProcessInfo.processInfo.environment["SLUICE_PYTORCH_CHECK"]

    /// Networks for `scripts/check-pytorch`, which loads them in PyTorch and compares: inputs and outputs lie beside them.
    @Test(.enabled(if: exportFolder != nil)) func writesNetworksForPyTorch() throws {
        for cell in [Cell.gru(.resetAfter), .lstm, .rnn(.tanh), .rnn(.relu)] {
            for (direction, biases) in [(Direction.forward, Biases.both), (.bidirectional, .none)] {
                for projection in [nil, 3] where projection == nil || cell == .lstm {
                    var random = Random(seed: 4)
                    let configuration = Configuration(
                        cell: cell, inputSize: 3, hiddenSize: 5, layers: 3, direction: direction,
                        projectionSize: projection, biases: biases)
                    let network = Network<Float>(configuration, .pyTorch, using: &random)
                    let path = "\(Self.exportFolder!)/\(configuration.testDescription)"
                    try network.save(to: "\(path).safetensors")
                    let x = Matrix<Float>.random(rows: 28, columns: 3, using: &random)
                    let y = network.forward(x, Packing(sequences: 4, steps: 7)).outputs
                    var expected = Safetensors()
                    expected.tensors["x"] = .init(x, shape: [7, 4, 3])
                    expected.tensors["y"] = .init(y, shape: [7, 4, y.columns])
                    try expected.write(to: "\(path).expected")
                }
            }
        }
    }
}
