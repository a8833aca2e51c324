/// How a set of sequences is cut into the batches of an epoch.
public struct Batching: Codable, Hashable, Sendable {
    /// The sequences of a batch.
    public var size: Int
    /// Whether every epoch has a new order. A set that is one batch keeps its own.
    public var shuffles: Bool
    /// Whether sequences of like length come together.
    public var bucketing: Bucketing
    /// Whether sequences that do not fill a batch are left out of the epoch, others in each (`drop_last`); otherwise
    /// they are a smaller batch.
    public var dropsLast: Bool

    /// Batches of so many sequences.
    public init(size: Int, shuffles: Bool = true, bucketing: Bucketing = .none, dropsLast: Bool = false) {
        self.size = size
        self.shuffles = shuffles
        self.bucketing = bucketing
        self.dropsLast = dropsLast
    }

    /// The batches of an epoch over so many sequences.
    func count(_ sequences: Int) -> Int { sequences / size + (dropsLast || sequences % size == 0 ? 0 : 1) }

    /// Checks its numbers, for those that come from outside: ``Batches`` that are given others stop the program with the same words.
    ///
    /// - Parameter sequences: those of the set.
    /// - Throws: ``InvalidValue``: a size or a window below 1, or a size that no batch of them has.
    public func validate(sequences: Int) throws(InvalidValue) {
        try InvalidValue.throwing(problem(sequences: sequences))
    }

    /// What is wrong with its numbers, in words.
    func problem(sequences: Int) -> String? {
        if size < 1 { return "batches of \(size) sequences: at least 1 is needed" }
        if count(sequences) < 1 {
            return "\(sequences) sequences do not fill one batch of \(size), and the last is dropped"
        }
        if case .windows(let batches) = bucketing, batches < 1 {
            return "buckets in windows of \(batches) batches: at least 1 is needed"
        }
        return nil
    }
}

/// Which sequences are brought together by their lengths. A batch of like lengths keeps the products large to its last
/// step, and batches whose lengths come again find their memory again; but its sequences are less random.
public enum Bucketing: Codable, Hashable, Sendable {
    /// Only the order counts.
    case none
    /// The order is cut into windows of so many batches, each window is sorted by length and cut into batches, and the
    /// batches of all windows are put in random order.
    case windows(batches: Int)
    /// All sequences are sorted by length, equal lengths in the order, and the batches put in random order. Every epoch
    /// has batches of the same lengths.
    case all

    /// The batches of a window, of so many.
    func window(_ count: Int) -> Int {
        switch self {
        case .none: 1
        case .windows(let batches): min(batches, count)
        case .all: count
        }
    }
}
