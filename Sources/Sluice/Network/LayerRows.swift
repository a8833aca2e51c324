/// Where the rows of a layer's inputs, states or their gradients lie: in a matrix of the whole batch, or in the shard's own.
enum LayerRows<S: Scalar> {
    case batch(MatrixView<S>)
    case shard(MatrixView<S>)

    /// [alive, n] a step's rows, in place.
    func step(_ rows: RowRun) -> MatrixView<S> {
        switch self {
        case .batch(let matrix): matrix.rows(rows.batch)
        case .shard(let matrix): matrix.rows(rows.shard)
        }
    }

    /// [R, n] the rows of a chunk: in place where they follow one another, else gathered.
    func chunk(_ chunk: Range<Int>, _ workspace: ShardWorkspace<S>) -> MatrixView<S> {
        let target = chunkToWrite(chunk, workspace)
        if case .batch(let matrix) = self, !workspace.shard.isWhole {
            forEachStep(of: chunk, workspace) { target.rows($0).copy(matrix.rows($1)) }
        }
        return target
    }

    /// The same rows without their values, to be written; ``write(_:of:_:)`` then brings them home.
    func chunkToWrite(_ chunk: Range<Int>, _ workspace: ShardWorkspace<S>) -> MatrixView<S> {
        let rows = workspace.runs.rows(of: chunk)
        switch self {
        case .shard(let matrix): return matrix.rows(rows)
        case .batch(let matrix) where workspace.shard.isWhole: return matrix.rows(rows)
        case .batch: return workspace.inputs.rows(0..<rows.count)
        }
    }

    /// Copies rows from ``chunkToWrite(_:_:)`` to where they belong, if they are not there already.
    func write(_ rows: MatrixView<S>, of chunk: Range<Int>, _ workspace: ShardWorkspace<S>) {
        if case .batch(let matrix) = self, !workspace.shard.isWhole {
            forEachStep(of: chunk, workspace) { matrix.rows($1).copy(rows.rows($0)) }
        }
    }

    private func forEachStep(
        of chunk: Range<Int>, _ workspace: ShardWorkspace<S>,
        _ body: (_ chunk: Range<Int>, _ batch: Range<Int>) -> Void
    ) {
        let start = workspace.runs.rows(of: chunk).lowerBound
        for t in chunk {
            let rows = workspace.runs.steps[t]
            body(rows.shard.lowerBound - start..<rows.shard.upperBound - start, rows.batch)
        }
    }
}
