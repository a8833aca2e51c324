import Sluice
import Testing
import TestSupport

/// Every gradient against central differences, in Double.
@Suite struct GradientTests {
    struct Case: Sendable, CustomStringConvertible {
        let configuration: Configuration
        let lengths: [Int]
        var description: String {
            "\(configuration.cell) layers \(configuration.layers) head \(configuration.head?.steps.rawValue ?? "none") \(lengths)"
        }
    }

    static let cases: [Case] = [nil, Head(outputSize: 2), Head(outputSize: 3, steps: .last)].flatMap { head in
        Configuration.everyCell(inputSize: 3, hiddenSize: 5, head: head).map {
            Case(configuration: $0, lengths: [4, 4])
        }
            + Configuration.everyCell(inputSize: 2, hiddenSize: 3, layers: 2, head: head).map {
                Case(configuration: $0, lengths: [1, 5, 3, 3])
            }
            + Configuration.everyCell(inputSize: 1, hiddenSize: 1, head: head).map {
                Case(configuration: $0, lengths: [1])
            }
    }

    /// With step h the difference's own error is about h^2 / 6 times a third derivative plus epsilon / h times the loss:
    /// 1e-5 balances them near 1e-10, and the bound of 1e-7 is relative to the largest element of each gradient.
    @Test(arguments: cases, Backend.available)
    func centralDifferences(_ test: Case, _ backend: Backend) {
        var random = Random(seed: 7)
        let configuration = test.configuration
        let packing = Packing(lengths: test.lengths)
        let network = Network<Double>(
            configuration, Initialization(all: .truncatedNormal(standardDeviation: 0.8)), using: &random,
            backend: backend)
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: configuration.inputSize, using: &random)
        let initial = State<Double>.random(configuration, sequences: packing.sequenceCount, using: &random)
        let outputGradient = Matrix<Double>.random(
            rows: configuration.outputRowCount(packing), columns: configuration.outputSize, using: &random)
        let stateGradient = State<Double>.random(configuration, sequences: packing.sequenceCount, using: &random)

        /// The loss whose gradient is asked for: all outputs and final states, weighed at random.
        func loss(_ network: Network<Double>, _ x: Matrix<Double>, _ initial: State<Double>) -> Double {
            let (outputs, state) = network.forward(x, packing, from: initial)
            let pairs = zip([outputs] + state.hidden, [outputGradient] + stateGradient.hidden)
            return pairs.reduce(0) { sum, pair in
                zip(pair.0.elements, pair.1.elements).reduce(sum) { $0 + $1.0 * $1.1 }
            }
        }

        let gradients = network.record(x, packing, from: initial).backward(
            outputs: outputGradient, state: stateGradient)
        expectDifferences(network.parameters.values, gradients.parameters.values, "parameters") {
            var changed = network
            changed.parameters.values = $0
            return loss(changed, x, initial)
        }
        expectDifferences(x, gradients.inputs!, "inputs") { loss(network, $0, initial) }
        for layer in 0..<configuration.layers {
            expectDifferences(initial.hidden[layer], gradients.initialState.hidden[layer], "initial state \(layer)") {
                var changed = initial
                changed.hidden[layer] = $0
                return loss(network, x, changed)
            }
        }
    }

    private func expectDifferences(
        _ point: Matrix<Double>, _ gradient: Matrix<Double>, _ name: String, _ loss: (Matrix<Double>) -> Double
    ) {
        let step = 1e-5
        var numeric = point
        for row in 0..<point.rows {
            for column in 0..<point.columns {
                var above = point, below = point
                above[row, column] += step
                below[row, column] -= step
                numeric[row, column] = (loss(above) - loss(below)) / (2 * step)
            }
        }
        #expect(relativeDifference(gradient, numeric) < 1e-7, "\(name)")
    }
}
