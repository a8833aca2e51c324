import Sluice

/// A network that learns to add, and what it has seen.
///
/// All random numbers come from one generator, `Random(seed:)`, in this order: the training pairs, the test pairs (of each
/// pair a, then b), the parameters in their layout's order, one number for the masks where something is left out, and then
/// epoch by epoch: where examples are fresh, from the second epoch on, the new pairs, and the order of the mini-batches.
struct TrainingRun<S: Scalar>: Sendable {
    private var random: Random
    private var trainer: Trainer<S>
    private var training: MiniBatches<S>
    private let test: Batch<S>
    private(set) var history: LossHistory<S>
    private let settings: Settings
    /// Of the lowest test loss so far, where the run may stop early.
    private var best: (epoch: Int, loss: S, network: Network<S>)?

    init(_ settings: Settings) {
        self.settings = settings
        random = Random(seed: settings.seed)
        let pairs = Addends.random(settings.batch, bits: settings.bits, using: &random)
        let testPairs = Addends.random(settings.testBatch, bits: settings.bits, using: &random)
        training = MiniBatches(pairs, size: settings.miniBatch, bits: settings.bits)
        test = Batch(testPairs, bits: settings.bits)
        let network = Network<S>(
            settings.configuration, Initialization(all: .truncatedNormal(standardDeviation: 0.01)), using: &random,
            backend: settings.backend, workers: Workers(threads: settings.threads))
        let recipe = settings.recipe
        trainer = Trainer(
            network, loss: .halfSquaredError, optimizer: recipe.optimizer(learningRate: settings.learningRate),
            schedule: recipe.schedule(updates: settings.updates), clipping: recipe.clipping,
            regularization: recipe.regularization)
        if recipe.regularization != .none { trainer.random = Random(seed: random.next()) }
        history = LossHistory(epochs: settings.epochs)
    }

    /// The network as trained so far; where the run may stop early, that of the lowest test loss.
    var network: Network<S> { best?.network ?? trainer.network }

    /// Whether all epochs are done, or the test loss has not fallen for too long.
    var isFinished: Bool {
        if let patience = settings.recipe.patience, let best, epochs - best.epoch >= patience { return true }
        return epochs >= settings.epochs
    }

    /// The last epoch's losses, on the training and the test set.
    var losses: (train: Double, test: Double) {
        (Double(history.train.last ?? .nan), Double(history.test.last ?? .nan))
    }

    /// The epochs done.
    var epochs: Int { history.train.count }
    /// The steps done of an epoch that a signal ended.
    private(set) var steps = 0

    /// One pass over the training set, then the loss on the test set.
    ///
    /// The training loss is the mean over the pairs, each with the parameters that its batch met.
    ///
    /// - Returns: whether the epoch is done; a signal ends it after a step.
    /// - Throws: if a loss is not finite.
    @discardableResult
    mutating func epoch() throws(Failure) -> Bool {
        var trainLoss: S = 0
        if settings.recipe.isFresh && epochs > 0 {
            training.replace(with: Addends.random(settings.batch, bits: settings.bits, using: &random))
        }
        training.shuffle(using: &random)
        for number in 0..<training.count {
            if number > 0 && Interrupt.signal != nil {
                steps = number
                return false
            }
            training.load(number)
            let batch = training.batch
            let loss = trainer.step(batch.x, batch.targets, batch.packing)
            try check(loss, "train", batch)
            guard trainer.gradientNorm!.isFinite else { throw failure("gradient", batch) }
            trainLoss += loss * (S(batch.packing.sequenceCount) / S(training.pairs.count))
        }
        let testLoss = trainer.evaluate(test.x, test.targets, test.packing)
        try check(testLoss, "test", test)
        if settings.recipe.patience != nil && testLoss < best?.loss ?? .infinity {
            best = (epochs + 1, testLoss, trainer.network)
        }
        history.append(train: trainLoss, test: testLoss)
        return true
    }

    private func check(_ loss: S, _ name: String, _ batch: Batch<S>) throws(Failure) {
        if !loss.isFinite { throw failure("\(name) loss", batch) }
    }

    /// Says what is not finite, and what was so first.
    private func failure(_ name: String, _ batch: Batch<S>) -> Failure {
        let first = trainer.firstNonFinite(in: batch, validation: name == "test loss").map { " (\($0))" } ?? ""
        return Failure(
            "the \(name) of epoch \(epochs + 1) is not finite\(first); no file was written. Try a smaller --learning-rate.",
            exitCode: Failure.notFinite)
    }
}
