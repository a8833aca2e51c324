/// Into how many shards a batch is cut: a fixed rule of batch and network, not of the number of threads, so that results are
/// the same bits for any number of them.
extension Configuration {
    /// The batch's sequences, shared out as evenly as can be.
    func shards(of batch: Packing) -> [Shard] {
        let count = shardCount(batch)
        return (0..<count).map { index in
            Shard(
                batch: batch,
                positions: batch.sequenceCount * index / count..<batch.sequenceCount * (index + 1) / count)
        }
    }

    private func shardCount(_ batch: Packing) -> Int {
        // Sixteen rows keep the products at full speed, and 16 shards keep as many cores busy.
        var count = min(batch.sequenceCount / 16, 16)
        // Handing a shard over costs about a microsecond, and small products have a cost of their own.
        let flopsOfRow = 2 * cellShape.gateCount * hiddenSize * (inputSize + hiddenSize)
        count = min(count, batch.rowCount * flopsOfRow / 400_000)
        // A shard's gradient, written and summed, is nothing beside its rows' products, unless it is too large for the
        // second-level cache and the rows are few.
        if hiddenSize * (inputSize + hiddenSize) > 1 << 15 { count = min(count, batch.rowCount / 1_500) }
        return max(count, 1)
    }
}
