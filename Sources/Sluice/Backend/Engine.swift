/// A backend bound to a scalar and a level: the operations that cells, heads and the scan are written in.
///
/// This is the one switch between the backends. Each operation says what accumulates and what overwrites.
struct Engine<S: Scalar>: Sendable {
    let backend: Backend
    let level: KernelLevel
    let kernels: Kernels
    /// The threads that large products are shared out to; nil: each is the caller's alone.
    private(set) unowned(unsafe) var workers: Workers?
    /// Not counted: it lives as long as the process.
    private unowned(unsafe) let bindings: Bindings<S>

    init(backend: Backend, level: KernelLevel) {
        require(noProblem: Self.problem(backend, level))
        self.backend = backend
        self.level = level
        kernels = S.bindings.kernels[level.index]
        unsafe bindings = S.bindings
        unsafe workers = nil
    }

    /// Why nothing can be computed so; nil: it can.
    static func problem(_ backend: Backend, _ level: KernelLevel) -> String? {
        if !backend.isAvailable {
            return "backend \(backend.rawValue) is not in this build (the package trait OpenBLAS is off)"
        }
        return KernelLevel.available.contains(level)
            ? nil : "kernel level \(level.rawValue) on a processor whose best is \(KernelLevel.best.rawValue)"
    }

    /// The same engine, large products shared out; valid while the threads live. See `Engine+Sharing.swift`.
    func sharing(_ workers: Workers) -> Engine {
        var engine = self
        unsafe engine.workers = workers
        return engine
    }
}

// MARK: Products

extension Engine {
    /// c [M, N] = a [M, K] b, or c += a b, with weights b [K, N].
    func multiply(_ a: MatrixView<S>, _ b: WeightView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        if a.rows != c.rows || a.columns != b.rows || c.columns != b.columns { Self.refuse(a, b, into: c) }
        switch b {
        case .panels(let b): shareOut(a, b, into: c, accumulate: accumulate)
        case .plain(let b, let first):
            let split = b.columns - first
            shareOut(a, false, b.columns(first..<b.columns), false, into: c.columns(0..<split), accumulate: accumulate)
            if first > 0 {
                shareOut(
                    a, false, b.columns(0..<first), false, into: c.columns(split..<c.columns), accumulate: accumulate)
            }
        case .transposed(let b, let first):
            let split = b.columns - first
            shareOut(
                a.columns(0..<split), false, b.columns(first..<b.columns), true, into: c, accumulate: accumulate)
            if first > 0 {
                shareOut(a.columns(split..<a.columns), false, b.columns(0..<first), true, into: c, accumulate: true)
            }
        }
    }

    /// The same with some of the panels of b, which are as many columns of c.
    func multiply(
        _ a: MatrixView<S>, _ b: PanelsView<S>, panels: Range<Int>, into c: MatrixView<S>, accumulate: Bool
    ) {
        for panel in panels {
            let (weights, columns) = b[panel]
            let target = c.columns(columns)
            var row = 0
            while row < a.rows {
                let rows = row..<row + min(b.shape.rowBlock, a.rows - row)
                multiply(a.rows(rows), weights, into: target.rows(rows), accumulate: accumulate)
                row = rows.upperBound
            }
        }
    }

    /// c [M, N] = a [M, K] b [K, N], or c += a b.
    func multiply(_ a: MatrixView<S>, _ b: MatrixView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        multiply(a, false, b, false, into: c, accumulate: accumulate)
    }

    /// c [M, N] = a' b with a [K, M] and b [K, N], or c += a' b.
    func multiply(transposing a: MatrixView<S>, _ b: MatrixView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        shareOut(a, true, b, false, into: c, accumulate: accumulate)
    }

    /// c [M, N] = a b' with a [M, K] and b [N, K], or c += a b'.
    func multiply(_ a: MatrixView<S>, transposing b: MatrixView<S>, into c: MatrixView<S>, accumulate: Bool = false) {
        multiply(a, false, b, true, into: c, accumulate: accumulate)
    }

    func multiply(
        _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool, into c: MatrixView<S>,
        accumulate: Bool
    ) {
        if (transposeA ? a.columns : a.rows) != c.rows || (transposeB ? b.rows : b.columns) != c.columns
            || (transposeA ? a.rows : a.columns) != (transposeB ? b.columns : b.rows)
        {
            Self.refuse(a, transposeA, b, transposeB, into: c)
        }
        switch backend {
        #if OpenBLAS
        case .openBLAS:
            unsafe OpenBLAS.multiply(bindings.blas, a, transposeA, b, transposeB, into: c, accumulate: accumulate)
        #else
        case .openBLAS: stop("OpenBLAS is not in this build") // as the initialiser has found
        #endif
        case .reference: Reference.multiply(a, transposeA, b, transposeB, into: c, accumulate: accumulate)
        }
    }

    /// Out of line: see ``MatrixView/refuse(_:_:_:_:_:_:_:_:_:)``.
    @inline(never)
    private static func refuse(
        _ a: MatrixView<S>, _ transposeA: Bool, _ b: MatrixView<S>, _ transposeB: Bool, into c: MatrixView<S>
    ) -> Never {
        stop("a product of \(a.shape)\(transposeA ? "'" : "") and \(b.shape)\(transposeB ? "'" : "") into \(c.shape)")
    }

    @inline(never)
    private static func refuse(_ a: MatrixView<S>, _ b: WeightView<S>, into c: MatrixView<S>) -> Never {
        stop("a product of \(a.shape) and weights of \(b.rows) x \(b.columns) into \(c.shape)")
    }
}
