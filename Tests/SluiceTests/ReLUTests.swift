import Testing
import TestSupport

@testable import Sluice

/// ReLU at what is not a number, as PyTorch's `relu` and its `threshold_backward`: max(0, NaN) is NaN, and the gradient is 0 only
/// where the output is known to be at most 0.
@Suite struct ReLUTests {
    /// A vector and its remainder, at every level.
    @Test(arguments: KernelLevel.available, Backend.available)
    func nanGoesThroughBothWays(_ level: KernelLevel, _ backend: Backend) {
        check(Float.self)
        check(Double.self)

        func check<S: Scalar>(_: S.Type) {
            let engine = Engine<S>(backend: backend, level: level)
            let H = 37
            for place in 0..<H {
                var tape = Matrix<S>(rows: 1, columns: H, (0..<H).map { S($0 % 3) - 1 })
                tape[0, place] = .nan
                let bias = Matrix<S>(rows: 1, columns: H)
                var next = Matrix<S>(rows: 1, columns: H)
                engine.rnnForward(.relu, tape: tape.mutableView(), bias: bias.view, next: next.mutableView())
                for j in 0..<H {
                    let expected = j == place ? S.nan : max(0, S(j % 3) - 1)
                    #expect(next[0, j] == expected || next[0, j].isNaN && expected.isNaN, "\(S.self) unit \(j)")
                }
                let dh = Matrix<S>(rows: 1, columns: H, (0..<H).map { S($0) + 2 })
                var dbias = Matrix<S>(rows: 1, columns: H)
                engine.rnnBackward(
                    .relu, tape: tape.mutableView(), dy: nil, dh: dh.view, dbias: dbias.mutableView())
                for j in 0..<H {
                    let expected = j == place || j % 3 == 2 ? S(j) + 2 : 0
                    #expect(tape[0, j] == expected && dbias[0, j] == expected, "\(S.self) unit \(j)")
                }
                withExtendedLifetime((bias, dh)) {}
            }
        }
    }

    /// A NaN that comes back reaches the weights, whatever the output was.
    @Test func aNaNGradientIsSeen() {
        var random = Random(seed: 1)
        let configuration = Configuration(cell: .rnn(.relu), inputSize: 1, hiddenSize: 1)
        let network = Network<Float>(configuration, .pyTorch, using: &random)
        let nan = Matrix<Float>(rows: 1, columns: 1, [.nan]), packing = Packing(sequences: 1, steps: 1)
        let recording = network.record(nan, packing)
        #expect(recording.outputs[0, 0].isNaN)
        let gradients = recording.backward(outputs: Matrix(rows: 1, columns: 1, [1]))
        #expect(gradients.parameters.values.elements.contains { $0.isNaN })
    }
}
