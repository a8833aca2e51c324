import Foundation
import Sluice
import SluiceIO
import Testing
import TestSupport

/// Outputs, final states and every gradient of whole networks against PyTorch, Keras, ONNX Runtime and the ONNX package's
/// evaluator: every cell, layers, directions, projections, biases, equal and ragged batches. Each file carries its
/// configuration; `scripts/golden/make` writes them. And networks in training, with masks, against the equations in NumPy.
@Suite struct NetworkGoldenTests {
    static let names = Fixture.names { $0.metadata["sluice.configuration"] != nil }

    /// Double against double: sums of some tens of products, and functions to 3 units in the last place. ONNX Runtime
    /// computes in Float, to some units of a chain of seven steps.
    static func tolerance(_ name: String) -> Double { name.hasPrefix("onnxruntime") ? 1e-5 : 1e-11 }

    @Test func everyKindOfFileIsThere() {
        for (prefix, count) in [("pytorch-", 52), ("keras-", 43), ("onnx-", 15), ("onnxruntime-", 40), ("masked-", 8)] {
            #expect(Self.names.filter { $0.hasPrefix(prefix) }.count == count, "\(prefix)")
        }
    }

    @Test(arguments: names, Backend.available)
    func agreesWithPeer(_ name: String, _ backend: Backend) throws {
        let fixture = try Fixture(name)
        let configuration = try JSONDecoder().decode(
            Configuration.self, from: Data(fixture.file.metadata["sluice.configuration"]!.utf8))
        let steps = fixture.shape("x")[0], sequences = fixture.shape("x")[1]
        let lengths =
            fixture.file.tensors["lengths"] == nil
            ? [Int](repeating: steps, count: sequences) : try fixture.integers("lengths")
        let packing = Packing(lengths: lengths)
        func packed(_ tensor: String) throws -> Matrix<Double> {
            packing.pack(try fixture.matrix(tensor), order: .timeMajor)
        }
        let tolerance = Self.tolerance(name)
        func expect(_ result: Matrix<Double>, _ expected: Matrix<Double>, _ what: String) {
            let difference = relativeDifference(result, expected)
            #expect(difference < tolerance, "\(what): \(difference)")
        }
        func expect(_ result: State<Double>, _ expected: State<Double>, _ what: String) {
            for (a, b) in zip(result.matrices, expected.matrices) { expect(a, b, what) }
        }

        let network = Network(configuration, try fixture.parameters(configuration), backend: backend)
        let regularization = try fixture.file.metadata["sluice.regularization"].map {
            try JSONDecoder().decode(Regularization.self, from: Data($0.utf8))
        }
        var random = Random(seed: UInt64(fixture.file.metadata["seed"] ?? "0")!)
        let recording = network.record(
            try packed("x"), packing, from: try fixture.state("h0", "c0", configuration, sequences),
            regularization: regularization ?? .none, using: &random)
        expect(recording.outputs, try packed("y"), "outputs")
        expect(recording.state, try fixture.state("hn", "cn", configuration, sequences), "final states")
        guard fixture.file.tensors["dy"] != nil else { return }

        let gradients = recording.backward(
            outputs: try packed("dy"), state: try fixture.state("dhn", "dcn", configuration, sequences))
        expect(gradients.inputs!, try packed("grad.x"), "gradient of the inputs")
        expect(
            gradients.initialState, try fixture.state("grad.h0", "grad.c0", configuration, sequences),
            "gradient of the initial states")
        let golden = try fixture.parameters(configuration, prefix: "grad.")
        for entry in golden.layout.entries {
            expect(gradients.parameters[entry.name], golden[entry.name], "gradient of \(entry.name)")
        }
    }
}
