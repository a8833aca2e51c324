import Testing
import TestSupport

@testable import Sluice

/// A mistake in what training is given: the trapping form stops with words, the throwing form throws the same.
@Suite struct TrainingChecksTests {
    struct Misuse: Sendable, CustomStringConvertible {
        let words: String
        let checked: @Sendable () throws -> Void
        let trapping: @Sendable () -> Void
        var description: String { words }

        init(
            _ words: String, _ checked: @escaping @Sendable () throws -> Void,
            _ trapping: @escaping @Sendable () -> Void
        ) {
            self.words = words
            self.checked = checked
            self.trapping = trapping
        }
    }

    static let packing = Packing(lengths: [1, 2, 3])

    static func network(outputs: Int = 3) -> Network<Float> {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 2, head: Head(outputSize: outputs))
        return Network(configuration, .pyTorch, using: &random)
    }

    static func trainer(
        _ loss: Loss = .crossEntropy(), outputs: Int = 3, metric: Metric<Float>? = nil
    ) -> Trainer<Float> {
        var trainer = Trainer(network(outputs: outputs), loss: loss, optimizer: .adam())
        trainer.metric = metric
        return trainer
    }

    static func batch(_ targets: Matrix<Float>, inputs: Int = 2) -> Batch<Float> {
        Batch(x: Matrix(rows: 6, columns: inputs), targets: targets, packing: packing)
    }

    static func classes(_ classes: [Float]) -> Matrix<Float> {
        Matrix(rows: classes.count, columns: 1, classes)
    }

    static func examples(_ targets: Matrix<Float>, inputs: Int = 2) -> Examples<Float> {
        Examples(inputs: Matrix(rows: 6, columns: inputs), targets: targets, lengths: [1, 2, 3])
    }

    static func zeros(_ rows: Int, _ columns: Int) -> Matrix<Float> { Matrix(rows: rows, columns: columns) }

    // MARK: What is wrong

    static func batches(
        _ words: String, _ trainer: @escaping @Sendable () -> Trainer<Float>,
        _ batch: @escaping @Sendable () -> Batch<Float>
    ) -> [Misuse] {
        [
            Misuse(words, { try trainer().validate(batch()) }) {
                var trainer = trainer()
                trainer.step(batch())
            },
            Misuse(words, { try trainer().validate(batch()) }) {
                var trainer = trainer()
                _ = trainer.evaluate([batch()])
            },
        ]
    }

    static let batchMisuses: [Misuse] = [
        batches(
            "class 3.0 in row 2 of the targets, for 3 classes: a whole number from 0 to 2 is needed, or -100, which is ignored",
            { trainer() }, { batch(classes([0, 1, 3, 0, 0, 0])) }),
        batches(
            "class 0.5 in row 5 of the targets, for 3 classes: a whole number from 0 to 2 is needed, or -1, which is ignored",
            { trainer(.crossEntropy(ignoredClass: -1)) }, { batch(classes([0, 1, -1, 0, 0, 0.5])) }),
        batches("class nan in row 0", { trainer() }, { batch(classes([.nan, 1, 3, 0, 0, 0])) }),
        batches("class inf in row 1", { trainer() }, { batch(classes([0, .infinity, 3, 0, 0, 0])) }),
        batches("class -1.0 in row 1", { trainer() }, { batch(classes([0, -1, 3, 0, 0, 0])) }),
        batches("class 1e+30 in row 1", { trainer() }, { batch(classes([0, 1e30, 3, 0, 0, 0])) }),
        batches(
            "targets of 6 x 2 for outputs of 6 x 3: classes are 6 x 1", { trainer() }, { batch(zeros(6, 2)) }),
        batches("targets of 3 x 1 for outputs of 6 x 3", { trainer() }, { batch(classes([0, 1, 2])) }),
        batches("targets of 6 x 1 for outputs of 6 x 3", { trainer(.huber()) }, { batch(zeros(6, 1)) }),
        batches(
            "inputs of 6 x 3 for 6 rows of 2 inputs", { trainer() }, { batch(classes([0, 1, 2, 0, 0, 0]), inputs: 3) }),
        batches(
            "the accuracy of outputs of one column: binaryAccuracy is for those",
            { trainer(.binaryCrossEntropy, outputs: 1, metric: .accuracy()) }, { batch(zeros(6, 1)) }),
        batches(
            "targets of 6 x 1 for outputs of 6 x 3, whose binaryAccuracy is asked for: as the outputs is needed",
            { trainer(metric: .binaryAccuracy()) }, { batch(zeros(6, 1)) }),
        batches(
            "class -100.0 in row 4 of the targets, for 3 classes: a whole number from 0 to 2 is needed, or -1, which is ignored",
            { trainer(metric: .accuracy(ignoredClass: -1)) }, { batch(classes([0, 1, 2, 0, -100, 0])) }),
    ].flatMap { $0 }

    static let misuses = batchMisuses + optimizerMisuses + settingMisuses + dataMisuses

    // MARK: What is said

    @Test(arguments: misuses) func isThrownInWords(_ misuse: Misuse) throws {
        let error = #expect(throws: InvalidValue.self) { try misuse.checked() }
        #expect(error?.description.contains(misuse.words) == true, "\(error?.description ?? "nothing")")
    }

    @Test(arguments: misuses.indices) func stopsInTheSameWords(_ index: Int) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [index] in
            Self.misuses[index].trapping()
        }
        #expect(result.says(Self.misuses[index].words))
    }

    /// Sizes that no set has are one batch, not an overflow.
    @Test func aBatchOfAnySize() throws {
        var batches = Batches(Self.examples(Self.zeros(6, 1)), Batching(size: .max, bucketing: .windows(batches: .max)))
        #expect(batches.count == 1 && batches.next()?.packing.sequenceCount == 3)
        #expect(Self.examples(Self.zeros(6, 1)).batches(of: .max).count == 1)
    }

    /// What is right passes.
    @Test func whatIsRightPasses() throws {
        let targets = Self.classes([0, 1, 2, -100, 0, 0]), trainer = Self.trainer(metric: .accuracy())
        try trainer.validate(Self.batch(targets))
        try trainer.validate(Self.batch(Self.zeros(6, 3)))
        try Optimizer.adamW(learningRate: 0).validate()
        try Loss.crossEntropy(classWeights: [0, 1, 2], labelSmoothing: 1).validate(targets, outputRows: 6, columns: 3)
        _ = try Examples(
            checking: [Self.zeros(1, 2), Self.zeros(3, 2)], targets: [Self.zeros(1, 1), Self.zeros(3, 1)])
        _ = try Examples(
            checking: [Self.zeros(1, 2), Self.zeros(3, 2)], targets: [Self.zeros(1, 1), Self.zeros(1, 1)])
        var fit = try Fit(
            checking: trainer, Batches(Self.examples(targets), Batching(size: 2)), epochs: 1,
            validation: [Self.batch(targets)], earlyStopping: EarlyStopping(patience: 1))
        #expect(try fit.run().count == 1)
    }
}
