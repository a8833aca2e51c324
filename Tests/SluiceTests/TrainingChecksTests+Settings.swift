import Testing

@testable import Sluice

/// Optimisers, schedules, losses and clippings that cannot be.
extension TrainingChecksTests {
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
}
