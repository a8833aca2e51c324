/// Where the rows of a layer's inputs, states or their gradients lie: in a matrix of the whole batch, or in the shard's own.
enum LayerRows<S: Scalar> {
    case batch(MatrixView<S>)
    case shard(MatrixView<S>)

    /// [alive, n] a step's rows, in place.
    func step(_ t: Int, _ shard: Shard) -> MatrixView<S> {
        switch self {
        case .batch(let matrix): matrix.rows(shard.batchRows(at: t))
        case .shard(let matrix): matrix.rows(shard.packing.rows(at: t))
        }
    }

    /// [R, n] the rows of a chunk: in place where they follow one another, else gathered.
    func chunk(_ chunk: Range<Int>, _ workspace: ShardWorkspace<S>) -> MatrixView<S> {
        let target = chunkToWrite(chunk, workspace)
        if case .batch(let matrix) = self, !workspace.shard.isWhole {
            forEachStep(of: chunk, workspace.shard) { target.rows($0).copy(matrix.rows($1)) }
        }
        return target
    }

    /// The same rows without their values, to be written; ``write(_:of:_:)`` then brings them home.
    func chunkToWrite(_ chunk: Range<Int>, _ workspace: ShardWorkspace<S>) -> MatrixView<S> {
        let rows = workspace.shard.packing.rows(of: chunk)
        switch self {
        case .shard(let matrix): return matrix.rows(rows)
        case .batch(let matrix) where workspace.shard.isWhole: return matrix.rows(rows)
        case .batch: return workspace.inputs.rows(0..<rows.count)
        }
    }

    /// Copies rows from ``chunkToWrite(_:_:)`` to where they belong, if they are not there already.
    func write(_ rows: MatrixView<S>, of chunk: Range<Int>, _ workspace: ShardWorkspace<S>) {
        if case .batch(let matrix) = self, !workspace.shard.isWhole {
            forEachStep(of: chunk, workspace.shard) { matrix.rows($1).copy(rows.rows($0)) }
        }
    }

    private func forEachStep(
        of chunk: Range<Int>, _ shard: Shard, _ body: (_ chunk: Range<Int>, _ batch: Range<Int>) -> Void
    ) {
        let packing = shard.packing
        let start = packing.rows(of: chunk).lowerBound
        for t in chunk {
            let rows = packing.rows(at: t)
            body(rows.lowerBound - start..<rows.upperBound - start, shard.batchRows(at: t))
        }
    }
}
