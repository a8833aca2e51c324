/// A matrix of scalars: row-major, without gaps, aligned to 64 bytes. Copies share memory until one of them is written.
public struct Matrix<S: Scalar>: Sendable {
    /// The number of rows.
    public let rows: Int
    /// The number of columns.
    public let columns: Int
    private var storage: MatrixStorage<S>

    /// A matrix of zeros.
    public init(rows: Int, columns: Int) {
        require(rows >= 0 && columns >= 0, "a matrix of \(rows) x \(columns)")
        self.rows = rows
        self.columns = columns
        storage = MatrixStorage(count: rows * columns)
    }

    /// A matrix with the given elements.
    ///
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - columns: the number of columns.
    ///   - elements: `rows * columns` numbers, row after row.
    public init(rows: Int, columns: Int, _ elements: some Collection<S>) {
        require(
            elements.count == rows * columns, "\(elements.count) elements for a matrix of \(rows) x \(columns)")
        self.init(rows: rows, columns: columns)
        for (index, element) in elements.enumerated() { view[index / columns, index % columns] = element }
    }

    /// The elements, row after row.
    public var elements: [S] { withSpan { span in span.indices.map { span[$0] } } }

    /// One element; both numbers count from 0.
    public subscript(row: Int, column: Int) -> S {
        get {
            checkIndex(row, column)
            return view[row, column]
        }
        set {
            checkIndex(row, column)
            makeUnique()
            view[row, column] = newValue
        }
    }

    /// Calls `body` with the elements, row after row.
    public func withSpan<R: ~Copyable>(_ body: (Span<S>) throws -> R) rethrows -> R {
        try unsafe body(UnsafeBufferPointer(start: storage.base, count: rows * columns).span)
    }

    /// Calls `body` with the elements, row after row, to change in place.
    public mutating func withMutableSpan<R: ~Copyable>(_ body: (inout MutableSpan<S>) throws -> R) rethrows -> R {
        makeUnique()
        var span = unsafe UnsafeMutableBufferPointer(start: storage.base, count: rows * columns).mutableSpan
        return try body(&span)
    }

    private func checkIndex(_ row: Int, _ column: Int) {
        require(
            row >= 0 && row < rows && column >= 0 && column < columns,
            "element (\(row), \(column)) of a matrix of \(rows) x \(columns)")
    }
}

extension Matrix: Equatable {
    /// Same shape and equal elements (so a matrix that holds NaN differs from itself).
    public static func == (a: Matrix, b: Matrix) -> Bool {
        a.rows == b.rows && a.columns == b.columns && a.elements == b.elements
    }
}

extension Matrix: Codable {
    private enum CodingKeys: CodingKey { case rows, columns, elements }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let rows = try container.decode(Int.self, forKey: .rows)
        let columns = try container.decode(Int.self, forKey: .columns)
        let elements = try container.decode([S].self, forKey: .elements)
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows >= 0, columns >= 0, !overflow, count == elements.count else {
            throw DecodingError.dataCorruptedError(
                forKey: .elements, in: container,
                debugDescription: "\(elements.count) elements for a matrix of \(rows) x \(columns)")
        }
        self.init(rows: rows, columns: columns, elements)
    }

    /// Writes the shape and the elements, row after row.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rows, forKey: .rows)
        try container.encode(columns, forKey: .columns)
        try container.encode(elements, forKey: .elements)
    }
}

// MARK: Views, for the engine

extension Matrix {
    /// The numbers that there is memory for.
    var capacity: Int { storage.count }

    /// A view for reading; valid while this matrix lives. Writing through it is for buffers that one owner holds (a
    /// workspace), where no copy shares.
    var view: MatrixView<S> { unsafe MatrixView(base: storage.base, rows: rows, columns: columns, stride: columns) }

    /// A view for writing: first makes sure that no copy shares the memory.
    mutating func mutableView() -> MatrixView<S> {
        makeUnique()
        return view
    }

    /// Gives it another shape, its numbers being whatever they are: in the memory that it has, if that is large enough and
    /// nobody else's. What grows again and again does so by a quarter at least.
    mutating func take(rows: Int, columns: Int) {
        if self.rows == rows && self.columns == columns && isKnownUniquelyReferenced(&storage) { return }
        let isOwn = isKnownUniquelyReferenced(&storage), count = rows * columns
        if isOwn && count <= storage.count {
            self = Matrix(rows: rows, columns: columns, storage)
        } else {
            let ahead = isOwn ? storage.count + storage.count / 4 : 0
            storage = MatrixStorage(count: 0)
            self = Matrix(rows: rows, columns: columns, MatrixStorage(count: max(count, ahead)))
        }
    }

    private init(rows: Int, columns: Int, _ storage: MatrixStorage<S>) {
        self.rows = rows
        self.columns = columns
        self.storage = storage
    }

    private mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&storage) { storage = MatrixStorage(copying: storage) }
    }
}

/// The memory of a matrix.
@safe
private final class MatrixStorage<S: Scalar>: @unchecked Sendable {
    let base: UnsafeMutablePointer<S>
    let count: Int

    init(count: Int) {
        self.count = count
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<S>.stride, alignment: 64)
        unsafe base = unsafe bytes.bindMemory(to: S.self, capacity: max(count, 1))
        // Bytes of 0 are numbers of 0.
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: count * MemoryLayout<S>.stride)
    }

    convenience init(copying other: MatrixStorage) {
        self.init(count: other.count)
        unsafe base.update(from: other.base, count: other.count)
    }

    deinit { unsafe base.deallocate() }
}
