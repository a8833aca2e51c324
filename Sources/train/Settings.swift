import Sluice

/// Everything that decides what a run computes, and on how many threads, which does not.
struct Settings: Hashable, Sendable {
    /// T, the bits of the training and test examples.
    var bits: Int
    /// The training examples.
    var batch: Int
    /// The test examples.
    var testBatch: Int
    /// B, the examples of one update; ``batch`` for the whole training set at once.
    var miniBatch: Int
    var variant: GRU.Variant
    /// H, the hidden units.
    var hidden: Int
    /// Passes over the training set.
    var epochs: Int
    /// The optimiser's step size.
    var learningRate: Double
    var seed: UInt64
    var scalar: ScalarType
    var backend: Backend
    var threads: Int
    var recipe = Recipe.plain

    /// The updates of the whole run.
    var updates: Int { epochs * ((batch + miniBatch - 1) / miniBatch) }

    /// The network that learns: two bits in and one bit out at every step.
    var configuration: Configuration {
        Configuration(cell: .gru(variant), inputSize: 2, hiddenSize: hidden, head: Head(outputSize: 1))
    }
}

// MARK: Text

extension Settings {
    /// In a line, what a person who looks at a curve asks first.
    var summary: String {
        let size = miniBatch == batch ? "" : ", mini-batches of \(grouped(miniBatch))"
        let rule = recipe.rule == .adam ? "Adam" : recipe.rule.rawValue
        return "GRU \(variant.rawValue), \(counted(hidden, "hidden unit")), \(grouped(batch)) examples of \(bits) bits"
            + "\(size), \(rule) \(learningRate), \(scalar.rawValue), seed \(seed)"
    }
}

// MARK: Checks

extension Settings {
    /// Finds the first value that cannot be, before anything is made of it.
    func check() throws(Failure) {
        try Self.check("--hidden", hidden, 1...8192)
        try Self.check("--epochs", epochs, 1...10_000_000)
        try checkBits()
        try Self.check("--batch", batch, 1...1_000_000)
        try Self.check("--test-batch", testBatch, 1...1_000_000)
        guard (1...batch).contains(miniBatch) else {
            throw .usage("--mini-batch must be from 1 to \(batch), the size of the --batch, not \(miniBatch)")
        }
        guard learningRate.isFinite && learningRate > 0 else {
            throw .usage("--learning-rate must be a positive number, not \(learningRate)")
        }
        try recipe.check(updates: updates)
        try Self.check("--threads", threads, 1...64)
        guard backend.isAvailable else {
            let others = Backend.available.map(\.rawValue).joined(separator: ", ")
            throw .usage("--backend \(backend.rawValue) is not in this build, which has: \(others)")
        }
        try checkMemory(available: Memory.limit())
    }

    private func checkBits() throws(Failure) {
        if bits < 3 {
            throw .usage("--bits must be at least 3, not \(bits): with fewer, the only number to add is 0")
        }
        if bits > 64 {
            throw .usage("--bits must be at most 64, not \(bits): a sum must fit in 64 bits")
        }
    }

    /// Refuses a run that the machine's memory cannot hold.
    func checkMemory(available: Double) throws(Failure) {
        let needed = memoryEstimate
        guard needed <= available else {
            throw .usage(
                "this would need about \(Memory.text(needed)) of memory, and there are \(Memory.text(available)): "
                    + "choose a smaller --hidden, --batch, --mini-batch or --bits")
        }
    }

    static func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws(Failure) {
        guard range.contains(value) else {
            throw .usage("\(option) must be from \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
    }
}

// MARK: Memory

extension Settings {
    /// About how many bytes the run needs at its largest.
    ///
    /// Counted in numbers: some 8 arrays of the parameters' size (values, packed and transposed weights, gradient, the
    /// optimiser's two moments, the file) and one gradient for each of up to 16 shards; for a training row its tape 4H,
    /// state H and gradient H; for a row of the test batch, or of the final evaluation's largest, its state.
    var memoryEstimate: Double {
        let width = Double(hidden)
        let parameters = 3 * width * width + 13 * width + 1
        let arrays = 8 + Double(min(max(miniBatch / 16, 1), 16))
        let trainingRows = Double(bits * miniBatch), testRows = Double(bits * testBatch)
        let finalRows = Double(Evaluation.widths[Evaluation.widths.count - 1] * Evaluation.pairs)
        let states = trainingRows * (6 * width + 5) + testRows * (width + 4) + finalRows * (width + 4)
        let numbers = parameters * arrays + states + 2 * Double(epochs)
        let bytes: Double = scalar == .double ? 8 : 4
        // Measured peaks lie 4 to 12 % above this sum: the smaller buffers are not counted.
        return 1.15 * numbers * bytes + 16 * Double(batch + testBatch)
    }
}
