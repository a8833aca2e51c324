import Sluice
import SluiceIO
import Testing
import TestSupport

/// Outputs and every gradient against PyTorch, Keras and TensorFlow, whose files `scripts/golden/make` writes.
@Suite struct GoldenTests {
    /// Sums of a few hundred products in another order, and exp, sigmoid and tanh to 2 units in the last place.
    static let tolerance = 1e-12

    static let plainCases: [(String, GRU.Variant)] =
        ["T5B3I4H6", "T7B1I3H5", "T1B4I2H3", "T4B5I1H1", "T9B8I16H17", "T4B2I3H5-zero"].flatMap {
            [("pytorch-resetAfter-\($0)", .resetAfter), ("keras-resetBefore-\($0)", .resetBefore)]
        } + [("tensorflow-chung2014-T6B4I2H7", .chung2014), ("pytorch-resetAfter-ragged", .resetAfter)]

    @Test(arguments: plainCases, Backend.available)
    func agreesWithPeer(_ golden: (name: String, variant: GRU.Variant), _ backend: Backend) throws {
        let fixture = try Fixture(golden.name)
        let steps = fixture.shape("x")[0], sequences = fixture.shape("x")[1]
        let configuration = Configuration(
            cell: .gru(golden.variant), inputSize: fixture.shape("x")[2], hiddenSize: fixture.shape("y")[2])
        let packing =
            fixture.file.tensors["lengths"] == nil
            ? Packing(sequences: sequences, steps: steps) : Packing(lengths: try fixture.integers("lengths"))
        let network = Network(configuration, try fixture.parameters(configuration), backend: backend)

        var initial = State<Double>(configuration, sequences: sequences)
        initial.hidden[0] = try fixture.matrix("h0")
        var finalGradient = initial
        finalGradient.hidden[0] = try fixture.matrix("dhn")

        let recording = network.record(pack(try fixture.matrix("x"), packing), packing, from: initial)
        #expect(relativeDifference(recording.outputs, pack(try fixture.matrix("y"), packing)) < Self.tolerance)
        #expect(relativeDifference(recording.state.hidden[0], try fixture.matrix("hn")) < Self.tolerance)

        let gradients = recording.backward(outputs: pack(try fixture.matrix("dy"), packing), state: finalGradient)
        #expect(relativeDifference(gradients.inputs!, pack(try fixture.matrix("grad.x"), packing)) < Self.tolerance)
        if fixture.file.tensors["grad.h0"] != nil {
            #expect(
                relativeDifference(gradients.initialState.hidden[0], try fixture.matrix("grad.h0")) < Self.tolerance)
        }
        let golden = try fixture.parameters(configuration, prefix: "grad.")
        for entry in golden.layout.entries {
            #expect(
                relativeDifference(gradients.parameters[entry.name], golden[entry.name]) < Self.tolerance,
                "gradient of \(entry.name)")
        }
    }

    /// Rows t B + b of a padded tensor into the rows of a packing.
    private func pack(_ padded: Matrix<Double>, _ packing: Packing) -> Matrix<Double> {
        var packed = Matrix<Double>(rows: packing.rowCount, columns: padded.columns)
        for (sequence, length) in packing.lengths.enumerated() {
            for step in 0..<length {
                for column in 0..<padded.columns {
                    packed[packing.row(sequence: sequence, step: step), column] =
                        padded[step * packing.sequenceCount + sequence, column]
                }
            }
        }
        return packed
    }
}

/// Ten iterations of the original TensorFlow graph.
@Suite struct OriginalTests {
    let fixture: Fixture
    let configuration = Configuration(
        cell: .gru(.chung2014), inputSize: 2, hiddenSize: 16, head: Head(outputSize: 1))
    let packing = Packing(sequences: 100, steps: 5)

    init() throws { fixture = try Fixture("tensorflow-chung2014-addition") }

    @Test(arguments: Backend.available)
    func firstGradient(_ backend: Backend) throws {
        let network = Network(configuration, try fixture.parameters(configuration), backend: backend)
        let recording = network.record(try fixture.matrix("x_train"), packing)
        let outputs = recording.outputs, targets = try fixture.matrix("y_train")
        #expect(relativeDifference(outputs, try fixture.matrix("output0")) < 1e-12)

        let error = zip(outputs.elements, targets.elements).map { ($0 - $1) / 100 }
        let gradients = recording.backward(outputs: Matrix(rows: 500, columns: 1, error)).parameters
        let golden = try fixture.parameters(configuration, prefix: "grad.")
        for entry in golden.layout.entries {
            #expect(relativeDifference(gradients[entry.name], golden[entry.name]) < 1e-12, "gradient of \(entry.name)")
        }
    }

    /// TensorFlow's optimiser rounds its constants to Float32 whatever the scalar is (1 - b2 is then off by 1e-5, which
    /// mostly cancels), so the literal original is met to 2e-6; the same graph with constants in Float64 to 1e-12.
    @Test(arguments: [("adam64.", 1e-12), ("", 2e-6)], Backend.available)
    func tenIterations(_ golden: (prefix: String, tolerance: Double), _ backend: Backend) throws {
        let network = Network(configuration, try fixture.parameters(configuration), backend: backend)
        var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
        let x = try fixture.matrix("x_train"), y = try fixture.matrix("y_train")
        let xTest = try fixture.matrix("x_test"), yTest = try fixture.matrix("y_test")
        var train: [Double] = [], test: [Double] = []
        for _ in 0..<10 {
            train.append(trainer.step(x, y, packing))
            test.append(trainer.evaluate(xTest, yTest, packing))
        }
        for (name, curve) in [("train_loss", train), ("test_loss", test)] {
            let expected = try fixture.matrix(golden.prefix + name)
            #expect(relativeDifference(Matrix(rows: 1, columns: 10, curve), expected) < golden.tolerance)
        }
        let final = try fixture.parameters(configuration, prefix: golden.prefix + "final.")
        #expect(relativeDifference(trainer.network.parameters.values, final.values) < golden.tolerance)
    }
}
