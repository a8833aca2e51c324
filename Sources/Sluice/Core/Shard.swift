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
        packing = Packing(batch, positions: positions)
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
