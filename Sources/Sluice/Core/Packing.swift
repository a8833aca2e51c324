/// Which rows of a matrix are step t, for a batch of sequences of any lengths.
///
/// Sequences are sorted by falling length (equal lengths keep their order) and rows are time-major: first the first
/// steps of all sequences, then the second steps of those that have one, and so on. So the sequences still alive at a
/// step are always the first ones, a step is a range of rows, and no mask is needed. With equal lengths this is the
/// plain `[T, B]` order.
///
///     lengths [2, 3, 1]    step 0: rows 0..<3 (sequences 1, 0, 2)   step 1: rows 3..<5 (1, 0)   step 2: rows 5..<6 (1)
public struct Packing: Hashable, Sendable {
    /// The length of each sequence, in the caller's order.
    public let lengths: [Int]
    /// Position in the packing -> the caller's number of the sequence.
    public let order: [Int]
    /// The caller's number of a sequence -> position in the packing.
    public let positions: [Int]
    /// Whether the packing keeps the caller's order.
    let isInOrder: Bool
    /// Step -> its first row; one more entry at the end, the number of rows N.
    private let offsets: [Int]
    /// Of the lengths, from which all else follows: packings that are looked up every step are told apart by it.
    private let fingerprint: Int

    /// A batch of sequences of the given lengths.
    ///
    /// - Precondition: there is at least one sequence, each has at least one step, and all together have no more than
    ///   2,147,483,647. For lengths from outside the program there is ``init(checking:steps:)``.
    public init(lengths: [Int]) {
        require(noProblem: Self.problem(lengths: lengths))
        self.init(checked: lengths)
    }

    /// A batch of sequences whose lengths come from outside the program. A step takes some 8 bytes: who does not
    /// want to pay for any length that is asked for says the most.
    ///
    /// - Parameters:
    ///   - lengths: the steps of each sequence.
    ///   - steps: how many a sequence may have, such as those of the padded array beside the lengths; nil: any number.
    /// - Throws: where a length is less than 1 or more than that, there is none, or their sum is more than 2,147,483,647.
    public init(checking lengths: [Int], steps: Int? = nil) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(lengths: lengths, steps: steps))
        self.init(checked: lengths)
    }

    private init(checked lengths: [Int]) {
        self.lengths = lengths
        order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        var positions = [Int](repeating: 0, count: lengths.count)
        for (position, sequence) in order.enumerated() { positions[sequence] = position }
        self.positions = positions
        isInOrder = order.elementsEqual(0..<order.count)

        var offsets = [0]
        var alive = lengths.count
        for step in 0..<lengths[order[0]] {
            while lengths[order[alive - 1]] <= step { alive -= 1 }
            offsets.append(offsets[step] + alive)
        }
        self.offsets = offsets
        fingerprint = Self.fingerprint(lengths.count) { lengths[$0] }
    }

    /// Some of a batch's sequences, which are sorted already, alone.
    ///
    /// - Parameter positions: theirs in the batch.
    init(_ batch: Packing, positions: Range<Int>) {
        if positions.count == batch.sequenceCount && batch.isInOrder {
            self = batch
            return
        }
        let lengths = batch.order[positions].map { batch.lengths[$0] }
        self.lengths = lengths
        order = Array(0..<lengths.count)
        self.positions = order
        isInOrder = true
        fingerprint = Self.fingerprint(lengths.count) { lengths[$0] }
        if positions.count == batch.sequenceCount {
            offsets = batch.offsets
            return
        }
        var offsets = [0]
        offsets.reserveCapacity(lengths[0] + 1)
        for step in 0..<lengths[0] {
            let alive = batch.aliveCount(at: step)
            offsets.append(offsets[step] + max(min(alive, positions.upperBound) - positions.lowerBound, 0))
        }
        self.offsets = offsets
    }

    /// A batch of `sequences` sequences of `steps` steps each.
    ///
    /// - Precondition: there is at least one of both, and no more than 2,147,483,647 steps in all. For sizes from outside the
    ///   program there is ``init(checkingSequences:steps:)``.
    public init(sequences: Int, steps: Int) {
        require(noProblem: Self.problem(sequences: sequences, steps: steps))
        self.init(checked: [Int](repeating: steps, count: sequences))
    }

    /// A batch of `sequences` sequences of `steps` steps each, sizes that come from outside the program.
    ///
    /// - Throws: where one of them is less than 1, or the steps in all are more than 2,147,483,647.
    public init(checkingSequences sequences: Int, steps: Int) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(sequences: sequences, steps: steps))
        self.init(checked: [Int](repeating: steps, count: sequences))
    }

    /// B, the number of sequences.
    public var sequenceCount: Int { lengths.count }
    /// T, the number of steps of the longest sequence.
    public var stepCount: Int { offsets.count - 1 }
    /// N, the number of rows: the sum of the lengths.
    public var rowCount: Int { offsets[stepCount] }

    /// The rows of a step: one for each sequence that is still alive.
    ///
    /// - Precondition: the longest sequence has the step.
    public func rows(at step: Int) -> Range<Int> {
        checkStep(step)
        return offsets[step]..<offsets[step + 1]
    }

    /// The rows of a range of steps.
    ///
    /// - Precondition: the longest sequence has them.
    public func rows(of steps: Range<Int>) -> Range<Int> {
        require(
            steps.lowerBound >= 0 && steps.upperBound <= stepCount,
            "steps \(steps) of a batch whose longest sequence has \(stepCount)")
        return offsets[steps.lowerBound]..<offsets[steps.upperBound]
    }

    /// The number of sequences that have a step of this number.
    ///
    /// - Precondition: the longest sequence has it.
    public func aliveCount(at step: Int) -> Int {
        checkStep(step)
        return offsets[step + 1] - offsets[step]
    }

    private func checkStep(_ step: Int) {
        require(
            step >= 0 && step < stepCount, "step \(step) of a batch whose longest sequence has \(stepCount) steps")
    }

    /// The row of one step of one sequence, numbered as the caller does.
    ///
    /// - Precondition: there is such a sequence, and it has the step.
    public func row(sequence: Int, step: Int) -> Int {
        require(
            sequence >= 0 && sequence < lengths.count, "sequence \(sequence) of a batch of \(lengths.count) sequences")
        require(
            step >= 0 && step < lengths[sequence],
            "step \(step) of sequence \(sequence), which has \(lengths[sequence]) steps")
        return offsets[step] + positions[sequence]
    }

    /// Whether all sequences have the same length.
    public var isEqualLength: Bool { rowCount == sequenceCount * stepCount }

    /// Steps in runs of at most `rowLimit` rows (a step of more rows is a run of its own).
    func chunks(rowLimit: Int) -> [Range<Int>] {
        if rowCount <= rowLimit { return [0..<stepCount] }
        var chunks: [Range<Int>] = []
        var start = 0
        while start < stepCount {
            var end = start + 1
            while end < stepCount && offsets[end + 1] - offsets[start] <= rowLimit { end += 1 }
            chunks.append(start..<end)
            start = end
        }
        return chunks
    }
}

// MARK: Comparing

extension Packing {
    /// Of the same lengths in the same order.
    public static func == (a: Packing, b: Packing) -> Bool {
        a.fingerprint == b.fingerprint && a.lengths == b.lengths
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }

    /// A hash of so many lengths.
    static func fingerprint(_ count: Int, _ length: (Int) -> Int) -> Int {
        var bits = UInt64(count)
        for index in 0..<count {
            bits = (bits ^ UInt64(length(index))) &* 0x9E37_79B9_7F4A_7C15
            bits ^= bits >> 29
        }
        return Int(truncatingIfNeeded: bits)
    }

    /// About what it takes.
    var bytes: Int { 8 * (3 * sequenceCount + stepCount + 20) }
}

// MARK: Checks

extension Packing {
    /// The rows of a batch: matrix products count them in 32 bits.
    static var mostRows: Int { Int(Int32.max) }

    /// Why there is no batch of these lengths; nil: there is.
    ///
    /// - Parameter steps: the most that a sequence may have; nil: any number.
    static func problem(lengths: [Int], steps: Int? = nil) -> String? {
        if lengths.isEmpty { return "a batch of 0 sequences; at least 1 is needed" }
        var sum = 0
        for (sequence, length) in lengths.enumerated() {
            if length < 1 { return "sequence \(sequence) has length \(length); at least 1 is needed" }
            if let steps, length > steps {
                return "sequence \(sequence) has length \(length); at most \(steps) is possible"
            }
            // Neither of the two is large enough to overflow.
            if length > mostRows || sum + length > mostRows {
                return "sequences 0 to \(sequence) have more than \(mostRows) steps in all, sequence \(sequence) alone "
                    + "\(length); at most \(mostRows) is possible"
            }
            sum += length
        }
        return nil
    }

    private static func problem(sequences: Int, steps: Int) -> String? {
        if sequences < 1 || steps < 1 {
            return "a batch of \(sequences) sequences of \(steps) steps; at least 1 of both is needed"
        }
        return sequences > mostRows / steps
            ? "a batch of \(sequences) sequences of \(steps) steps; at most \(mostRows) steps in all are possible" : nil
    }
}
