/// Into how many shards a batch is cut: a fixed rule of batch and network, not of the number of threads, so that results are
/// the same bits for any number of them.
extension Configuration {
    /// The batch's sequences, in shards of as nearly the same number of rows as whole sequences allow.
    func shards(of batch: Packing) -> [Shard] {
        let count = shardCount(batch)
        if count == 1 { return [Shard(batch: batch, positions: 0..<batch.sequenceCount)] }
        var ends: [Int] = [], rows = 0
        for position in 0..<batch.sequenceCount where ends.count < count - 1 {
            rows += batch.lengths[batch.order[position]]
            let sequencesLeft = batch.sequenceCount - position - 1, shardsLeft = count - ends.count - 1
            if rows * count >= batch.rowCount * (ends.count + 1) || sequencesLeft == shardsLeft {
                ends.append(position + 1)
            }
        }
        ends.append(batch.sequenceCount)
        return zip([0] + ends, ends).map { Shard(batch: batch, positions: $0..<$1) }
    }

    private func shardCount(_ batch: Packing) -> Int {
        // Sixteen rows keep the products at full speed, and 16 shards keep as many cores busy.
        var count = min(batch.sequenceCount / 16, 16)
        // Handing a shard over costs about a microsecond, and small products have a cost of their own.
        // Of 16 times as many rows or operations the product says no more, and might be too large to be counted.
        let flopsOfRow = 2 * cellShape.gateCount * hiddenSize * (inputSize + hiddenSize)
        count = min(count, min(batch.rowCount, 16 * 400_000) * min(flopsOfRow, 16 * 400_000) / 400_000)
        // A shard's gradient, written and summed, is nothing beside its rows' products, unless it is too large for the
        // second-level cache, or the third, and the rows are few.
        let weightsOfGate = hiddenSize * (inputSize + hiddenSize)
        if weightsOfGate > 1 << 15 { count = min(count, batch.rowCount / (weightsOfGate > 1 << 20 ? 1_500 : 800)) }
        return max(count, 1)
    }
}
