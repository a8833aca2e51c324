/// All parameters of a network, or anything else that has one number for each of them (gradients, an optimiser's
/// moments), as one flat array.
public struct Parameters<S: Scalar>: Sendable, Equatable {
    /// What lies where.
    public let layout: ParameterLayout
    /// The numbers, `[1, count]`. Whatever uses them stops the program where they are of another shape; for numbers from outside
    /// there is ``init(checking:_:)``. (Not checked when they are set: an observer would cost a change in place an allocation.)
    public var values: Matrix<S>

    /// Zeros.
    public init(_ layout: ParameterLayout) {
        self.layout = layout
        values = Matrix(rows: 1, columns: layout.count)
    }

    /// Parameters whose numbers come from outside the program.
    ///
    /// - Parameters:
    ///   - values: `[1, count]`, in the layout's order.
    ///   - layout: which parameters there are, and where.
    /// - Throws: where they are of another shape.
    public init(checking values: Matrix<S>, _ layout: ParameterLayout) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(values, layout))
        self.layout = layout
        self.values = values
    }

    /// One parameter by its name, as a matrix in the layout of the computation.
    ///
    /// - Precondition: there is such a parameter, and what it is set to has its shape. For names and matrices from outside the
    ///   program there is ``set(_:checking:)``, and ``ParameterLayout/subscript(_:)`` to ask for a name.
    public subscript(name: String) -> Matrix<S> {
        get {
            require(noProblem: problem(name))
            let entry = layout[name]!
            return values.withSpan { span in
                Matrix(rows: entry.rows, columns: entry.columns, entry.range.map { span[$0] })
            }
        }
        set {
            require(noProblem: problem(name, newValue))
            mutableView(layout[name]!).copy(newValue.view)
        }
    }

    /// Sets one parameter to a matrix that comes, as its name, from outside the program.
    ///
    /// - Throws: where there is no such parameter, or its shape is another.
    public mutating func set(_ name: String, checking matrix: Matrix<S>) throws(InvalidValue) {
        try InvalidValue.throwing(problem(name, matrix))
        mutableView(layout[name]!).copy(matrix.view)
    }

    /// Why the numbers are not the layout's; nil: they are.
    var problem: String? { Self.problem(values, layout) }

    private static func problem(_ values: Matrix<S>, _ layout: ParameterLayout) -> String? {
        values.rows == 1 && values.columns == layout.count
            ? nil : "values of \(values.rows) x \(values.columns) for parameters of 1 x \(layout.count)"
    }

    /// - Parameter matrix: what the parameter is to be; nil: it is read.
    private func problem(_ name: String, _ matrix: Matrix<S>? = nil) -> String? {
        guard let entry = layout[name] else {
            return
                "no parameter \(name.prefix(80)) among the \(layout.entries.count) from \(layout.entries[0].name) to "
                + layout.entries[layout.entries.count - 1].name
        }
        if let problem { return problem }
        guard let matrix, matrix.rows != entry.rows || matrix.columns != entry.columns else { return nil }
        return "\(name) is \(entry.rows) x \(entry.columns), not \(matrix.rows) x \(matrix.columns)"
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
