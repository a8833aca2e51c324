import Sluice
import Testing
import TestSupport

/// A caller's mistake stops the program at the boundary, before any memory is touched.
@Suite struct BoundaryTests {
    private static func network(hiddenSize: Int = 4) -> Network<Double> {
        var random = Random(seed: 1)
        return Network(
            Configuration(cell: .gru(.resetAfter), inputSize: 3, hiddenSize: hiddenSize), .pyTorch, using: &random)
    }

    @Test func inputsOfAnotherShape() async {
        let narrow = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Self.network().forward(Matrix(rows: 6, columns: 2), Packing(sequences: 2, steps: 3))
        }
        #expect(narrow.says("inputs of 6 x 2 for 6 rows of 3 inputs"))
        let short = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Self.network().forward(Matrix(rows: 5, columns: 3), Packing(sequences: 2, steps: 3))
        }
        #expect(short.says("inputs of 5 x 3 for 6 rows of 3 inputs"))
    }

    @Test func statesOfAnotherShape() async {
        await #expect(processExitsWith: .failure) {
            let other = State<Double>(Self.network(hiddenSize: 3).configuration, sequences: 2)
            _ = Self.network().forward(Matrix(rows: 6, columns: 3), Packing(sequences: 2, steps: 3), from: other)
        }
    }

    @Test func workspaceOfAnotherConfiguration() async {
        await #expect(processExitsWith: .failure) {
            let packing = Packing(sequences: 2, steps: 3)
            let other = Workspace<Double>(Self.network(hiddenSize: 3).configuration, packing, recording: false)
            var state = State<Double>(Self.network().configuration, sequences: 2)
            var outputs = Matrix<Double>(rows: 6, columns: 4)
            Self.network().forward(Matrix(rows: 6, columns: 3), in: other, state: &state, into: &outputs)
        }
    }

    @Test func twoRecordingsInOneWorkspace() async {
        await #expect(processExitsWith: .failure) {
            let network = Self.network()
            let workspace = Workspace<Double>(network.configuration, Packing(sequences: 1, steps: 2), recording: true)
            let first = network.record(Matrix(rows: 2, columns: 3), in: workspace)
            let second = network.record(Matrix(rows: 2, columns: 3), in: workspace)
            _ = first.outputs
            _ = second.outputs
        }
    }

    /// A recording that is dropped gives its workspace back.
    @Test func workspaceIsFreeAfterARecording() {
        let network = Self.network()
        let workspace = Workspace<Double>(network.configuration, Packing(sequences: 1, steps: 2), recording: true)
        for _ in 0..<3 {
            let recording = network.record(Matrix(rows: 2, columns: 3), in: workspace)
            #expect(recording.outputs.rows == 2)
        }
    }

    @Test func parametersOfAnotherConfiguration() async {
        await #expect(processExitsWith: .failure) {
            var network = Self.network()
            network.parameters = Self.network(hiddenSize: 3).parameters
        }
    }

    /// A loss that is not finite comes back, and the parameters are still the last good ones.
    @Test func nonFiniteLossLeavesTheParameters() {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: .gru(.chung2014), inputSize: 1, hiddenSize: 4, head: Head(outputSize: 1))
        let network = Network<Double>(configuration, .pyTorch, using: &random)
        var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
        let packing = Packing(sequences: 2, steps: 1)
        let y = Matrix<Double>(rows: 2, columns: 1)
        for bad in [Double.nan, .infinity] {
            let loss = trainer.step(
                Matrix(rows: 2, columns: 1, [0, 0]), Matrix(rows: 2, columns: 1, [bad, 0]), packing)
            #expect(!loss.isFinite)
            #expect(trainer.network.parameters == network.parameters)
        }
        #expect(trainer.step(Matrix(rows: 2, columns: 1, [.nan, 0]), y, packing).isNaN)
        #expect(trainer.step(Matrix(rows: 2, columns: 1, [1, 0]), y, packing).isFinite)
        #expect(trainer.network.parameters != network.parameters)
    }
}
