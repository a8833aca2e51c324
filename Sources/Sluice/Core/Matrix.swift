#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A matrix of scalars: row-major, without gaps, aligned to 64 bytes. Copies share memory until one of them is written.
public struct Matrix<S: Scalar>: Sendable {
    /// The number of rows.
    public let rows: Int
    /// The number of columns.
    public let columns: Int
    private var storage: MatrixStorage<S>

    /// A matrix of zeros.
    ///
    /// - Precondition: neither size is negative, and there is memory for as many numbers.
    public init(rows: Int, columns: Int) {
        require(noProblem: Self.problem(rows: rows, columns: columns))
        guard let storage = MatrixStorage<S>(count: rows * columns) else {
            stop(Self.noMemory(rows: rows, columns: columns))
        }
        self.init(rows: rows, columns: columns, storage)
    }

    /// A matrix with the given elements.
    ///
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - columns: the number of columns.
    ///   - elements: `rows * columns` numbers, row after row.
    /// - Precondition: there are as many. For elements and sizes from outside the program there is
    ///   ``init(checking:rows:columns:)``.
    public init(rows: Int, columns: Int, _ elements: some Collection<S>) {
        require(noProblem: Self.problem(rows: rows, columns: columns, elements: elements.count))
        self.init(rows: rows, columns: columns)
        copy(elements)
    }

    /// A matrix with elements and sizes from outside the program.
    ///
    /// - Parameters:
    ///   - elements: `rows * columns` numbers, row after row.
    ///   - rows: the number of rows.
    ///   - columns: the number of columns.
    /// - Throws: where there are not `rows * columns` elements, or there is no memory for them.
    public init(checking elements: some Collection<S>, rows: Int, columns: Int) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(rows: rows, columns: columns, elements: elements.count))
        guard let storage = MatrixStorage<S>(count: rows * columns) else {
            throw InvalidValue(Self.noMemory(rows: rows, columns: columns))
        }
        self.init(rows: rows, columns: columns, storage)
        copy(elements)
    }

    private init(rows: Int, columns: Int, _ storage: MatrixStorage<S>) {
        self.rows = rows
        self.columns = columns
        self.storage = storage
    }

    /// Takes elements up, as many as there are places.
    private func copy(_ elements: some Collection<S>) {
        let (_, count) = unsafe UnsafeMutableBufferPointer(start: storage.base, count: storage.count)
            .update(from: elements)
        require(count == storage.count, "\(count) elements for a matrix of \(rows) x \(columns)")
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

// MARK: Sizes

extension Matrix {
    /// Why there is no matrix of a size, or not with so many elements; nil: there is.
    static func problem(rows: Int, columns: Int, elements: Int? = nil) -> String? {
        if rows < 0 || columns < 0 { return "a matrix of \(rows) x \(columns): no size can be negative" }
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        if overflow || count > Int.max / MemoryLayout<S>.stride {
            return "a matrix of \(rows) x \(columns): more numbers than memory can be addressed for"
        }
        if let elements, elements != count { return "\(elements) elements for a matrix of \(rows) x \(columns)" }
        return nil
    }

    private static func noMemory(rows: Int, columns: Int) -> String {
        "no memory for a matrix of \(rows) x \(columns): \(rows * columns * MemoryLayout<S>.stride) bytes"
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

    /// A matrix that was written down.
    ///
    /// - Throws: a `DecodingError` where the elements are not as many as the shape says.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let rows = try container.decode(Int.self, forKey: .rows)
        let columns = try container.decode(Int.self, forKey: .columns)
        let elements = try container.decode([S].self, forKey: .elements)
        do throws(InvalidValue) {
            try self.init(checking: elements, rows: rows, columns: columns)
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: .elements, in: container, debugDescription: error.description)
        }
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
        require(noProblem: Self.problem(rows: rows, columns: columns))
        let isOwn = isKnownUniquelyReferenced(&storage), count = rows * columns
        if isOwn && count <= storage.count {
            self = Matrix(rows: rows, columns: columns, storage)
        } else {
            let ahead = isOwn ? storage.count + storage.count / 4 : 0
            self = Matrix(rows: 0, columns: 0)
            guard let storage = MatrixStorage<S>(count: max(count, ahead)) else {
                stop(Self.noMemory(rows: rows, columns: columns))
            }
            self = Matrix(rows: rows, columns: columns, storage)
        }
    }

    private mutating func makeUnique() {
        if isKnownUniquelyReferenced(&storage) { return }
        let shared = storage
        self = Matrix(rows: rows, columns: columns)
        unsafe storage.base.update(from: shared.base, count: rows * columns)
    }
}

/// The memory of a matrix.
@safe
private final class MatrixStorage<S: Scalar>: @unchecked Sendable {
    let base: UnsafeMutablePointer<S>
    let count: Int

    /// Zeros; nil: there is no memory for so many.
    init?(count: Int) {
        self.count = count
        // Swift's own allocation ends the process without a word where there is no memory.
        var bytes: UnsafeMutableRawPointer?
        let size = count * MemoryLayout<S>.stride
        guard unsafe posix_memalign(&bytes, 64, max(size, 64)) == 0, let bytes = unsafe bytes else { return nil }
        unsafe base = unsafe bytes.bindMemory(to: S.self, capacity: count)
        // Bytes of 0 are numbers of 0.
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    deinit { unsafe free(base) }
}
