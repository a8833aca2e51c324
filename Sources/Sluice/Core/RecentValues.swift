/// The values made last, each found again by its hash. Beyond a count, or beyond some bytes, the oldest goes.
struct RecentValues<Value> {
    private var values: [Int: (value: Value, bytes: Int)] = [:]
    /// The hashes, the oldest first.
    private var order: [Int] = []
    private(set) var bytes = 0

    /// So many are kept whatever their size: a training set's batches, its smaller last batch, and the same of a test set.
    private static var leastCount: Int { 4 }
    /// More are kept, for batches in buckets, whose lengths come again in every epoch, as long as they are small beside
    /// the matrices of a batch, and no more than stay in a second-level cache: to free what has left it costs as much as to make
    /// it anew.
    private static var mostCount: Int { 64 }
    private static var mostBytes: Int { 4 << 20 }

    var count: Int { order.count }

    /// The value kept under a hash. Whoever asks looks whether it is the right one.
    subscript(hash: Int) -> Value? { values[hash]?.value }

    /// Keeps a value, in the place of another of its hash.
    mutating func keep(_ value: Value, hash: Int, bytes: Int) {
        if let old = values[hash] { self.bytes -= old.bytes } else { order.append(hash) }
        values[hash] = (value, bytes)
        self.bytes += bytes
        while order.count > Self.leastCount && (order.count > Self.mostCount || self.bytes > Self.mostBytes) {
            self.bytes -= values.removeValue(forKey: order.removeFirst())!.bytes
        }
    }
}

extension RecentValues: Sendable where Value: Sendable {}
