import Sluice
import Testing
import TestSupport

/// Gradients with fixed masks against central differences, in Double: every cell with every kind, and with all of them at once.
@Suite struct RegularizationGradientTests {
    struct Case: Sendable, CustomStringConvertible {
        let configuration: Configuration
        let regularization: Regularization
        let lengths: [Int]
        var description: String { "\(configuration.testDescription) \(lengths) \(regularization)" }
    }

    static let everything = Regularization(
        dropout: 0.25, inputDropout: 0.25, recurrentDropout: 0.5, zoneout: 0.5, cellZoneout: 0.5)
    static let kinds = [
        Regularization(dropout: 0.5), Regularization(inputDropout: 0.5), Regularization(recurrentDropout: 0.5),
        Regularization(zoneout: 0.5), Regularization(cellZoneout: 0.5), everything,
    ]
    static let cases: [Case] =
        kinds.flatMap { cases($0, .forward, [1, 3, 2]) } + cases(everything, .backward, [3, 1, 3])
        + cases(everything, .bidirectional, [2, 2]) + cases(everything, .bidirectional, [1, 3], head: .last)

    private static func cases(
        _ regularization: Regularization, _ direction: Direction, _ lengths: [Int], head: Head.Steps? = nil
    ) -> [Case] {
        let head = head.map { Head(outputSize: 2, steps: $0) }
        return Configuration.everyCell(inputSize: 2, hiddenSize: 3, layers: 2, direction: direction, head: head)
            .compactMap {
                var configuration = $0, regularization = regularization
                // A normalised row of which all but little is dropped has a gradient too steep for differences.
                if [.gru(.layerNormalized), .lstm(.layerNormalized)].contains(configuration.cell) {
                    (configuration.inputSize, configuration.hiddenSize) = (5, 6)
                }
                if !configuration.hasCellState { regularization.cellZoneout = 0 }
                return regularization == .none
                    ? nil : Case(configuration: configuration, regularization: regularization, lengths: lengths)
            }
    }

    @Test(arguments: cases, Backend.available)
    func centralDifferences(_ test: Case, _ backend: Backend) {
        let workspace = Workspace<Double>(
            test.configuration, Packing(lengths: test.lengths), recording: true, regularization: test.regularization)
        func record(
            _ network: Network<Double>, _ x: Matrix<Double>, _: Packing, _ initial: State<Double>
        ) -> Recording<Double> {
            var random = Random(seed: 3)
            return network.record(x, in: workspace, from: initial, using: &random)
        }
        expectGradients(
            test.configuration, test.lengths, backend,
            forward: {
                let recording = record($0, $1, $2, $3)
                return (recording.outputs, recording.state)
            }, record: record)
    }
}
