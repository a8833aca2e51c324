/// Where the rows of a scan's inputs, states or their gradients lie.
enum ScanRows<S: Scalar> {
    /// In a matrix of the whole batch, for a scan forward.
    case batch(MatrixView<S>)
    /// In the shard's own, in the order of the scan.
    case shard(MatrixView<S>)
    /// In a matrix of the batch, or of the shard, in time's order, for a scan that runs back through it.
    case reversedBatch(MatrixView<S>)
    case reversedShard(MatrixView<S>)

    /// [alive, n] a step's rows, in place.
    func step(_ rows: RowRun) -> MatrixView<S> {
        switch self {
        case .batch(let matrix): matrix.rows(rows.batch)
        case .shard(let matrix): matrix.rows(rows.shard)
        case .reversedBatch, .reversedShard:
            stop("the rows of a step back through time do not follow one another")
        }
    }

    /// [R, n] the rows of a chunk: in place where they follow one another, else gathered in the scratch matrix.
    func chunk(_ chunk: Range<Int>, _ runs: SegmentRuns, _ scratch: MatrixView<S>) -> MatrixView<S> {
        let target = chunkToWrite(chunk, runs, scratch)
        forEachMoved(chunk, runs) { target.rows($0).copy($1) }
        return target
    }

    /// The same rows without their values, to be written; ``write(_:of:_:)`` then brings them home.
    func chunkToWrite(_ chunk: Range<Int>, _ runs: SegmentRuns, _ scratch: MatrixView<S>) -> MatrixView<S> {
        let rows = runs.rows(of: chunk)
        switch self {
        case .shard(let matrix): return matrix.rows(rows)
        case .batch(let matrix), .reversedBatch(let matrix), .reversedShard(let matrix):
            if case .batch = self, let batch = runs.wholeBatchRows(of: chunk) { return matrix.rows(batch) }
            return scratch.reshaped(rows: rows.count, columns: matrix.columns)
        }
    }

    /// Copies rows from ``chunkToWrite(_:_:_:)`` to where they belong, if they are not there already.
    func write(_ rows: MatrixView<S>, of chunk: Range<Int>, _ runs: SegmentRuns) {
        forEachMoved(chunk, runs) { $1.copy(rows.rows($0)) }
    }

    /// Calls `body` with rows of a chunk, counted from its start, and where they belong, unless they are in place.
    private func forEachMoved(
        _ chunk: Range<Int>, _ runs: SegmentRuns,
        _ body: (_ chunk: Range<Int>, _ home: MatrixView<S>) -> Void
    ) {
        let rows = runs.rows(of: chunk), start = rows.lowerBound
        switch self {
        case .shard: break
        case .batch(let matrix):
            if runs.wholeBatchRows(of: chunk) != nil { break }
            for t in chunk {
                let step = runs.steps[t]
                body(step.shard.lowerBound - start..<step.shard.upperBound - start, matrix.rows(step.batch))
            }
        case .reversedBatch(let matrix):
            for row in rows { body(row - start..<row - start + 1, matrix.row(runs.reversed[row].batch)) }
        case .reversedShard(let matrix):
            for row in rows { body(row - start..<row - start + 1, matrix.row(runs.reversed[row].shard)) }
        }
    }
}
