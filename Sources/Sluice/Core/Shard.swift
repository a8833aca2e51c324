/// Some whole sequences of a batch: what one thread computes, alone and in one go.
struct Shard: Hashable, Sendable {
    /// The batch.
    let batch: Packing
    /// Positions in the batch's packing.
    let positions: Range<Int>
    /// The shard's own rows: its sequences, already sorted, packed alone.
    let packing: Packing

    init(batch: Packing, positions: Range<Int>) {
        self.batch = batch
        self.positions = positions
        packing =
            positions.count == batch.sequenceCount
            ? Packing(lengths: batch.order.map { batch.lengths[$0] })
            : Packing(lengths: batch.order[positions].map { batch.lengths[$0] })
    }

    /// The caller's numbers of its sequences, in the order of its rows.
    var sequences: ArraySlice<Int> { batch.order[positions] }

    /// Whether the shard is the whole batch, so that its rows are the batch's rows.
    var isWhole: Bool { positions.count == batch.sequenceCount }

    /// The rows of the batch that hold this shard's sequences at a step.
    func batchRows(at step: Int) -> Range<Int> {
        let start = batch.rows(at: step).lowerBound + positions.lowerBound
        return start..<start + packing.aliveCount(at: step)
    }
}

extension Packing {
    /// The shards of a batch: at least `shardSize` sequences each, at most `maximumShards`, as even as can be.
    ///
    /// The split depends on the batch alone and gradients are summed in shard order, so results are the same bits for
    /// any number of threads. Sixteen rows keep the products at full speed, and 16 shards keep as many cores busy.
    func shards() -> [Shard] {
        let count = min(max(sequenceCount / Self.shardSize, 1), Self.maximumShards)
        return (0..<count).map { index in
            Shard(
                batch: self,
                positions: sequenceCount * index / count..<sequenceCount * (index + 1) / count)
        }
    }

    static var shardSize: Int { 16 }
    static var maximumShards: Int { 16 }
}
