/// All parameters of a network, or anything else that has one number for each of them (gradients, an optimiser's
/// moments), as one flat array.
public struct Parameters<S: Scalar>: Sendable, Equatable {
    /// What lies where.
    public let layout: ParameterLayout
    /// The numbers, `[1, count]`.
    public var values: Matrix<S>

    /// Zeros.
    public init(_ layout: ParameterLayout) {
        self.layout = layout
        values = Matrix(rows: 1, columns: layout.count)
    }

    /// One parameter by its name, as a matrix in the layout of the computation. Setting needs the same shape.
    public subscript(name: String) -> Matrix<S> {
        get {
            let entry = entry(name)
            return values.withSpan { span in
                Matrix(rows: entry.rows, columns: entry.columns, entry.range.map { span[$0] })
            }
        }
        set {
            let entry = entry(name)
            require(
                newValue.rows == entry.rows && newValue.columns == entry.columns,
                "\(name) is \(entry.rows) x \(entry.columns), not \(newValue.rows) x \(newValue.columns)")
            mutableView(entry).copy(newValue.view)
        }
    }

    private func entry(_ name: String) -> ParameterLayout.Entry {
        guard let entry = layout[name] else {
            stop("no parameter \(name); there are \(layout.entries.map(\.name).joined(separator: ", "))")
        }
        return entry
    }

    /// A parameter's matrix, for reading.
    func view(_ entry: ParameterLayout.Entry) -> MatrixView<S> { values.view.parameter(entry) }

    /// A parameter's matrix, for writing.
    mutating func mutableView(_ entry: ParameterLayout.Entry) -> MatrixView<S> { values.mutableView().parameter(entry) }
}

extension MatrixView {
    /// One parameter's matrix in a flat array [1, count].
    func parameter(_ entry: ParameterLayout.Entry) -> MatrixView {
        columns(entry.range).reshaped(rows: entry.rows, columns: entry.columns)
    }
}
