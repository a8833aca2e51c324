/// How a shard's steps and rows are run through.
struct ShardRuns: Sendable {
    /// The rows of each step.
    let steps: [RowRun]
    /// Runs of steps that are computed together while their rows are in the cache.
    let chunks: [Range<Int>]
    /// The rows of the largest.
    let chunkRows: Int
    /// Which rows of the batch's output are which rows of the shard's.
    let outputs: [RowRun]
    /// For each row of a scan that runs back from every sequence's end: the row in time's order, of the shard and of the
    /// batch. Empty where no scan does.
    let reversed: [RowPair]

    /// The shard's rows of some steps.
    func rows(of steps: Range<Int>) -> Range<Int> {
        self.steps[steps.lowerBound].shard.lowerBound..<self.steps[steps.upperBound - 1].shard.upperBound
    }

    init<S: Scalar>(_ configuration: Configuration, _ shard: Shard, scalar: S.Type) {
        let steps = (0..<shard.packing.stepCount).map {
            RowRun(shard: shard.packing.rows(at: $0), batch: shard.batchRows(at: $0))
        }
        self.steps = steps
        // As many rows as keep their tape in half of a 1 MiB second-level cache, and enough for full products.
        let tapeBytes = configuration.cellShape.tapeColumns * MemoryLayout<S>.stride
        chunks = shard.packing.chunks(rowLimit: max((512 << 10) / tapeBytes, 256))
        chunkRows = chunks.map { shard.packing.rows(of: $0).count }.max()!
        outputs =
            configuration.isSummedUp
            ? shard.sequences.enumerated().map { RowRun(shard: $0..<$0 + 1, batch: $1..<$1 + 1) }
            : shard.isWhole ? [RowRun(shard: 0..<shard.packing.rowCount, batch: 0..<shard.packing.rowCount)] : steps
        reversed =
            configuration.direction == .forward
            ? []
            : steps.indices.flatMap { step in
                (0..<steps[step].shard.count).map { position in
                    let time = steps[shard.packing.lengths[position] - 1 - step]
                    return RowPair(
                        shard: time.shard.lowerBound + position, batch: time.batch.lowerBound + position)
                }
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
