import ArgumentParser
import Sluice

/// Binary addition of numbers longer than those of the training.
struct Addition: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Binary addition: a small network learns from short numbers to add long ones exactly.")

    @Option(help: "H, the hidden units.") var hidden = 16
    @Option(help: "Bits of the training's numbers.") var bits = 32
    @Option(help: "Bits of the test's numbers, at most 64.") var testBits = 64
    @Option(help: "B, the sums of an update.") var batch = 32
    @Option(help: "Updates.") var updates = 500
    @Option(help: "Adam's largest step size.") var learningRate = 0.02
    @Option(help: "Updates over which the step size rises; a fiftieth of all if not said.") var warmUp: Int?
    @Option(help: "The largest norm of a gradient.") var clip = 1.0
    @Option(help: "The first seed of the training.") var seed: UInt64 = 1
    @Option(help: "How many seeds, one after another.") var seeds = 1
    @Option(help: "Updates between two tests.") var testInterval = 20
    @Option(help: "Threads; the result does not depend on them.") var threads = 1

    /// The pairs that are added at each point of a curve, and others at its end.
    static let pairs = 1_000
    private static let curveSeed: UInt64 = 0x6375_7276_6561_6464
    private static let finalSeed: UInt64 = 0x6669_6e61_6c61_6464

    func recipe(seed: UInt64) -> Recipe {
        Recipe(
            architecture: .gru, hidden: hidden, memory: 1, batch: batch, updates: updates,
            learningRate: learningRate, warmUp: warmUp ?? updates / 50, clip: clip, seed: seed)
    }

    func validate() throws {
        try recipe(seed: seed).validate()
        for (name, value) in [("bits", bits), ("test-bits", testBits)] where !(1...64).contains(value) {
            throw ValidationError("--\(name) must be from 1 to 64, not \(value).")
        }
        guard seeds >= 1 else { throw ValidationError("--seeds must be at least 1, not \(seeds).") }
        try Recipe.check(testInterval: testInterval, threads: threads)
    }

    func run() throws {
        for number in 0..<UInt64(seeds) { try train(recipe(seed: seed + number)) }
    }

    /// A training on fresh pairs.
    func course(_ recipe: Recipe) -> Course<Float> {
        let bits = bits, batch = recipe.batch
        return Course(
            recipe, head: Head(outputSize: 1), loss: .binaryCrossEntropy, threads: threads,
            batch: BinaryAddition.batch(sequences: batch, bits: bits)
        ) { room, random in
            BinaryAddition.encode(Self.pairs(batch, bits: bits, using: &random), into: &room)
        }
    }

    private static func pairs(_ count: Int, bits: Int, using random: inout Random) -> [BinaryAddition.Addends] {
        (0..<count).map { _ in .random(bits: bits, using: &random) }
    }

    private func train(_ recipe: Recipe) throws {
        var course = course(recipe)
        var random = Random(seed: Self.curveSeed), finalRandom = Random(seed: Self.finalSeed)
        let curvePairs = Self.pairs(Self.pairs, bits: testBits, using: &random)
        let finalPairs = Self.pairs(Self.pairs, bits: testBits, using: &finalRandom)
        var test: Batch<Float> = BinaryAddition.batch(sequences: Self.pairs, bits: testBits)
        BinaryAddition.encode(curvePairs, into: &test)
        try Record.write(
            Heading(
                task: "addition", recipe: recipe,
                sizes: ["bits": bits, "testBits": testBits, "testPairs": Self.pairs],
                parameters: course.trainer.network.parameters.layout.count, threads: threads))
        var testLoss = Double.nan
        while course.updates < updates {
            let trainLoss = try course.advance(min(testInterval, updates - course.updates))
            testLoss = course.test([test])
            try Record.write(
                Point(
                    updates: course.updates, seconds: course.stopwatch.seconds,
                    cpuSeconds: course.stopwatch.cpuSeconds, trainLoss: trainLoss, testLoss: testLoss,
                    exact: BinaryAddition.exactCount(course.trainer.network, curvePairs, bits: testBits)))
        }
        try Record.write(
            Result(
                updates: course.updates, seconds: course.stopwatch.seconds, cpuSeconds: course.stopwatch.cpuSeconds,
                testLoss: testLoss,
                exact: BinaryAddition.exactCount(course.trainer.network, finalPairs, bits: testBits),
                pairs: Self.pairs,
                exactLongCarries: BinaryAddition.exactCount(
                    course.trainer.network, finalPairs.map { $0.withLongCarry(bits: testBits) }, bits: testBits),
                parametersHash: course.parametersHash))
    }
}
