/// Products over threads: for a batch of one shard, whose steps leave the other threads nothing else to do.
///
/// One long sequence with many hidden units is the case: U's panels come from a cache that the cores share, or from memory,
/// and two cores read faster than one. The threads meet at every product, which costs about a microsecond while they come so
/// often that none is parked: so it is done where the products of single steps are large.
extension Engine {
    /// A product of fewer multiplications is not worth a meeting: it takes some 10 us.
    static var leastToShare: Int { 400_000 }

    /// c = a b, or c += a b, over b's panels.
    func shareOut(_ a: MatrixView<S>, _ b: PanelsView<S>, into c: MatrixView<S>, accumulate: Bool) {
        if let workers = unsafe workers, a.rows * b.shape.rows * b.shape.columns >= Self.leastToShare {
            let parts = min(2 * workers.threads, b.count)
            workers.run(parts, PanelWork(engine: self, a: a, b: b, c: c, accumulate: accumulate, parts: parts))
        } else {
            multiply(a, b, panels: 0..<b.count, into: c, accumulate: accumulate)
        }
    }

    /// c = op(a) op(b), or c += op(a) op(b), over c's columns. Their places are fixed, so that the bits do not depend on the
    /// threads.
    func shareOut(
        _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool, into c: MatrixView<S>,
        accumulate: Bool
    ) {
        let width = ColumnWork<S>.width
        if let workers = unsafe workers, c.columns > width, a.rows * a.columns * c.columns >= Self.leastToShare {
            workers.run(
                (c.columns + width - 1) / width,
                ColumnWork(
                    engine: self, a: a, transposeA: transposeA, b: b, transposeB: transposeB, c: c,
                    accumulate: accumulate))
        } else {
            multiply(a, transposeA, b, transposeB, into: c, accumulate: accumulate)
        }
    }
}

/// A product in parts of b's panels, as nearly the same number in each as can be.
private struct PanelWork<S: Scalar>: SharedWork {
    let engine: Engine<S>
    let a: MatrixView<S>
    let b: PanelsView<S>
    let c: MatrixView<S>
    let accumulate: Bool
    /// If there are panels enough, more than the threads, as one may come late.
    let parts: Int

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) {
        let panels = index * b.count / parts..<(index + 1) * b.count / parts
        engine.multiply(a, b, panels: panels, into: c, accumulate: accumulate)
    }
}

/// A product in parts of some columns.
private struct ColumnWork<S: Scalar>: SharedWork {
    static var width: Int { 256 }

    let engine: Engine<S>
    let a: MatrixView<S>
    let transposeA: Bool
    let b: MatrixView<S>
    let transposeB: Bool
    let c: MatrixView<S>
    let accumulate: Bool

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) {
        let columns = index * Self.width..<min((index + 1) * Self.width, c.columns)
        engine.multiply(
            a, transposeA, transposeB ? b.rows(columns) : b.columns(columns), transposeB, into: c.columns(columns),
            accumulate: accumulate)
    }
}
