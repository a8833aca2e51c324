/// A weight matrix [K, N] cut into column panels, each stored on its own without gaps: the form the products want.
///
/// Why: up to a fixed size of product, OpenBLAS's AVX-512 kernels need no packing and run at the core's peak; above it
/// every call repacks the weights, which a loop over time repeats at every step. So the weights are cut once per update
/// and a product is done panel by panel, in blocks of rows. ``PanelRule`` says how wide.
struct Panels<S: Scalar>: Sendable {
    private let shape: PanelsView<S>.Shape
    private var storage: Matrix<S>

    /// Room for a matrix of `rows` x `columns`.
    init(rows: Int, columns: Int, rule: PanelRule) {
        let width = rule.width(rows: rows, columns: columns)
        shape = .init(rows: rows, columns: columns, width: width, rowBlock: rule.rowBlock(rows: rows, width: width))
        storage = Matrix(rows: 1, columns: rows * columns)
    }

    /// The numbers held.
    var count: Int { storage.columns }

    /// The panels for the products; valid while these panels live.
    var view: PanelsView<S> { unsafe PanelsView(base: storage.view.base, shape: shape) }

    /// Fills columns `offset...` from a matrix [K, n].
    mutating func pack(_ source: MatrixView<S>, atColumn offset: Int = 0) {
        forEachPanel(overlapping: offset..<offset + source.columns) { panel, target, range in
            panel.columns(target).copy(source.columns(range))
        }
    }

    /// Fills rows `offset...` with the transpose of a matrix [N, k].
    mutating func packTransposed(_ source: MatrixView<S>, atRow offset: Int = 0) {
        forEachPanel(overlapping: 0..<shape.columns) { panel, _, range in
            panel.rows(offset..<offset + source.columns).copyTransposed(source.rows(range))
        }
    }

    /// Calls `body` with each panel that holds some of the columns: the panel's own columns, and those counted from the
    /// range's start.
    private mutating func forEachPanel(
        overlapping columns: Range<Int>, _ body: (MatrixView<S>, _ target: Range<Int>, _ source: Range<Int>) -> Void
    ) {
        _ = storage.mutableView() // no copy shares the memory from here on
        let view = view, width = shape.width
        for index in columns.lowerBound / width..<(columns.upperBound + width - 1) / width {
            let (panel, range) = view[index]
            let common = range.clamped(to: columns)
            body(
                panel,
                common.lowerBound - range.lowerBound..<common.upperBound - range.lowerBound,
                common.lowerBound - columns.lowerBound..<common.upperBound - columns.lowerBound)
        }
    }
}

/// Panels as the products read them: plain pointers and sizes, so that the time loops of several threads share them without
/// counting references.
@safe
struct PanelsView<S: Scalar>: @unchecked Sendable {
    struct Shape: Sendable {
        let rows: Int
        let columns: Int
        /// Columns of a panel; the last one may have fewer.
        let width: Int
        /// Rows of the left factor that one product takes.
        let rowBlock: Int
    }

    let base: UnsafeMutablePointer<S>
    let shape: Shape

    init(base: UnsafeMutablePointer<S>, shape: Shape) {
        unsafe self.base = unsafe base
        self.shape = shape
    }

    /// The number of panels.
    var count: Int { (shape.columns + shape.width - 1) / shape.width }

    /// A panel [K, n] and the columns that it stands for.
    subscript(index: Int) -> (weights: MatrixView<S>, columns: Range<Int>) {
        if index < 0 || index >= count { refuse(index) }
        let start = index * shape.width
        let range = start..<min(start + shape.width, shape.columns)
        let panel = unsafe MatrixView(
            base: base + shape.rows * start, rows: shape.rows, columns: range.count, stride: range.count)
        return (panel, range)
    }

    /// Out of line: see ``MatrixView/refuse(_:_:_:_:_:_:_:_:_:)``.
    @inline(never)
    private func refuse(_ index: Int) -> Never { stop("panel \(index) of \(count)") }
}
