import Testing
import TestSupport

@testable import Sluice

/// Batches of which no row counts: they add nothing, and are said.
@Suite struct EmptyBatchTests {
    private static func batch(_ classes: [Double], seed: UInt64 = 1) -> Batch<Double> {
        var random = Random(seed: seed)
        return Batch(
            x: .random(rows: 4, columns: 2, using: &random), targets: Matrix(rows: 4, columns: 1, classes),
            packing: Packing(lengths: [1, 3]))
    }

    private static let empty = batch([-100, -100, -100, -100], seed: 9)
    private static let good = batch([0, 1, -100, 2])
    private static let other = batch([-100, 2, 2, 0], seed: 5)

    private static func trainer(_ optimizer: Optimizer = .adam(learningRate: 0.01), weights: [Double]? = nil)
        -> Trainer<Double>
    {
        var random = Random(seed: 1)
        let configuration = Configuration(cell: .lstm, inputSize: 2, hiddenSize: 3, head: Head(outputSize: 3))
        var trainer = Trainer(
            Network<Double>(configuration, .pyTorch, using: &random), loss: .crossEntropy(classWeights: weights),
            optimizer: optimizer, schedule: .exponential(factor: 0.9))
        trainer.metric = .accuracy()
        return trainer
    }

    private static func made(_ batches: [Batch<Double>]) -> Batches<Double> {
        Batches(perEpoch: batches.count) { number, _ in batches[number % batches.count] }
    }

    // MARK: A trainer

    @Test(arguments: [nil, [1, 0, 1]] as [[Double]?]) func aStepIsNone(_ weights: [Double]?) {
        var trainer = Self.trainer(weights: weights)
        trainer.step(Self.good)
        let before = trainer
        let empty = weights == nil ? Self.empty : Self.batch([1, 1, 1, 1])
        #expect(trainer.step(empty).isNaN && !trainer.hasCountedRows && trainer.gradientNorm == nil)
        #expect(trainer.network.parameters == before.network.parameters)
        #expect(trainer.optimizerState.updates == 1 && trainer.learningRate == before.learningRate)
        #expect(trainer.optimizerState.mean == before.optimizerState.mean)
        #expect(trainer.firstNonFinite(in: empty) == nil)
        var fresh = Self.trainer(weights: weights)
        fresh.step(Self.good)
        #expect(trainer.step(Self.good) == fresh.step(Self.good) && trainer.hasCountedRows)
        #expect(trainer.network.parameters == fresh.network.parameters)
    }

    @Test func evaluations() {
        var trainer = Self.trainer()
        #expect(trainer.evaluate(Self.empty.x, Self.empty.targets, Self.empty.packing).isNaN && !trainer.hasCountedRows)
        let expected = trainer.evaluate([Self.good])
        #expect(trainer.hasCountedRows)
        #expect(trainer.evaluate([Self.empty, Self.good, Self.empty]) == expected)
        #expect(trainer.evaluate([Self.empty]).loss.isNaN && !trainer.hasCountedRows)
    }

    @Test func aLossAloneIsAMeanOverNothing() {
        let (value, gradient) = Loss.crossEntropy().evaluate(
            Matrix<Double>(rows: 4, columns: 3, (0..<12).map(Double.init)), Self.empty.targets, sequences: 2)
        #expect(value.isNaN && gradient == Matrix(rows: 4, columns: 3))
    }

    /// A part adds nothing, wherever it stands.
    @Test func accumulatedParts() {
        var whole = Self.trainer()
        whole.accumulate(Self.good)
        whole.step(Self.other)
        let orders = [
            [Self.empty, Self.good, Self.other], [Self.good, Self.empty, Self.other],
            [Self.good, Self.other, Self.empty],
        ]
        for parts in orders {
            var trainer = Self.trainer()
            for part in parts.dropLast() { trainer.accumulate(part) }
            #expect(trainer.step(parts.last!).isFinite && trainer.optimizerState.updates == 1)
            #expect(relativeDifference(trainer.network.parameters.values, whole.network.parameters.values) < 1e-12)
        }
        var trainer = Self.trainer()
        let before = trainer.network.parameters
        trainer.accumulate(Self.empty)
        #expect(!trainer.hasCountedRows && trainer.step(Self.empty).isNaN)
        #expect(trainer.network.parameters == before && trainer.optimizerState.updates == 0)
        #expect(trainer.step(Self.good).isFinite && trainer.optimizerState.updates == 1)
    }

    /// Sequences of which only the last steps have a class: the states pass through the windows before.
    @Test func windowsArePassedThrough() {
        let packing = Packing(sequences: 1, steps: 6)
        var random = Random(seed: 4)
        let x = Matrix<Double>.random(rows: 6, columns: 2, using: &random)
        let targets = Matrix<Double>(rows: 6, columns: 1, [-100, -100, -100, -100, 0, 2])
        var trainer = Self.trainer(), expected = Self.trainer()
        var state = State<Double>(trainer.network.configuration, sequences: 1)
        let losses = trainer.truncatedSteps(x, targets, packing, window: 2, state: &state)
        #expect(losses.count == 3 && losses[0].isNaN && losses[1].isNaN && losses[2].isFinite)
        func rows(_ matrix: Matrix<Double>, _ range: Range<Int>) -> Matrix<Double> {
            Matrix(
                rows: range.count, columns: matrix.columns,
                range.flatMap { row in (0..<matrix.columns).map { matrix[row, $0] } })
        }
        var carried = expected.network.forward(rows(x, 0..<4), Packing(sequences: 1, steps: 4)).state
        expected.step(rows(x, 4..<6), rows(targets, 4..<6), Packing(sequences: 1, steps: 2), state: &carried)
        #expect(relativeDifference(trainer.network.parameters.values, expected.network.parameters.values) < 1e-12)
        #expect(trainer.optimizerState.updates == 1)
        #expect(relativeDifference(state.hidden[0], carried.hidden[0]) < 1e-12)
    }

    // MARK: A run

    /// An unlabelled batch here and there is as if it were not there, and the reports say where they were.
    @Test func aRunGoesOn() throws {
        var fit = Fit(
            Self.trainer(), Self.made([Self.empty, Self.good, Self.empty, Self.other, Self.empty]), epochs: 3)
        var plain = Fit(Self.trainer(), Self.made([Self.good, Self.other]), epochs: 3)
        var reports: [StepReport<Double>] = []
        let epochs = try fit.run { report, _ in reports.append(report) }, plainEpochs = try plain.run()
        #expect(fit.trainer.network.parameters == plain.trainer.network.parameters)
        #expect(fit.trainer.optimizerState.updates == 6)
        #expect(epochs.map(\.loss) == plainEpochs.map(\.loss) && epochs.map(\.metric) == plainEpochs.map(\.metric))
        #expect(epochs.map(\.emptyBatches) == [3, 3, 3] && plainEpochs.map(\.emptyBatches) == [0, 0, 0])
        #expect(reports.prefix(5).map(\.isEmpty) == [true, false, true, false, true])
        #expect(reports.prefix(5).map(\.isUpdate) == [false, true, false, true, false])
        #expect(reports[0].loss.isNaN && reports[0].gradientNorm == nil && reports[0].gradientNorms.isEmpty)
    }

    @Test(arguments: [[0, 1, 2, 0], [1, 0, 0, 2], [1, 2, 0, 0]]) func accumulatingGoesOn(_ order: [Int]) throws {
        let batches = order.map { [Self.empty, Self.good, Self.other][$0] }
        var fit = Fit(Self.trainer(), Self.made(batches), epochs: 2, accumulating: 2)
        var updates = 0, empty: [Bool] = []
        let epochs = try fit.run { report, _ in
            updates += report.isUpdate ? 1 : 0
            empty.append(report.isEmpty)
            #expect(report.updates == updates)
        }
        #expect(empty == (order + order).map { $0 == 0 } && epochs.map(\.emptyBatches) == [2, 2])
        #expect(updates == (order == [1, 2, 0, 0] ? 2 : 4) && fit.trainer.optimizerState.updates == updates)
        #expect(epochs.allSatisfy { $0.loss.isFinite })
    }

    /// Epochs of nothing but such batches say nothing: no schedule or early stopping counts them.
    @Test func nothingButEmptyBatches() throws {
        var trainer = Self.trainer()
        trainer.schedule = .reduceOnPlateau(factor: 0.5, patience: 0)
        let before = trainer.network.parameters
        var fit = Fit(trainer, Self.made([Self.empty]), epochs: 5, earlyStopping: EarlyStopping(patience: 1))
        let epochs = try fit.run()
        #expect(epochs.count == 5 && epochs.allSatisfy { $0.loss.isNaN && $0.emptyBatches == 1 && !$0.isBest })
        #expect(fit.trainer.network.parameters == before && fit.trainer.optimizerState.plateau == Plateau())
    }

    // MARK: Workers

    /// A worker whose part has no row that counts adds nothing to the others'; where none has, none moves.
    @Test func aWorkersPart() {
        let members = ThreadAllReduce<Double>.members(3)
        let parts = [Self.good, Self.empty, Self.other]
        let outcomes = concurrently(3) { rank in
            var trainer = Self.trainer()
            trainer.allReduce = members[rank]
            let loss = trainer.step(parts[rank]), none = trainer.step(Self.empty)
            let evaluation = trainer.evaluate([parts[rank]])
            return (loss, none.isNaN, trainer.optimizerState.updates, trainer.network.parameters.values, evaluation)
        }
        var whole = Self.trainer()
        whole.accumulate(Self.good)
        let loss = whole.step(Self.other), evaluation = whole.evaluate([Self.good, Self.other])
        for outcome in outcomes {
            #expect(abs(outcome.0 - loss) < 1e-12 * loss && outcome.1 && outcome.2 == 1)
            #expect(
                outcome.3 == outcomes[0].3 && relativeDifference(outcome.3, whole.network.parameters.values) < 1e-12)
            #expect(abs(outcome.4.loss - evaluation.loss) < 1e-12 * evaluation.loss)
        }
    }
}
