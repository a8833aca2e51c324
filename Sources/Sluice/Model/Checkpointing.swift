/// What a training pass keeps of its activations on the way to the end of time, and what it computes again on the way back
/// (Chen et al. 2016, arXiv 1604.06174).
///
/// Time is cut in segments. Going forward, only the states at each segment's start are kept; going back, a segment is
/// computed again from those just before its gradient, so that there is never more than one segment's tape. The gradient is
/// the same bits as without. The network must run forward only.
public enum Checkpointing: Codable, Hashable, Sendable {
    /// Everything is kept, O(T), and nothing computed again.
    case none
    /// Segments as long as make the memory least, which then is O(sqrt T).
    case automatic
    /// Segments of so many steps, rounded up to whole chunks of at least 256 rows; with `.steps(T)`, one.
    case steps(Int)

    /// Checks a choice that comes from outside the program; whatever takes one stops it with the same words.
    ///
    /// - Throws: where a segment has less than a step, or the network does not run forward only.
    public func validate(for configuration: Configuration) throws(InvalidValue) {
        try InvalidValue.throwing(problem(configuration))
    }

    func check(_ configuration: Configuration) { require(noProblem: problem(configuration)) }

    func problem(_ configuration: Configuration) -> String? {
        if self == .none { return nil }
        if case .steps(let count) = self, count < 1 {
            return "checkpointing by segments of \(count) steps; at least 1 is needed"
        }
        return configuration.direction == .forward
            ? nil
            : "checkpointing of a network that runs \(configuration.direction.rawValue): a scan back through time needs the "
                + "whole of it before its first step; checkpointing must be .none"
    }
}

/// How a pass cuts time.
struct Segmentation: Hashable, Sendable {
    var checkpointing = Checkpointing.none
    /// The rows of a chunk, where the cache is not to say; for tests, which would need long sequences.
    var chunkRows: Int?

    /// The chunks of each segment of a shard.
    func segments(
        _ chunks: [Range<Int>], _ packing: Packing, _ configuration: Configuration, _ purpose: Purpose
    ) -> [Range<Int>] {
        switch (purpose, checkpointing) {
        case (.inference, _), (.recording, _), (_, .none): return [0..<chunks.count]
        // Nothing goes back, so nothing is computed again.
        case (.evaluation, _): return chunks.indices.map { $0..<$0 + 1 }
        case (.training, .steps(let count)): return Self.segments(chunks, ofSteps: count)
        case (.training, .automatic):
            let numbers = SegmentNumbers(configuration)
            let candidates = (1...chunks.count).map { count in
                stride(from: 0, to: chunks.count, by: count).map { $0..<min($0 + count, chunks.count) }
            }
            return candidates.min { numbers.count($0, chunks, packing) < numbers.count($1, chunks, packing) }!
        }
    }

    /// Chunks until there are so many steps.
    private static func segments(_ chunks: [Range<Int>], ofSteps count: Int) -> [Range<Int>] {
        var segments: [Range<Int>] = [], start = 0
        for (index, chunk) in chunks.enumerated()
        where index == chunks.count - 1 || chunk.upperBound - chunks[start].lowerBound >= count {
            segments.append(start..<index + 1)
            start = index + 1
        }
        return segments
    }
}

/// The numbers that a segmentation keeps.
private struct SegmentNumbers {
    /// Of a row of the one segment that there is room for, and of a sequence's states at a segment's start.
    let row: Int
    let start: Int

    init(_ configuration: Configuration) {
        let hasOutputs = configuration.head != nil && !configuration.isSummedUp
        row =
            configuration.scanCount * (configuration.cellShape.tapeColumns + 2 * configuration.stateSize)
            + (hasOutputs ? 2 * configuration.outputSize : 0)
        start = configuration.stateCount
    }

    func count(_ segments: [Range<Int>], _ chunks: [Range<Int>], _ packing: Packing) -> Int {
        var largest = 0, starts = 0
        for segment in segments {
            let first = chunks[segment.lowerBound].lowerBound
            largest = max(largest, packing.rows(of: first..<chunks[segment.upperBound - 1].upperBound).count)
            if segment.upperBound < chunks.count { starts += packing.aliveCount(at: first) }
        }
        return largest * row + starts * start
    }
}
