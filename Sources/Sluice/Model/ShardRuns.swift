/// How a shard's steps and rows are run through.
struct ShardRuns: Sendable {
    /// Runs of steps whose activations are in memory together: one of all steps, unless training keeps less.
    let segments: [SegmentRuns]
    /// The rows of the largest segment, and of the largest chunk.
    let segmentRows: Int
    let chunkRows: Int
    /// The rows of states that are kept at the starts of segments.
    let keptRows: Int
    let chunkCount: Int
    /// Where a head sums sequences up: which row of the batch's outputs is which of the shard's.
    let summaries: [RowRun]

    init(
        _ configuration: Configuration, _ shard: Shard, _ purpose: Purpose, _ segmentation: Segmentation,
        scalar: ScalarType
    ) {
        let packing = shard.packing
        // As many rows as keep their tape in half of a 1 MiB second-level cache, and enough for full products.
        let tapeBytes = configuration.cellShape.tapeColumns * scalar.bytes
        let chunks = packing.chunks(rowLimit: segmentation.chunkRows ?? max((512 << 10) / tapeBytes, 256))
        var kept = 0
        segments = segmentation.segments(chunks, packing, configuration, purpose).map { segment in
            let runs = SegmentRuns(configuration, shard, chunks, segment, keptFrom: purpose == .training ? kept : nil)
            kept += runs.keptRows.count
            return runs
        }
        keptRows = kept
        segmentRows = segments.map(\.rowCount).max()!
        chunkRows = chunks.map { packing.rows(of: $0).count }.max()!
        chunkCount = chunks.count
        summaries =
            configuration.isSummedUp
            ? shard.sequences.enumerated().map { RowRun(shard: $0..<$0 + 1, batch: $1..<$1 + 1) } : []
    }

    /// About what it takes itself.
    var bytes: Int {
        segments.reduce(MemoryLayout<RowRun>.stride * summaries.count) {
            $0 + MemoryLayout<SegmentRuns>.stride + MemoryLayout<RowRun>.stride * $1.steps.count
                + MemoryLayout<Range<Int>>.stride * $1.chunks.count + MemoryLayout<RowPair>.stride * $1.reversed.count
        }
    }
}

/// How the steps of a segment of time are run through. Steps, chunks and the shard's rows are counted from its start.
struct SegmentRuns: Sendable {
    /// The step of the shard that is the segment's first.
    let firstStep: Int
    /// The chunk of the shard that is the segment's first.
    let firstChunk: Int
    /// Whether the segment begins, or ends, the shard's time.
    let isFirst: Bool
    let isLast: Bool
    /// The rows of each step.
    let steps: [RowRun]
    /// Runs of steps that are computed together while their rows are in the cache, and in one product of their gradients.
    let chunks: [Range<Int>]
    /// Where the states before its first step are kept, if it is to be computed again; else empty.
    let keptRows: Range<Int>
    /// For each row of a scan that runs back from every sequence's end: the row in time's order, of the shard and of the
    /// batch. Empty where no scan does.
    let reversed: [RowPair]
    private let isWhole: Bool

    /// - Parameter kept: the first row for states that are kept; nil: there are none.
    fileprivate init(
        _ configuration: Configuration, _ shard: Shard, _ all: [Range<Int>], _ segment: Range<Int>, keptFrom kept: Int?
    ) {
        let packing = shard.packing
        let first = all[segment.lowerBound].lowerBound, firstRow = packing.rows(at: first).lowerBound
        let steps = (first..<all[segment.upperBound - 1].upperBound).map { step in
            let rows = packing.rows(at: step)
            return RowRun(
                shard: rows.lowerBound - firstRow..<rows.upperBound - firstRow, batch: shard.batchRows(at: step))
        }
        self.steps = steps
        firstStep = first
        firstChunk = segment.lowerBound
        isFirst = segment.lowerBound == 0
        isLast = segment.upperBound == all.count
        isWhole = shard.isWhole
        chunks = all[segment].map { $0.lowerBound - first..<$0.upperBound - first }
        keptRows = kept.map { $0..<$0 + (segment.upperBound == all.count ? 0 : steps[0].shard.count) } ?? 0..<0
        reversed = configuration.direction == .forward ? [] : Self.reversed(steps, packing)
    }

    private static func reversed(_ steps: [RowRun], _ packing: Packing) -> [RowPair] {
        var rows: [RowPair] = []
        rows.reserveCapacity(packing.rowCount)
        for step in steps.indices {
            for position in 0..<steps[step].shard.count {
                let time = steps[packing.lengths[position] - 1 - step]
                rows.append(
                    RowPair(shard: time.shard.lowerBound + position, batch: time.batch.lowerBound + position))
            }
        }
        return rows
    }

    var rowCount: Int { steps[steps.count - 1].shard.upperBound }
    /// The sequences that have its first step.
    var aliveCount: Int { steps[0].shard.count }

    /// The rows of some steps.
    func rows(of steps: Range<Int>) -> Range<Int> {
        self.steps[steps.lowerBound].shard.lowerBound..<self.steps[steps.upperBound - 1].shard.upperBound
    }

    /// The batch's rows of some steps, if they are the shard's and so follow one another.
    func wholeBatchRows(of steps: Range<Int>) -> Range<Int>? {
        isWhole
            ? self.steps[steps.lowerBound].batch.lowerBound..<self.steps[steps.upperBound - 1].batch.upperBound : nil
    }

    /// Which rows of the batch are which of some steps', in as few runs as they come in.
    @inline(__always)
    func forEachRun(of steps: Range<Int>, _ body: (RowRun) -> Void) {
        if let batch = wholeBatchRows(of: steps) {
            body(RowRun(shard: rows(of: steps), batch: batch))
        } else {
            for step in steps { body(self.steps[step]) }
        }
    }
}

/// Rows of a shard's matrix and the rows of the batch's matrix that they stand for.
struct RowRun: Sendable {
    let shard: Range<Int>
    let batch: Range<Int>
}

/// A row of a shard's matrix and that of the batch's which it stands for.
struct RowPair: Sendable {
    let shard: Int
    let batch: Int
}
