/// A weight matrix [K, N] as a product reads it. Views only: time loops of several threads share them without counting
/// references.
enum WeightView<S: Scalar>: Sendable {
    /// Cut into column panels.
    case panels(PanelsView<S>)
    /// As the parameters hold it, the columns from `first` on standing before the others.
    case plain(MatrixView<S>, first: Int)
    /// The transpose of that.
    case transposed(MatrixView<S>, first: Int)

    var rows: Int {
        switch self {
        case .panels(let panels): panels.shape.rows
        case .plain(let matrix, _): matrix.rows
        case .transposed(let matrix, _): matrix.columns
        }
    }

    var columns: Int {
        switch self {
        case .panels(let panels): panels.shape.columns
        case .plain(let matrix, _): matrix.columns
        case .transposed(let matrix, _): matrix.rows
        }
    }

    /// Whether OpenBLAS may share a product of so many rows with it out over its threads.
    func mayUseThreads(rows: Int) -> Bool {
        #if OpenBLAS
        if case .panels(let panels) = self {
            return OpenBLAS.mayUseThreads(
                rows: min(rows, panels.shape.rowBlock), depth: self.rows, columns: panels.shape.width)
        }
        return OpenBLAS.mayUseThreads(rows: rows, depth: self.rows, columns: columns)
        #else
        return false
        #endif
    }
}
