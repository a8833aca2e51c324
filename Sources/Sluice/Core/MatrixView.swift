/// Rows and columns of somebody else's memory: how the engine passes matrices between its parts.
///
/// Row-major; element (i, j) lies at `base[i * stride + j]`. A view may be written through; whoever makes one keeps the
/// memory alive and unshared while it is in use. Ranges are checked when a view is narrowed, so code that only
/// narrows and passes views stays inside the matrix it began with.
@safe
struct MatrixView<S: Scalar>: @unchecked Sendable {
    let base: UnsafeMutablePointer<S>
    let rows: Int
    let columns: Int
    let stride: Int

    init(base: UnsafeMutablePointer<S>, rows: Int, columns: Int, stride: Int) {
        unsafe self.base = unsafe base
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// No rows and no columns.
    static var empty: MatrixView {
        unsafe MatrixView(base: UnsafeMutablePointer(bitPattern: 64)!, rows: 0, columns: 0, stride: 0)
    }

    /// The rows of a range, all columns.
    func rows(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return unsafe MatrixView(
            base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// [1, columns] one row.
    func row(_ index: Int) -> MatrixView { rows(index..<index + 1) }

    /// The columns of a range, all rows.
    func columns(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
        return unsafe MatrixView(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// The first elements of a view without gaps, seen in another shape.
    func reshaped(rows: Int, columns: Int) -> MatrixView {
        precondition(
            isContiguous && rows * columns <= self.rows * self.columns,
            "\(rows) x \(columns) elements of a view of \(self.rows) x \(self.columns)")
        return unsafe MatrixView(base: base, rows: rows, columns: columns, stride: columns)
    }

    /// Whether the rows follow one another without a gap.
    var isContiguous: Bool { stride == columns || rows <= 1 }

    subscript(row: Int, column: Int) -> S {
        get { unsafe base[row &* stride &+ column] }
        nonmutating set { unsafe base[row &* stride &+ column] = newValue }
    }
}

// MARK: Whole-view operations

extension MatrixView {
    /// Sets every element.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func fill(_ value: S) {
        for row in 0..<rows { unsafe (base + row * stride).update(repeating: value, count: columns) }
    }

    /// Copies the elements of a view of the same shape.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func copy(_ source: MatrixView) {
        precondition(
            rows == source.rows && columns == source.columns,
            "a \(source.rows) x \(source.columns) view into a \(rows) x \(columns) one")
        if isContiguous && source.isContiguous {
            unsafe base.update(from: source.base, count: rows * columns)
        } else {
            for row in 0..<rows {
                unsafe (base + row * stride).update(from: source.base + row * source.stride, count: columns)
            }
        }
    }

    /// Copies the rows of the given numbers, in their order.
    func gatherRows(_ numbers: ArraySlice<Int>, of source: MatrixView) {
        for (row, number) in numbers.enumerated() { rows(row..<row + 1).copy(source.rows(number..<number + 1)) }
    }

    /// Copies every row to the row of the given number.
    func scatterRows(_ numbers: ArraySlice<Int>, to target: MatrixView) {
        for (row, number) in numbers.enumerated() { target.rows(number..<number + 1).copy(rows(row..<row + 1)) }
    }

    /// Copies the transpose of a view.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func copyTransposed(_ source: MatrixView) {
        precondition(
            rows == source.columns && columns == source.rows,
            "the transpose of a \(source.rows) x \(source.columns) view into a \(rows) x \(columns) one")
        let kernels = S.bindings.kernels[KernelLevel.best.index]
        unsafe kernels.transpose(source.rows, source.columns, source.base, source.stride, base, stride)
    }

    /// Adds the elements of a view of the same shape.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func add(_ source: MatrixView) {
        precondition(
            rows == source.rows && columns == source.columns,
            "a \(source.rows) x \(source.columns) view added to a \(rows) x \(columns) one")
        for row in 0..<rows {
            let target = unsafe base + row &* stride
            let other = unsafe source.base + row &* source.stride
            for column in 0..<columns { unsafe target[column] += unsafe other[column] }
        }
    }
}
