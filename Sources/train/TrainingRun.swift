import Sluice

/// A network that learns to add, and what it has seen.
///
/// All random numbers come from one generator, `Random(seed:)`, in this order: the training pairs, the test pairs (of each
/// pair a, then b), the parameters in their layout's order, and then the order of the mini-batches, epoch by epoch.
struct TrainingRun<S: Scalar>: Sendable {
    private var random: Random
    private var trainer: Trainer<S>
    private var training: MiniBatches<S>
    private let test: Batch<S>
    private(set) var history: LossHistory<S>

    init(_ settings: Settings) {
        random = Random(seed: settings.seed)
        let pairs = Addends.random(settings.batch, bits: settings.bits, using: &random)
        let testPairs = Addends.random(settings.testBatch, bits: settings.bits, using: &random)
        training = MiniBatches(pairs, size: settings.miniBatch, bits: settings.bits)
        test = Batch(testPairs, bits: settings.bits)
        let network = Network<S>(
            settings.configuration, Initialization(all: .truncatedNormal(standardDeviation: 0.01)), using: &random,
            backend: settings.backend, workers: Workers(threads: settings.threads))
        trainer = Trainer(
            network, loss: .halfSquaredError, optimizer: .adam(learningRate: settings.learningRate))
        history = LossHistory(epochs: settings.epochs)
    }

    /// The network as trained so far.
    var network: Network<S> { trainer.network }

    /// The last epoch's losses, on the training and the test set.
    var losses: (train: Double, test: Double) {
        (Double(history.train.last ?? .nan), Double(history.test.last ?? .nan))
    }

    /// The epochs done.
    var epochs: Int { history.train.count }

    /// One pass over the training set, then the loss on the test set.
    ///
    /// The training loss is the mean over the pairs, each with the parameters that its batch met.
    ///
    /// - Throws: if a loss is not finite, or the person interrupts.
    mutating func epoch() throws(Failure) {
        var trainLoss: S = 0
        training.shuffle(using: &random)
        for number in 0..<training.count {
            if Interrupt.isRequested { throw Interrupt.failure }
            training.load(number)
            let batch = training.batch
            let loss = trainer.step(batch.x, batch.targets, batch.packing)
            try check(loss, "train", batch)
            guard trainer.gradientNorm!.isFinite else { throw failure("gradient", batch) }
            trainLoss += loss * (S(batch.packing.sequenceCount) / S(training.pairs.count))
        }
        let testLoss = trainer.evaluate(test.x, test.targets, test.packing)
        try check(testLoss, "test", test)
        history.append(train: trainLoss, test: testLoss)
    }

    private func check(_ loss: S, _ name: String, _ batch: Batch<S>) throws(Failure) {
        if !loss.isFinite { throw failure("\(name) loss", batch) }
    }

    /// Says what is not finite, and what was so first.
    private func failure(_ name: String, _ batch: Batch<S>) -> Failure {
        let batch = Sluice.Batch(x: batch.x, targets: batch.targets, packing: batch.packing)
        let first = trainer.firstNonFinite(in: batch, validation: name == "test loss").map { " (\($0))" } ?? ""
        return Failure(
            "the \(name) of epoch \(epochs + 1) is not finite\(first); no file was written. Try a smaller --learning-rate.",
            exitCode: Failure.notFinite)
    }
}
