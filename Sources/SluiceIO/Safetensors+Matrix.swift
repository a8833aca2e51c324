import Sluice

extension ScalarType {
    /// The type's name in safetensors files.
    var safetensorsName: String {
        switch self {
        case .float: "F32"
        case .double: "F64"
        }
    }
}

extension Safetensors.Tensor {
    /// A tensor of the elements of a matrix, with another shape if wanted.
    public init<S: Scalar>(_ matrix: Matrix<S>, shape: [Int]? = nil) {
        let shape = shape ?? [matrix.rows, matrix.columns]
        precondition(
            shape.reduce(1, *) == matrix.rows * matrix.columns,
            "a \(matrix.rows) x \(matrix.columns) matrix as a tensor of shape \(shape)")
        self.init(type: S.type.safetensorsName, shape: shape, bytes: matrix.littleEndianBytes)
    }

    /// The elements as a matrix: the last size as its columns, the others together as its rows.
    ///
    /// - Returns: nil if the elements are of another type.
    public func matrix<S: Scalar>(_: S.Type = S.self) -> Matrix<S>? {
        guard type == S.type.safetensorsName else { return nil }
        let columns = shape.last ?? 1
        let rows = shape.dropLast().reduce(1, *)
        return Matrix(rows: rows, columns: columns, littleEndianBytes: bytes)
    }
}

extension Matrix {
    /// The elements' bytes, row after row.
    fileprivate var littleEndianBytes: [UInt8] {
        withSpan { span in
            unsafe span.withUnsafeBytes { unsafe Array($0) }
        }
    }

    fileprivate init(rows: Int, columns: Int, littleEndianBytes bytes: [UInt8]) {
        self.init(rows: rows, columns: columns)
        withMutableSpan { span in
            unsafe span.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
        }
    }

    /// The transposed matrix.
    var transposed: Matrix {
        var result = Matrix(rows: columns, columns: rows)
        withSpan { source in
            result.withMutableSpan { target in
                for i in 0..<rows { for j in 0..<columns { target[j * rows + i] = source[i * columns + j] } }
            }
        }
        return result
    }
}

#if _endian(big)
#error("Files are little-endian; this processor is not, and nobody has tried.")
#endif
