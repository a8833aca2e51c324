import Sluice

extension ScalarType {
    /// The type's name in safetensors files.
    var safetensorsName: String { ElementType(self).rawValue }
}

extension Safetensors.Tensor {
    /// A tensor of the elements of a matrix, with another shape if wanted.
    ///
    /// - Precondition: the shape has as many elements as the matrix.
    public init<S: Scalar>(_ matrix: Matrix<S>, shape: [Int]? = nil) {
        let type = S.type.safetensorsName, shape = shape ?? [matrix.rows, matrix.columns]
        let bytes = matrix.littleEndianBytes
        require(
            noProblem: ElementSize.problem(type, shape, byteCount: bytes.count).map {
                "a \(matrix.rows) x \(matrix.columns) matrix as a tensor \($0)"
            })
        self.init(fitting: bytes, type, shape)
    }

    /// The elements as a matrix, bit for bit: the last size as its columns, the others together as its rows.
    ///
    /// - Returns: nil if the elements are of another type.
    public func matrix<S: Scalar>(_: S.Type = S.self) -> Matrix<S>? {
        type == S.type.safetensorsName ? try? matrix(converting: S.self) : nil
    }

    /// The elements as a matrix of any scalar, from F16, BF16, F32 or F64: exact where the scalar holds them, otherwise rounded to
    /// the nearest (of two equally near, to the even one).
    ///
    /// - Throws: for elements of other types, and where a finite one is beyond the scalar's largest.
    public func matrix<S: Scalar>(converting _: S.Type) throws(InvalidValue) -> Matrix<S> {
        guard let known = ElementType(rawValue: type) else {
            throw InvalidValue("elements of type \(type.inOneLine(limit: 20)); F16, BF16, F32 or F64 is needed")
        }
        guard let elements = elements(bytes, known, as: S.self) else {
            throw InvalidValue("a number beyond the largest \(S.type.rawValue)")
        }
        return Matrix(rows: shape.dropLast().reduce(1, *), columns: shape.last ?? 1, copying: elements)
    }
}

extension Matrix {
    /// The elements' bytes, row after row.
    fileprivate var littleEndianBytes: [UInt8] {
        withSpan { span in
            unsafe span.withUnsafeBytes { unsafe Array($0) }
        }
    }

    /// Elements that are as many as the matrix has.
    fileprivate init(rows: Int, columns: Int, copying elements: [S]) {
        self.init(rows: rows, columns: columns)
        withMutableSpan { target in
            for index in elements.indices { target[index] = elements[index] }
        }
    }
}

#if _endian(big)
#error("Files are little-endian; this processor is not, and nobody has tried.")
#endif
