import Foundation
@testable import Sluice
import Testing
import TestSupport

@Suite struct StreamingNetworkTests {
    static let configurations = [nil, Head(outputSize: 2), Head(outputSize: 2, steps: .last)].flatMap {
        Configuration.everyCell(inputSize: 3, hiddenSize: 17, layers: 2, head: $0)
    }

    /// Step by step gives what the whole batch gives, to a few units in the last place (products of other row counts may
    /// sum in another order).
    @Test(arguments: configurations, Backend.available)
    func equalsTheBatch(_ configuration: Configuration, _ backend: Backend) {
        for sequences in [1, 3, 40] {
            var random = Random(seed: 2)
            let steps = 6
            let network = Network<Double>(configuration, .pyTorch, using: &random, backend: backend)
            let x = Matrix<Double>.random(rows: steps * sequences, columns: 3, using: &random)
            let initial = State<Double>.random(configuration, sequences: sequences, using: &random)
            let (outputs, state) = network.forward(x, Packing(sequences: sequences, steps: steps), from: initial)

            let stream = StreamingNetwork(network, sequences: sequences)
            stream.state = initial
            var stepOutputs = Matrix<Double>(rows: sequences, columns: configuration.outputSize)
            for step in 0..<steps {
                stream.step(rows(step * sequences, sequences, of: x), into: &stepOutputs)
                if configuration.head?.steps != .last {
                    #expect(relativeDifference(stepOutputs, rows(step * sequences, sequences, of: outputs)) < 1e-13)
                }
            }
            if configuration.head?.steps == .last { #expect(relativeDifference(stepOutputs, outputs) < 1e-13) }
            for (streamed, whole) in zip(stream.state.matrices, state.matrices) {
                #expect(relativeDifference(streamed, whole) < 1e-13)
            }
        }
    }

    @Test(arguments: Direction.allCases.filter { $0 != .forward })
    func refusesANetworkThatLooksAhead(_ direction: Direction) async {
        await #expect(processExitsWith: .failure) { [direction = direction as Direction] in
            var random = Random(seed: 3)
            let configuration = Configuration(cell: .lstm, inputSize: 2, hiddenSize: 3, direction: direction)
            _ = StreamingNetwork(Network<Double>(configuration, .pyTorch, using: &random))
        }
    }

    @Test(arguments: [Cell.gru(.resetAfter), .lstm, .lstm(.layerNormalized), .rnn(.tanh)])
    func resetAndRestore(_ cell: Cell) {
        var random = Random(seed: 3)
        let configuration = Configuration(cell: cell, inputSize: 128, hiddenSize: 64)
        #expect(configuration.shards(of: Packing(sequences: 40, steps: 1)).count >= 1)
        let stream = StreamingNetwork(Network<Double>(configuration, .pyTorch, using: &random), sequences: 40)
        let x = Matrix<Double>.random(rows: 40, columns: 128, using: &random)
        var outputs = Matrix<Double>(rows: 40, columns: 64), again = outputs
        stream.step(x, into: &outputs)
        let kept = stream.state
        stream.step(x, into: &outputs)
        stream.state = kept
        stream.step(x, into: &again)
        #expect(outputs == again)

        let before = stream.state
        stream.reset(sequence: 37)
        for (now, then) in zip(stream.state.matrices, before.matrices) {
            #expect((0..<64).allSatisfy { now[37, $0] == 0 && now[36, $0] == then[36, $0] })
            #expect((0..<64).contains { then[37, $0] != 0 })
        }
    }

    private func rows(_ start: Int, _ count: Int, of matrix: Matrix<Double>) -> Matrix<Double> {
        let elements = matrix.elements[start * matrix.columns..<(start + count) * matrix.columns]
        return Matrix(rows: count, columns: matrix.columns, elements)
    }
}
