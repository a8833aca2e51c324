import Testing
import TestSupport

@testable import Sluice

/// Every loss against PyTorch's value and gradient, which `scripts/golden/losses.py` writes.
@Suite struct LossTests {
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        let targets: String
        let loss: Loss
        var description: String { name }

        init(_ name: String, _ targets: String, _ loss: Loss) {
            self.name = name
            self.targets = targets
            self.loss = loss
        }
    }

    static let weights = [0.5, 2, 1, 0.25, 3]
    static let cases = [
        Case("meanSquared", "targets", .meanSquaredError),
        Case("meanAbsolute", "targets", .meanAbsoluteError),
        Case("huber", "targets", .huber()),
        Case("huber0.3", "targets", .huber(delta: 0.3)),
        Case("quantile", "targets", .quantile(level: 0.9)),
        Case("binaryCrossEntropy", "probabilities", .binaryCrossEntropy),
        Case("classes", "classes", .crossEntropy()),
        Case("classes.ignored", "classes", .crossEntropy(ignoredClass: 2)),
        Case("classes.weights", "classes", .crossEntropy(classWeights: weights)),
        Case("classes.smooth", "classes", .crossEntropy(labelSmoothing: 0.1)),
        Case("classes.all", "classes", .crossEntropy(classWeights: weights, ignoredClass: 2, labelSmoothing: 0.1)),
        Case("probabilities", "distributions", .crossEntropy()),
        Case("probabilities.all", "distributions", .crossEntropy(classWeights: weights, labelSmoothing: 0.1)),
    ]

    /// Double: sums of 185 terms in another order. Float: the inputs' own rounding, which a loss passes on about as it
    /// is: 5e-4 in a logit of 1e4.
    @Test(arguments: cases, ["losses", "losses-extreme"])
    func agreesWithPyTorch(_ test: Case, _ file: String) throws {
        let fixture = try Fixture(file)
        let value = try fixture.matrix("\(test.name).value"), gradient = try fixture.matrix("\(test.name).gradient")
        func differences<S: Scalar>(_: S.Type) throws -> [Double] {
            let result = test.loss.evaluate(
                try fixture.matrix("outputs").cast(to: S.self), try fixture.matrix(test.targets).cast(to: S.self),
                sequences: 37)
            return [
                relativeDifference(Matrix(rows: 1, columns: 1, [Double(result.value)]), value),
                relativeDifference(result.gradient.cast(to: Double.self), gradient),
            ]
        }
        for difference in try differences(Double.self) { #expect(difference < 1e-12) }
        for difference in try differences(Float.self) {
            #expect(difference < (file == "losses" ? 1e-5 : 5e-4))
        }
    }

    /// With step h the difference is off by about h^2 and epsilon / h: 1e-5 balances them near 1e-10.
    @Test(arguments: cases + [Case("halfSquared", "targets", .halfSquaredError)])
    func centralDifferences(_ test: Case) throws {
        let fixture = try Fixture("losses")
        let outputs = try fixture.matrix("outputs"), targets = try fixture.matrix(test.targets)
        func value(_ outputs: Matrix<Double>) -> Double { test.loss.evaluate(outputs, targets, sequences: 9).value }
        var numeric = outputs
        for row in 0..<outputs.rows {
            for column in 0..<outputs.columns {
                var above = outputs, below = outputs
                above[row, column] += 1e-5
                below[row, column] -= 1e-5
                numeric[row, column] = (value(above) - value(below)) / 2e-5
            }
        }
        #expect(relativeDifference(test.loss.evaluate(outputs, targets, sequences: 9).gradient, numeric) < 1e-7)
    }

    /// The loss of a training step is that of its outputs, however many shards and whatever steps the head reads.
    @Test(arguments: cases, Head.Steps.allCases)
    func shardsAddUp(_ test: Case, _ steps: Head.Steps) throws {
        var random = Random(seed: 3)
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 33, head: Head(outputSize: 5, steps: steps))
        let packing = Packing(lengths: (0..<70).map { 1 + ($0 * 7) % 11 })
        #expect(configuration.shards(of: packing).count == 4)
        let network = Network<Double>(configuration, .pyTorch, using: &random, workers: Workers(threads: 2))
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        let given = try Fixture("losses").matrix(test.targets)
        let rows = configuration.outputRowCount(packing)
        let targets = Matrix<Double>(
            rows: rows, columns: given.columns,
            (0..<rows).flatMap { row in (0..<given.columns).map { given[row % given.rows, $0] } })

        let recording = network.record(x, packing)
        let alone = test.loss.evaluate(recording.outputs, targets, sequences: 70)
        let gradient = recording.backward(outputs: alone.gradient).parameters
        let rate = 2.0, optimizer = Optimizer.sgd(learningRate: rate)
        var trainer = Trainer(network, loss: test.loss, optimizer: optimizer)
        #expect(abs(trainer.evaluate(x, targets, packing) - alone.value) < 1e-12 * alone.value)
        #expect(abs(trainer.step(x, targets, packing) - alone.value) < 1e-12 * alone.value)
        let moved = zip(network.parameters.values.elements, trainer.network.parameters.values.elements)
            .map { ($0 - $1) / rate }
        #expect(relativeDifference(Matrix(rows: 1, columns: moved.count, moved), gradient.values) < 1e-12)
    }

    // MARK: Limits

    private func row<S: Scalar>(_ loss: Loss, _ outputs: [S], _ targets: [S]) -> (value: S, gradient: [S]) {
        let result = loss.evaluate(
            Matrix(rows: 1, columns: outputs.count, outputs), Matrix(rows: 1, columns: targets.count, targets),
            sequences: 1)
        return (result.value, result.gradient.elements)
    }

    private func expectLimits<S: Scalar>(_: S.Type) {
        for far in [S(1e4), .infinity] {
            for (o, y) in [(far, S(1)), (-far, 0)] {
                #expect(row(.binaryCrossEntropy, [o], [y]) == (0, [0]))
                #expect(row(.binaryCrossEntropy, [o], [1 - y]) == (far, [o > 0 ? 1 : -1]))
            }
            #expect(row(.crossEntropy(), [far, 0, 1], [0]) == (0, [0, 0, 0]))
            #expect(row(.crossEntropy(), [far, 0, 1], [1]) == (far, [1, -1, 0]))
            #expect(row(.crossEntropy(), [0, -far, -far], [1, 0, 0]) == (0, [0, 0, 0]))
            #expect(row(.crossEntropy(), [0, -far, -far], [1]) == (far, [1, -1, 0]))
        }
        // No limit, or no number.
        #expect(row(.crossEntropy(), [S.infinity, .infinity], [0]).value.isNaN)
        #expect(row(.crossEntropy(), [-S.infinity, -.infinity], [0]).value.isNaN)
        #expect(
            row(.crossEntropy(), [0, S.nan], [0]).value.isNaN && row(.crossEntropy(), [S.nan, 0], [0]).value.isNaN)
        #expect(row(.binaryCrossEntropy, [S.nan], [0]).value.isNaN)
        #expect(row(.crossEntropy(ignoredClass: 1), [S(0), 1], [1]).value.isNaN)
        // What is left where a probability rounds to 1.
        let tiny = S.bindings.exp(-60)
        #expect(row(.binaryCrossEntropy, [60], [1]) == (tiny, [-tiny]))
        #expect(row(.crossEntropy(), [60, 0], [0]) == (tiny, [-tiny, tiny]))
    }

    @Test func extremeLogits() {
        expectLimits(Float.self)
        expectLimits(Double.self)
    }

    // MARK: Mistakes

    private static func step(_ loss: Loss, _ targets: Matrix<Float>) {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 1, hiddenSize: 2, head: Head(outputSize: 3))
        var trainer = Trainer(
            Network<Float>(configuration, .pyTorch, using: &random), loss: loss, optimizer: .sgd())
        _ = trainer.step(Matrix(rows: 2, columns: 1), targets, Packing(sequences: 1, steps: 2))
    }

    @Test func goodTargets() {
        Self.step(.crossEntropy(), Matrix(rows: 2, columns: 1, [0, 2]))
        Self.step(.crossEntropy(), Matrix(rows: 2, columns: 1, [-100, 2]))
        Self.step(.crossEntropy(), Matrix(rows: 2, columns: 3))
    }

    @Test func targetsOfAnotherShape() async {
        await #expect(processExitsWith: .failure) { Self.step(.meanSquaredError, Matrix(rows: 2, columns: 1)) }
        await #expect(processExitsWith: .failure) { Self.step(.crossEntropy(), Matrix(rows: 1, columns: 1)) }
        await #expect(processExitsWith: .failure) { Self.step(.crossEntropy(), Matrix(rows: 2, columns: 2)) }
    }

    @Test func classesOutOfRange() async {
        await #expect(processExitsWith: .failure) { Self.step(.crossEntropy(), Matrix(rows: 2, columns: 1, [0, 3])) }
        await #expect(processExitsWith: .failure) { Self.step(.crossEntropy(), Matrix(rows: 2, columns: 1, [0, -1])) }
        await #expect(processExitsWith: .failure) { Self.step(.crossEntropy(), Matrix(rows: 2, columns: 1, [0, 0.5])) }
        await #expect(processExitsWith: .failure) {
            Self.step(.crossEntropy(), Matrix(rows: 2, columns: 1, [0, .nan]))
        }
    }

    @Test func numbersOutOfRange() async {
        await #expect(processExitsWith: .failure) { Self.step(.huber(delta: 0), Matrix(rows: 2, columns: 3)) }
        await #expect(processExitsWith: .failure) { Self.step(.quantile(level: 1), Matrix(rows: 2, columns: 3)) }
        await #expect(processExitsWith: .failure) {
            Self.step(.crossEntropy(classWeights: [1, 1]), Matrix(rows: 2, columns: 1))
        }
    }
}
