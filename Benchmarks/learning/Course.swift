import Sluice

/// A network in training on fresh batches, and the time it took.
///
/// All random numbers of the training come from one generator, `Random(seed:)`: the network's parameters, then the batches.
/// Test data have generators of their own.
struct Course<S: Scalar> {
    private(set) var trainer: Trainer<S>
    private(set) var stopwatch = Stopwatch()
    private(set) var updates = 0
    private var random: Random
    private var batch: Batch<S>
    private let draw: (inout Batch<S>, inout Random) -> Void

    /// - Parameters:
    ///   - batch: room for B sequences.
    ///   - draw: fills it anew.
    init(
        _ recipe: Recipe, head: Head, loss: Loss, threads: Int, batch: Batch<S>,
        draw: @escaping (inout Batch<S>, inout Random) -> Void
    ) {
        random = Random(seed: recipe.seed)
        let network: Network<S> = recipe.network(
            inputs: batch.x.columns, head: head, using: &random, threads: threads)
        trainer = Trainer(
            network, loss: loss, optimizer: recipe.optimizer, schedule: recipe.schedule, clipping: .norm(recipe.clip))
        self.batch = batch
        self.draw = draw
    }

    /// Trains for so many updates more.
    ///
    /// - Returns: the mean of their losses, each before its update.
    /// - Throws: if that is not finite.
    mutating func advance(_ count: Int) throws(NonFiniteLoss) -> Double {
        var sum = 0.0
        stopwatch.start()
        for _ in 0..<count {
            draw(&batch, &random)
            sum += Double(trainer.step(batch))
        }
        stopwatch.stop()
        updates += count
        guard sum.isFinite else { throw NonFiniteLoss(updates: updates) }
        return sum / Double(count)
    }

    /// The loss of other data, as many sequences as an update's at a time.
    mutating func test(_ batches: [Batch<S>]) -> Double {
        var sum = 0.0
        for batch in batches { sum += Double(trainer.evaluate(batch.x, batch.targets, batch.packing)) }
        return sum / Double(batches.count)
    }
}

extension Course {
    /// Tells two trained networks apart by any bit.
    var parametersHash: String { Record.hash(trainer.network.parameters.values.elements.map { Double($0) }) }
}

/// Why a run ends early.
struct NonFiniteLoss: Error, CustomStringConvertible {
    let updates: Int

    var description: String {
        "a loss of the updates up to \(updates) is not finite; a smaller --learning-rate or --clip may help"
    }
}
