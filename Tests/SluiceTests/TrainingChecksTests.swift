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

    private static let packing = Packing(lengths: [1, 2, 3])

    private static func network(outputs: Int = 3) -> Network<Float> {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 2, head: Head(outputSize: outputs))
        return Network(configuration, .pyTorch, using: &random)
    }

    private static func trainer(
        _ loss: Loss = .crossEntropy(), outputs: Int = 3, metric: Metric<Float>? = nil
    ) -> Trainer<Float> {
        var trainer = Trainer(network(outputs: outputs), loss: loss, optimizer: .adam())
        trainer.metric = metric
        return trainer
    }

    private static func batch(_ targets: Matrix<Float>, inputs: Int = 2) -> Batch<Float> {
        Batch(x: Matrix(rows: 6, columns: inputs), targets: targets, packing: packing)
    }

    private static func classes(_ classes: [Float]) -> Matrix<Float> {
        Matrix(rows: classes.count, columns: 1, classes)
    }

    private static func examples(_ targets: Matrix<Float>, inputs: Int = 2) -> Examples<Float> {
        Examples(inputs: Matrix(rows: 6, columns: inputs), targets: targets, lengths: [1, 2, 3])
    }

    private static func zeros(_ rows: Int, _ columns: Int) -> Matrix<Float> { Matrix(rows: rows, columns: columns) }

    // MARK: What is wrong

    private static func batches(
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

    private static func optimizer(_ words: String, _ optimizer: Optimizer) -> [Misuse] {
        [
            Misuse(words, { try optimizer.validate() }) {
                _ = Trainer(network(), loss: .crossEntropy(), optimizer: optimizer)
            },
            Misuse(words, { _ = try Trainer(checking: network(), loss: .crossEntropy(), optimizer: optimizer) }) {
                var trainer = Self.trainer()
                trainer.optimizer = optimizer
            },
        ]
    }

    static let optimizerMisuses: [Misuse] = [
        optimizer("a learningRate of -1.0: a finite number, at least 0, is needed", .adam(learningRate: -1, beta1: 3)),
        optimizer("a learningRate of nan", .sgd(learningRate: .nan)),
        optimizer("a learningRate of inf", .rmsProp(learningRate: .infinity)),
        optimizer("a beta1 of 3.0: at least 0 and less than 1 is needed", .adam(beta1: 3)),
        optimizer("a beta2 of 1.0", .adamW(beta2: 1)),
        optimizer("a smoothing of -0.1", .rmsProp(smoothing: -0.1)),
        optimizer("an epsilon of -1e-08", .adam(epsilon: -1e-8)),
        optimizer("a momentum of 1.5: 0 to 1 is needed", .sgd(momentum: 1.5)),
        optimizer("a weightDecay of -0.01", .adamW(weightDecay: .matrices(-0.01))),
        optimizer("a weightDecay of nan", .sgd(weightDecay: .everything(.nan))),
    ].flatMap { $0 }

    private static func schedule(_ words: String, _ schedule: Schedule) -> Misuse {
        Misuse(words, { try schedule.validate() }) {
            var trainer = Self.trainer()
            trainer.schedule = schedule
        }
    }

    private static func loss(_ words: String, _ loss: Loss) -> [Misuse] {
        [
            Misuse(words, { try loss.validate(outputSize: 3) }) {
                _ = Trainer(network(), loss: loss, optimizer: .sgd())
            },
            Misuse(words, { _ = try Trainer(checking: network(), loss: loss, optimizer: .sgd()) }) {
                _ = loss.evaluate(zeros(2, 3), zeros(2, 3), sequences: 1)
            },
        ]
    }

    private static func clipping(_ words: String, _ clipping: Clipping) -> Misuse {
        Misuse(words, { try clipping.validate() }) {
            var trainer = Self.trainer()
            trainer.clipping = clipping
        }
    }

    static let settingMisuses: [Misuse] =
        [
            schedule("a schedule with steps of 0 updates: at least 1 is needed", .step(every: 0)),
            schedule("a schedule with a factor of nan", .exponential(factor: .nan)),
            schedule("a schedule with a factor of -1.0", .step(every: 2, factor: -1)),
            schedule("a cosine over 0 updates", .cosine(updates: 0)),
            schedule("a schedule with a minimum of inf", .cosine(updates: 2, minimum: .infinity)),
            schedule("a warm-up of -1 updates", .warmUp(updates: -1)),
            schedule("a schedule with a start of -1.0", .warmUp(updates: 1, start: -1)),
            schedule("a cycle of 1 updates: at least 2 are needed", .warmUp(updates: 2, then: .oneCycle(updates: 1))),
            schedule("a cycle that is rising for 2.0 of it", .oneCycle(updates: 9, rising: 2)),
            schedule("a cycle with a divisor of 0.0", .oneCycle(updates: 9, divisor: 0)),
            schedule("a cycle with a finalDivisor of nan", .oneCycle(updates: 9, finalDivisor: .nan)),
            schedule("a reduction by a factor of 1.0: between 0 and 1 is needed", .reduceOnPlateau(factor: 1)),
            schedule("a patience of -1 reports and a cooldown of 0", .reduceOnPlateau(patience: -1)),
            schedule("a schedule with a threshold of nan", .reduceOnPlateau(threshold: .nan)),
            clipping("clipping to a norm of 0.0: more than 0 is needed", .norm(0)),
            clipping("clipping to values of nan: more than 0 is needed", .value(.nan)),
            Misuse(
                "a dropout of 1.0",
                {
                    _ = try Trainer(
                        checking: network(), loss: .huber(), optimizer: .sgd(),
                        regularization: Regularization(dropout: 1))
                }
            ) {
                var trainer = Self.trainer()
                trainer.regularization = Regularization(dropout: 1)
            },
            Misuse(
                "an optimiser's state whose count is 3, for 45 parameters",
                {
                    _ = try Trainer(
                        checking: network(), loss: .huber(), optimizer: .sgd(),
                        resuming: OptimizerState(.sgd(), count: 3))
                }
            ) { _ = Trainer(network(), loss: .huber(), optimizer: .sgd(), resuming: OptimizerState(.sgd(), count: 3)) },
            Misuse(
                "configuration.head.outputSize is 1, of the network 3",
                {
                    var trainer = Self.trainer()
                    try trainer.resume(from: Self.trainer(.huber(), outputs: 1).state)
                }
            ) {
                var trainer = Self.trainer()
                trainer.state = Self.trainer(.huber(), outputs: 1).state
            },
            Misuse("outputs of 0 sequences", { throw InvalidValue("outputs of 0 sequences") }) {
                _ = Loss.halfSquaredError.evaluate(zeros(2, 3), zeros(2, 3), sequences: 0)
            },
        ]
        + [
            loss("a Huber loss with a delta of 0.0: a finite number above 0 is needed", .huber(delta: 0)),
            loss("a quantile loss with a level of 1.0: between 0 and 1 is needed", .quantile(level: 1)),
            loss("2 classWeights for 3 classes", .crossEntropy(classWeights: [1, 2])),
            loss("a weight of -1.0 for class 2 in classWeights", .crossEntropy(classWeights: [1, 2, -1])),
            loss("a weight of nan for class 0 in classWeights", .crossEntropy(classWeights: [.nan, 2, 1])),
            loss("a labelSmoothing of 2.0: 0 to 1 is needed", .crossEntropy(labelSmoothing: 2)),
        ].flatMap { $0 }

    private static func fit(
        _ words: String, trainer: Trainer<Float> = trainer(), targets: Matrix<Float> = classes([0, 1, 2, 0, 0, 0]),
        inputs: Int = 2, epochs: Int = 1, accumulating: Int = 1, validation: [Batch<Float>] = [],
        earlyStopping: EarlyStopping? = nil
    ) -> Misuse {
        let batches = Batches(examples(targets, inputs: inputs), Batching(size: 2))
        return Misuse(
            words,
            {
                _ = try Fit(
                    checking: trainer, batches, epochs: epochs, accumulating: accumulating, validation: validation,
                    earlyStopping: earlyStopping)
            }
        ) {
            _ = Fit(
                trainer, batches, epochs: epochs, accumulating: accumulating, validation: validation,
                earlyStopping: earlyStopping)
        }
    }

    private static func pairs(_ words: String, _ inputs: [Int], _ targets: [Int]) -> Misuse {
        let inputs = inputs.map { zeros($0, 2) }, targets = targets.map { zeros($0, 1) }
        return Misuse(words, { _ = try Examples(checking: inputs, targets: targets) }) {
            _ = Examples(inputs: inputs, targets: targets)
        }
    }

    private static func flat(_ words: String, _ rows: Int, _ targets: Int, _ lengths: [Int]) -> Misuse {
        Misuse(words, { _ = try Examples(checking: zeros(rows, 2), targets: zeros(targets, 1), lengths: lengths) }) {
            _ = Examples(inputs: zeros(rows, 2), targets: zeros(targets, 1), lengths: lengths)
        }
    }

    private static func batching(_ words: String, _ batching: Batching) -> Misuse {
        Misuse(words, { try batching.validate(sequences: 3) }) {
            _ = Batches(examples(zeros(6, 1)), batching)
        }
    }

    static let dataMisuses: [Misuse] = [
        fit("-1 epochs: at least 0 are needed", epochs: -1),
        fit("an update of 0 batches: at least 1 is needed", accumulating: 0),
        fit("early stopping with a patience of 0 epochs", earlyStopping: EarlyStopping(patience: 0)),
        fit("a minimumChange of nan", earlyStopping: EarlyStopping(patience: 1, minimumChange: .nan)),
        fit("examples of 3 inputs for a network of 2", inputs: 3),
        fit("examples: targets of 6 x 2 for outputs of 6 x 3", targets: zeros(6, 2)),
        fit("examples: targets of 6 x 1 for outputs of 6 x 3", trainer: trainer(.huber()), targets: zeros(6, 1)),
        fit("examples: class 4.0 in row 5", targets: classes([0, 1, 2, 0, 0, 4])),
        fit(
            "examples with a target for each sequence, for a network with an output for each step", targets: zeros(3, 1)
        ),
        fit(
            "validation batch 1: class 4.0 in row 0",
            validation: [batch(zeros(6, 1)), batch(classes([4, 0, 0, 0, 0, 0]))]),
        fit("validation batch 0: inputs of 6 x 3 for 6 rows of 2 inputs", validation: [batch(zeros(6, 1), inputs: 3)]),
        pairs("sequence 1 has 1 steps and 3 rows of targets: one row for each sequence is needed", [3, 1], [1, 3]),
        pairs("sequence 1 has 3 steps and 1 rows of targets: one row for each step is needed", [2, 3, 1], [2, 1, 3]),
        pairs(
            "sequence 0 has 3 steps and 2 rows of targets: one row for each step or for the sequence", [3, 1], [2, 2]),
        pairs("sequence 0 has 1 steps and 2 rows of targets", [1, 1], [2, 0]),
        pairs("sequence 1 has length 0; at least 1 is needed", [2, 0], [1, 1]),
        pairs("2 sequences and targets of 1", [2, 1], [1]),
        pairs("no example", [], []),
        flat("inputs of 6 rows, of which sequence 1 would be 5 from row 2 on", 6, 2, [2, 5]),
        flat("of which sequence 1 would be 9223372036854775807 from row 2 on", 6, 2, [2, .max]),
        flat("inputs of 6 rows for 5 steps", 6, 5, [2, 3]),
        flat("targets of 4 rows for 6 steps of 2 sequences", 6, 4, [2, 4]),
        batching("batches of 0 sequences: at least 1 is needed", Batching(size: 0)),
        batching("buckets in windows of 0 batches", Batching(size: 1, bucketing: .windows(batches: 0))),
        batching("3 sequences do not fill one batch of 4", Batching(size: 4, dropsLast: true)),
        Misuse(
            "inputs of 5 rows for a packing of 6",
            { _ = try Batch(checking: zeros(5, 2), targets: zeros(6, 1), packing: packing) }
        ) { _ = Batch(x: zeros(5, 2), targets: zeros(6, 1), packing: packing) },
        Misuse(
            "targets of 4 rows for 6 steps of 3 sequences",
            { _ = try Batch(checking: zeros(6, 2), targets: zeros(4, 1), packing: packing) }
        ) { _ = Batch(x: zeros(6, 2), targets: zeros(4, 1), packing: packing) },
        Misuse("class 7.0 in row 0", { try trainer().validate(batch(classes([7, 0, 0, 0, 0, 0]))) }) {
            let made = Batches<Float>(perEpoch: 2) { _, _ in batch(classes([7, 0, 0, 0, 0, 0])) }
            var fit = Fit(trainer(), made, epochs: 1)
            _ = try? fit.step()
        },
        Misuse("-2 epochs", { throw InvalidValue("-2 epochs") }) {
            var fit = Fit(trainer(), Batches(examples(zeros(6, 1)), Batching(size: 2)), epochs: 1)
            fit.epochs = -2
        },
    ]

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
