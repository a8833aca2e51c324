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
        if range.lowerBound < 0 || range.upperBound > rows { refuseRows(range) }
        return unsafe MatrixView(
            base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// [1, columns] one row.
    func row(_ index: Int) -> MatrixView { rows(index..<index + 1) }

    /// The columns of a range, all rows.
    func columns(_ range: Range<Int>) -> MatrixView {
        if range.lowerBound < 0 || range.upperBound > columns { refuseColumns(range) }
        return unsafe MatrixView(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// The first elements of a view without gaps, seen in another shape.
    func reshaped(rows: Int, columns: Int) -> MatrixView {
        if !isContiguous || rows * columns > self.rows * self.columns { refuseShape(rows, columns) }
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
        if !hasShape(of: source) { refuse(source, "copied to") }
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
        if rows != source.columns || columns != source.rows { refuse(source, "transposed to") }
        let kernels = S.bindings.kernels[KernelLevel.best.index]
        unsafe kernels.transpose(source.rows, source.columns, source.base, source.stride, base, stride)
    }

    /// Adds the elements of a view of the same shape.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func add(_ source: MatrixView) {
        if !hasShape(of: source) { refuse(source, "added to") }
        for row in 0..<rows {
            let target = unsafe base + row &* stride
            let other = unsafe source.base + row &* source.stride
            for column in 0..<columns { unsafe target[column] += unsafe other[column] }
        }
    }
}

// MARK: Shapes

extension MatrixView {
    @inline(__always)
    func hasShape(_ rows: Int, _ columns: Int) -> Bool { self.rows == rows && self.columns == columns }

    @inline(__always)
    func hasShape(of other: MatrixView) -> Bool { hasShape(other.rows, other.columns) }

    /// Whether a kernel can read or write it as so many numbers that follow one another.
    @inline(__always)
    func isPlain(_ rows: Int, _ columns: Int) -> Bool { hasShape(rows, columns) && isContiguous }

    /// "rows x columns", for messages.
    var shape: String { "\(rows) x \(columns)" }

    // The words stand in functions of their own: as a closure of `require` they would cost a step of time more than the
    // comparison, since what they show would be stored for them each time.

    @inline(never)
    private func refuseRows(_ range: Range<Int>) -> Never { stop("rows \(range) of a view of \(rows) rows") }

    @inline(never)
    private func refuseColumns(_ range: Range<Int>) -> Never {
        stop("columns \(range) of a view of \(columns) columns")
    }

    @inline(never)
    private func refuseShape(_ rows: Int, _ columns: Int) -> Never {
        stop("\(rows) x \(columns) elements of a view of \(shape)\(isContiguous ? "" : " with gaps")")
    }

    @inline(never)
    private func refuse(_ source: MatrixView, _ action: StaticString) -> Never {
        stop("a \(source.shape) view \(action) a \(shape) one")
    }

    /// Stops the program where views do not fit this one.
    ///
    /// - Parameter names: of this view and the others, with commas between.
    @inline(never)
    func refuse(
        _ names: StaticString, _ a: MatrixView?, _ b: MatrixView? = nil, _ c: MatrixView? = nil, _ d: MatrixView? = nil,
        _ e: MatrixView? = nil, _ f: MatrixView? = nil, _ g: MatrixView? = nil, _ h: MatrixView? = nil
    ) -> Never {
        let names = names.description.split(separator: ",")
        let views = zip(names, [self, a, b, c, d, e, f, g, h]).map { name, view in
            "\(name) " + (view.map { $0.shape + ($0.isContiguous ? "" : " with gaps") } ?? "none")
        }
        stop("these do not fit one another: \(views.joined(separator: ","))")
    }
}
