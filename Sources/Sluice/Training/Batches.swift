/// The batches of a training run, epoch by epoch: from a set of sequences, or made as they are asked for.
///
///     var batches = Batches(examples, Batching(size: 32, bucketing: .all), random: Random(seed: 1))
///     for _ in 0..<epochs {
///         while let batch = batches.next() { _ = trainer.step(batch) }
///     }
///
/// There is memory for one batch, the largest so far, which the next ones take again unless it is held on to. Lengths that come
/// again, among the last 64 different ones, allocate nothing.
public struct Batches<S: Scalar>: Sendable {
    /// Where the run is, in which order, and the generator. With the same examples it is all that later batches depend
    /// on.
    public private(set) var position: BatchPosition
    private let source: Source
    private var sort: LengthSort
    /// The present batch; nil before the first.
    private var current: Batch<S>?
    /// The packings of the last ones.
    private(set) var packings = RecentValues<Packing>()
    /// Whether the present batch is the only one of every epoch, so that it need not be filled again.
    private var isComplete = false

    private enum Source: Sendable {
        case examples(Examples<S>, Batching)
        case maker(count: Int, @Sendable (Int, inout Random) -> Batch<S>)
    }

    /// The batches of a set.
    ///
    /// - Parameters:
    ///   - examples: the sequences and their targets.
    ///   - batching: how they are cut into batches.
    ///   - random: where the order of each epoch comes from.
    /// - Precondition: ``Batching/validate(sequences:)`` throws nothing.
    public init(_ examples: Examples<S>, _ batching: Batching, random: Random = Random(seed: 0)) {
        require(noProblem: batching.problem(sequences: examples.count))
        source = .examples(examples, batching)
        sort = LengthSort(examples.lengths)
        position = BatchPosition(
            random: random, order: Array(0..<examples.count), batchOrder: Array(0..<batching.count(examples.count)))
    }

    /// Batches that are made as they are asked for: generated data, or data too large for memory.
    ///
    ///     let batches = Batches<Float>(perEpoch: 100) { number, random in makeBatch(&random) }
    ///
    /// - Parameters:
    ///   - count: how many batches count as an epoch.
    ///   - random: what the batches may be drawn from. It is part of the run's state, so that a resumed run goes on with the
    ///     batches that it would have had.
    ///   - make: the batch of that number, counted from 0 through all epochs.
    public init(
        perEpoch count: Int, random: Random = Random(seed: 0),
        _ make: @escaping @Sendable (_ number: Int, _ random: inout Random) -> Batch<S>
    ) {
        require(count >= 1, "\(count) batches an epoch")
        source = .maker(count: count, make)
        sort = LengthSort([])
        position = BatchPosition(random: random, order: [], batchOrder: [])
    }

    /// The batches of an epoch.
    public var count: Int {
        switch source {
        case .examples: position.batchOrder.count
        case .maker(let count, _): count
        }
    }

    /// The next batch of the epoch; nil, once, at its end: the call after that begins another.
    public mutating func next() -> Batch<S>? {
        if position.next == count {
            position.next = 0
            return nil
        }
        advance()
        return batch
    }

    /// Goes to where another run over the same examples was.
    ///
    /// - Throws: ``InvalidValue``, which names the field that cannot be such a run's; then nothing has changed.
    public mutating func resume(from position: BatchPosition) throws(InvalidValue) {
        try InvalidValue.throwing(problem(resumingFrom: position))
        self.position = position
        isComplete = false
    }

    /// What makes a position none of these batches, in words that name the field.
    func problem(resumingFrom other: BatchPosition) -> String? {
        for (name, given, own) in [
            ("order", other.order, position.order), ("batchOrder", other.batchOrder, position.batchOrder),
        ] {
            if given.count != own.count { return "\(name) has \(given.count) numbers, for \(own.count)" }
            if let number = given.firstBeyondAPermutation {
                return "\(name) has the number \(number) twice, or it is not one of 0 to \(own.count - 1)"
            }
        }
        if other.next < 0 || other.next > count { return "next is \(other.next), of \(count) batches" }
        return countProblem("total", other.total)
    }
}

extension [Int] {
    /// The first number that keeps it from being the numbers from 0 up, each once.
    fileprivate var firstBeyondAPermutation: Int? {
        var isThere = [Bool](repeating: false, count: count)
        for number in self {
            if !indices.contains(number) || isThere[number] { return number }
            isThere[number] = true
        }
        return nil
    }
}

// MARK: Positions

/// Where a run is among its batches, and what it goes on from there with.
public struct BatchPosition: Codable, Equatable, Sendable {
    /// The generator of orders, or of batches.
    public fileprivate(set) var random: Random
    /// The sequences in the epoch's order.
    fileprivate var order: [Int]
    /// The epoch's batches in their order, each so many sequences of `order`.
    fileprivate var batchOrder: [Int]
    /// The batch to come, 0 ... their count.
    public fileprivate(set) var next = 0
    /// The batches so far, over all epochs.
    public fileprivate(set) var total = 0
}

extension Batches {
    /// The present batch.
    var batch: Batch<S> { current! }

    /// What the batches are of; nil: they are made.
    var examples: Examples<S>? {
        if case .examples(let examples, _) = source { examples } else { nil }
    }

    /// Makes ``batch`` the next one, of this epoch or of another.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func advance() {
        if position.next == count { position.next = 0 }
        switch source {
        case .examples(let examples, let batching):
            if position.next == 0 { beginEpoch(batching) }
            load(examples, batching)
        case .maker(_, let make):
            // Whoever makes batches may fill one again, if nobody else holds it.
            current = nil
            current = make(position.total, &position.random)
        }
        position.next += 1
        position.total += 1
    }

    /// Puts an epoch in order.
    private mutating func beginEpoch(_ batching: Batching) {
        // What is dropped is so before lengths are looked at.
        let used = min(count * batching.size, position.order.count)
        let isOneBatch = count == 1 && used == position.order.count
        if batching.shuffles && !isOneBatch { position.order.shuffle(using: &position.random) }
        let window = batching.bucketing.window(count) * batching.size
        for start in stride(from: 0, to: used, by: window) {
            sort.sort(&position.order, start..<min(start + window, used))
        }
        if batching.shuffles && batching.bucketing != .none { position.batchOrder.shuffle(using: &position.random) }
    }

    private mutating func load(_ examples: Examples<S>, _ batching: Batching) {
        if isComplete { return }
        let start = position.batchOrder[position.next] * batching.size
        let sequences = position.order[start..<min(start + batching.size, position.order.count)]
        isComplete = sequences.count == examples.count
        let packing = packing(examples.lengths, sequences)
        if current == nil {
            current = examples.batch(sequences, packing)
        } else {
            examples.refill(&current!, sequences, packing)
        }
    }

    /// The packing of some sequences: an earlier one, if their lengths are the same.
    private mutating func packing(_ lengths: [Int], _ sequences: ArraySlice<Int>) -> Packing {
        let first = sequences.startIndex
        let hash = Packing.fingerprint(sequences.count) { lengths[sequences[first + $0]] }
        if let kept = packings[hash], kept.lengths.count == sequences.count,
            kept.lengths.indices.allSatisfy({ kept.lengths[$0] == lengths[sequences[first + $0]] })
        {
            return kept
        }
        let packing = Packing(lengths: sequences.map { lengths[$0] })
        packings.keep(packing, hash: hash, bytes: packing.bytes)
        return packing
    }
}

// MARK: Sorting

/// Sorts sequences by falling length, equal lengths in the order they have: by counting, with room that is kept.
private struct LengthSort: Sendable {
    /// Sequence -> how many lengths that occur are longer.
    private let ranks: [Int]
    /// Rank -> the place of the next sequence.
    private var places: [Int]
    private var sorted: [Int] = []

    init(_ lengths: [Int]) {
        let falling = Set(lengths).sorted(by: >)
        let rank = Dictionary(uniqueKeysWithValues: zip(falling, falling.indices))
        ranks = lengths.map { rank[$0]! }
        places = [Int](repeating: 0, count: falling.count + 1)
        if falling.count > 1 { sorted.reserveCapacity(lengths.count) }
    }

    mutating func sort(_ order: inout [Int], _ range: Range<Int>) {
        guard places.count > 2 else { return }
        for rank in places.indices { places[rank] = 0 }
        for place in range { places[ranks[order[place]] + 1] += 1 }
        for rank in 1..<places.count { places[rank] += places[rank - 1] }
        sorted.removeAll(keepingCapacity: true)
        sorted.append(contentsOf: order[range])
        for sequence in sorted {
            let rank = ranks[sequence]
            order[range.lowerBound + places[rank]] = sequence
            places[rank] += 1
        }
    }
}
