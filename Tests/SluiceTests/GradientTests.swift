import Sluice
import Testing
import TestSupport

/// Every gradient against central differences, in Double.
@Suite struct GradientTests {
    struct Case: Sendable, CustomStringConvertible {
        let configuration: Configuration
        let lengths: [Int]
        var description: String { "\(configuration.testDescription) \(lengths)" }
    }

    static let heads: [Head?] = [nil] + Head.Steps.allCases.map { Head(outputSize: 2, steps: $0) }
    static let cases: [Case] =
        heads.flatMap { head in
            (head == nil ? Direction.allCases : [.forward, .bidirectional]).flatMap { direction in
                Configuration.everyCell(inputSize: 2, hiddenSize: 3, layers: 2, direction: direction, head: head).map {
                    Case(configuration: $0, lengths: [1, 3, 2])
                }
            }
                + Configuration.everyCell(inputSize: 3, hiddenSize: 4, head: head).map {
                    Case(configuration: $0, lengths: [3, 3])
                }
                // One number normalised is always 0, so that its gradient is nothing but rounding: left out here.
                + Configuration.everyCell(inputSize: 1, hiddenSize: 1, direction: .bidirectional, head: head)
                .filter { ![.gru(.layerNormalized), .lstm(.layerNormalized)].contains($0.cell) }
                .map { Case(configuration: $0, lengths: [1]) }
        }
        + Biases.allCases.flatMap { biases in
            Configuration.everyCell(inputSize: 2, hiddenSize: 3).map {
                var configuration = $0
                configuration.biases = biases
                return Case(configuration: configuration, lengths: [2, 3])
            }
        }

    @Test(arguments: cases, Backend.available)
    func centralDifferences(_ test: Case, _ backend: Backend) {
        expectGradients(
            test.configuration, test.lengths, backend, forward: { $0.forward($1, $2, from: $3) },
            record: { $0.record($1, $2, from: $3) })
    }
}

/// Expects the gradients of a pass, with everything in it random, to be the central differences of its outputs and states.
///
/// With step h the difference's own error is about h^2 / 6 times a third derivative plus epsilon / h times the loss:
/// 1e-5 balances them near 1e-10, and the bound of 1e-7 is relative to the largest element of each gradient.
///
/// - Parameters:
///   - forward: the same pass as `record` at every call.
func expectGradients(
    _ configuration: Configuration, _ lengths: [Int], _ backend: Backend,
    forward: (Network<Double>, Matrix<Double>, Packing, State<Double>) -> (
        outputs: Matrix<Double>, state: State<Double>
    ),
    record: (Network<Double>, Matrix<Double>, Packing, State<Double>) -> Recording<Double>
) {
    var random = Random(seed: 7)
    let packing = Packing(lengths: lengths)
    var parameters = Parameters<Double>(ParameterLayout(configuration))
    parameters.values = .random(rows: 1, columns: parameters.layout.count, scale: 0.7, using: &random)
    let network = Network(configuration, parameters, backend: backend)
    let x = Matrix<Double>.random(rows: packing.rowCount, columns: configuration.inputSize, using: &random)
    let initial = State<Double>.random(configuration, sequences: packing.sequenceCount, using: &random)
    let outputGradient = Matrix<Double>.random(
        rows: configuration.outputRowCount(packing), columns: configuration.outputSize, using: &random)
    let stateGradient = State<Double>.random(configuration, sequences: packing.sequenceCount, using: &random)

    /// The loss whose gradient is asked for: all outputs and final states, weighed at random.
    func loss(_ network: Network<Double>, _ x: Matrix<Double>, _ initial: State<Double>) -> Double {
        let (outputs, state) = forward(network, x, packing, initial)
        let pairs = zip([outputs] + state.matrices, [outputGradient] + stateGradient.matrices)
        return pairs.reduce(0) { sum, pair in
            zip(pair.0.elements, pair.1.elements).reduce(sum) { $0 + $1.0 * $1.1 }
        }
    }

    let gradients = record(network, x, packing, initial).backward(outputs: outputGradient, state: stateGradient)
    expectDifferences(network.parameters.values, gradients.parameters.values, "parameters") {
        var changed = network
        changed.parameters.values = $0
        return loss(changed, x, initial)
    }
    expectDifferences(x, gradients.inputs!, "inputs") { loss(network, $0, initial) }
    for index in initial.matrices.indices {
        expectDifferences(
            initial.matrices[index], gradients.initialState.matrices[index], "initial state \(index)"
        ) {
            var changed = initial
            changed.matrices[index] = $0
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
