import Sluice

/// The training set, walked over in batches: whole, or in mini-batches of a new random order in every epoch.
///
/// The batches' memory is kept from epoch to epoch. Where the size does not divide the set, the last batch is smaller.
struct MiniBatches<S: Scalar>: Sendable {
    private(set) var pairs: [Addends]
    private let size: Int
    /// A batch of the full size and, if there is a rest, one of its size.
    private var slots: [Batch<S>]
    private var current = 0

    /// - Parameter size: B, the pairs of a batch, at most as many as there are.
    init(_ pairs: [Addends], size: Int, bits: Int) {
        require((1...pairs.count).contains(size), "mini-batches of \(size) of \(pairs.count) pairs")
        self.pairs = pairs
        self.size = size
        slots = [Batch(pairs.prefix(size), bits: bits)]
        let rest = pairs.count % size
        if rest > 0 { slots.append(Batch(pairs.suffix(rest), bits: bits)) }
    }

    /// The batches of an epoch.
    var count: Int { (pairs.count + size - 1) / size }

    /// The batch loaded last; before that the first.
    var batch: Batch<S> { slots[current] }

    /// Takes as many other pairs in the place of these.
    mutating func replace(with pairs: [Addends]) {
        require(pairs.count == self.pairs.count, "\(pairs.count) pairs in the place of \(self.pairs.count)")
        self.pairs = pairs
        if count == 1 { slots[0].fill(pairs) }
    }

    /// Begins an epoch: a new order, unless the set is one batch.
    mutating func shuffle(using random: inout Random) {
        if count > 1 { pairs.shuffle(using: &random) }
    }

    /// Makes ``batch`` the one of this number, 0 ..< ``count``, in the present order.
    mutating func load(_ number: Int) {
        if count == 1 { return }
        let range = number * size..<min((number + 1) * size, pairs.count)
        current = range.count == size ? 0 : 1
        slots[current].fill(pairs[range])
    }
}
