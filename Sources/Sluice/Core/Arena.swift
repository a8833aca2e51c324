/// Lays matrices one after another in a block of memory, each on its own cache lines. It only counts: one layout serves any
/// block that has room.
struct Arena: Sendable {
    /// The numbers of a cache line.
    private let line: Int
    /// The numbers laid out so far.
    private(set) var count = 0

    /// - Parameter scalar: what the blocks hold.
    init(_ scalar: ScalarType) { line = 64 / scalar.bytes }

    /// Room for a matrix.
    mutating func place(rows: Int, columns: Int) -> Place {
        let place = Place(offset: count, rows: rows, columns: columns)
        count += numbers(1, rows, columns)
        return place
    }

    /// The numbers that matrices take, which 64 bits may not be enough for.
    private func numbers(_ number: Int, _ rows: Int, _ columns: Int) -> Int {
        let (elements, isTooLarge) = rows.multipliedReportingOverflow(by: columns)
        let padded = isTooLarge || elements > .max - line ? .max : (elements + line - 1) / line * line
        let (all, areTooMany) = padded.multipliedReportingOverflow(by: number)
        require(
            padded < .max && !areTooMany && all <= .max - count,
            "room for \(number) matrices of \(rows) x \(columns) behind \(count) numbers: more than can be counted")
        return all
    }

    /// Room for several matrices of one shape.
    mutating func places(_ number: Int, rows: Int, columns: Int) -> Places {
        let first = Place(offset: count, rows: rows, columns: columns), distance = numbers(1, rows, columns)
        count += numbers(number, rows, columns)
        return Places(first: first, distance: distance, count: number)
    }
}

/// Where a matrix lies in a block of memory.
struct Place: Sendable {
    /// The numbers before it.
    let offset: Int
    let rows: Int
    let columns: Int

    /// The place of some of its rows.
    func rows(_ range: Range<Int>) -> Place {
        Place(offset: offset + range.lowerBound * columns, rows: range.count, columns: columns)
    }
}

/// Where several matrices of one shape lie, as far apart from each other.
struct Places: Sendable {
    let first: Place
    let distance: Int
    let count: Int

    subscript(index: Int) -> Place {
        Place(offset: first.offset + index * distance, rows: first.rows, columns: first.columns)
    }
}

extension MatrixView {
    /// The matrix at a place of this block, `[1, count]`.
    @inline(__always)
    func matrix(_ place: Place) -> MatrixView {
        require(
            place.offset + place.rows * place.columns <= columns,
            "\(place.rows) x \(place.columns) numbers behind \(place.offset) in a block of \(columns)")
        return unsafe MatrixView(
            base: base + place.offset, rows: place.rows, columns: place.columns, stride: place.columns)
    }
}
