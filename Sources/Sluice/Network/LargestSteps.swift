/// For each number that is the largest of a sequence's steps: the step, as the integer that it is. (A scalar holds no integer
/// beyond its mantissa: Float none from 2^24 on.)
@safe
struct LargestSteps<S: Scalar>: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    private let columns: Int

    /// In a matrix of ``scalars(columns:)`` columns, whose numbers mean nothing.
    init(_ room: MatrixView<S>, columns: Int) {
        require(
            room.isContiguous && room.columns == Self.scalars(columns: columns),
            "steps of \(columns) numbers in rows of \(room.columns)")
        unsafe base = UnsafeMutableRawPointer(room.base)
        self.columns = columns
    }

    /// How many scalars are as wide as so many integers.
    static func scalars(columns: Int) -> Int { columns * (MemoryLayout<Int>.stride / MemoryLayout<S>.stride) }

    subscript(row: Int, column: Int) -> Int {
        get { unsafe base.load(fromByteOffset: offset(row, column), as: Int.self) }
        nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: offset(row, column), as: Int.self) }
    }

    private func offset(_ row: Int, _ column: Int) -> Int {
        (row &* columns &+ column) &* MemoryLayout<Int>.stride
    }
}

extension MatrixView {
    /// Each element of the first rows becomes the larger one, and its step that of the larger; the earlier of equal ones stays,
    /// and NaN.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func raise(to other: MatrixView, step: Int, steps: LargestSteps<S>?) {
        for i in 0..<other.rows {
            for j in 0..<columns where self[i, j] == self[i, j] && !(other[i, j] <= self[i, j]) {
                self[i, j] = other[i, j]
                if let steps { steps[i, j] = step }
            }
        }
    }

    /// The first rows of a gradient where the largest value was met at this step, elsewhere 0.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func take(_ gradient: MatrixView, whereEqual steps: LargestSteps<S>, step: Int) {
        for i in 0..<rows {
            for j in 0..<columns { self[i, j] = steps[i, j] == step ? gradient[i, j] : 0 }
        }
    }
}
