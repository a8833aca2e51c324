/// Matrices cut one after another from one block of memory, each on its own cache lines. Without a block the sizes are only
/// counted, and the matrices must not be touched.
@safe
struct Arena<S: Scalar> {
    private let base: UnsafeMutablePointer<S>?
    /// The numbers cut so far.
    private(set) var count = 0

    /// - Parameter block: `[1, count]`, for as many matrices as were counted; nil: count.
    init(_ block: MatrixView<S>?) { unsafe base = block?.base }

    /// Room for a matrix.
    mutating func matrix(rows: Int, columns: Int) -> MatrixView<S> {
        let start = count
        let line = 64 / MemoryLayout<S>.stride
        count += (rows * columns + line - 1) / line * line
        let nowhere = unsafe UnsafeMutablePointer<S>(bitPattern: 64)!
        return unsafe MatrixView(
            base: base.map { unsafe $0 + start } ?? nowhere, rows: rows, columns: columns, stride: columns)
    }
}
