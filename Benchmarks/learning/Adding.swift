import ArgumentParser
import Sluice

/// The adding problem over long sequences.
struct Adding: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The adding problem: remember two of T numbers and add them (Bai et al. 2018).")

    @Option(help: "The network: its size is chosen for about 70,000 parameters.") var architecture = Architecture.gru
    @Option(help: "H, the hidden units, if others.") var hidden: Int?
    @Option(help: "T, the steps of a sequence.") var steps = 600
    @Option(help: "B, the sequences of an update.") var batch = 32
    @Option(help: "Updates.") var updates = 3000
    @Option(help: "Adam's largest step size.") var learningRate = 0.01
    @Option(help: "Updates over which the step size rises; a fiftieth of all if not said.") var warmUp: Int?
    @Option(help: "The largest norm of a gradient.") var clip = 1.0
    @Option(help: "Steps that units remember at most at first; T if not said, 1 for biases of 0.") var memory: Int?
    @Option(help: "Start of all random numbers of the training.") var seed: UInt64 = 1
    @Option(help: "Updates between two tests.") var testInterval = 50
    @Option(help: "Threads; the result does not depend on them.") var threads = 1

    /// Sequences of the test set, in batches of this many.
    static let testBatch = 64
    static let testBatches = 16
    private static let testSeed: UInt64 = 0x7465_7374_6164_6421

    var recipe: Recipe {
        let sizes: [Architecture: Int] = [.gru: 151, .lstm: 130, .rnn: 263]
        return Recipe(
            architecture: architecture, hidden: hidden ?? sizes[architecture]!, memory: memory ?? steps, batch: batch,
            updates: updates, learningRate: learningRate, warmUp: warmUp ?? updates / 50, clip: clip, seed: seed)
    }

    func validate() throws {
        try recipe.validate()
        guard steps >= 2 else { throw ValidationError("--steps must be at least 2, not \(steps).") }
        try Recipe.check(testInterval: testInterval, threads: threads)
    }

    /// The test set, which no seed of a training changes.
    static func test<S: Scalar>(steps: Int) -> [Batch<S>] {
        var random = Random(seed: testSeed)
        return (0..<testBatches).map { _ in
            var batch: Batch<S> = AddingProblem.batch(sequences: testBatch, steps: steps)
            AddingProblem.draw(&batch, using: &random)
            return batch
        }
    }

    func run() throws {
        let recipe = recipe
        var course = Course<Float>(
            recipe, head: Head(outputSize: 1, steps: .last), loss: .meanSquaredError, threads: threads,
            batch: AddingProblem.batch(sequences: batch, steps: steps), draw: AddingProblem.draw)
        let test: [Batch<Float>] = Self.test(steps: steps)
        try Record.write(
            Heading(
                task: "adding", recipe: recipe,
                sizes: ["steps": steps, "testSequences": Self.testBatch * Self.testBatches],
                parameters: course.trainer.network.parameters.layout.count, threads: threads))
        var testLoss = Double.nan
        while course.updates < updates {
            let trainLoss = try course.advance(min(testInterval, updates - course.updates))
            testLoss = course.test(test)
            try Record.write(
                Point(
                    updates: course.updates, seconds: course.stopwatch.seconds,
                    cpuSeconds: course.stopwatch.cpuSeconds, trainLoss: trainLoss, testLoss: testLoss))
        }
        try Record.write(
            Result(
                updates: course.updates, seconds: course.stopwatch.seconds, cpuSeconds: course.stopwatch.cpuSeconds,
                testLoss: testLoss, parametersHash: course.parametersHash))
    }
}
