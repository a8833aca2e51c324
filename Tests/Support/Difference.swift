import Sluice

/// The largest difference of two equally shaped matrices, relative to the largest element of the second.
/// NaN anywhere gives infinity, so that it cannot pass.
public func relativeDifference<S: Scalar>(_ a: Matrix<S>, _ b: Matrix<S>) -> S {
    precondition(
        a.rows == b.rows && a.columns == b.columns, "\(a.rows) x \(a.columns) against \(b.rows) x \(b.columns)")
    let left = a.elements, right = b.elements
    var difference: S = 0, largest: S = 0
    for (x, y) in zip(left, right) {
        if x.isNaN || y.isNaN { return .infinity }
        difference = max(difference, abs(x - y))
        largest = max(largest, abs(y))
    }
    return largest > 0 ? difference / largest : difference
}

extension Matrix {
    /// Normal random elements.
    public static func random(rows: Int, columns: Int, scale: Double = 1, using random: inout Random) -> Matrix {
        Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in S(scale * random.normal()) })
    }
}

extension State {
    /// Normal random states.
    public static func random(_ configuration: Configuration, sequences: Int, using random: inout Random) -> State {
        var state = State(configuration, sequences: sequences)
        for layer in state.hidden.indices {
            state.hidden[layer] = .random(rows: sequences, columns: configuration.hiddenSize, using: &random)
        }
        return state
    }
}

extension Configuration {
    /// Every variant of the GRU with these sizes.
    public static func everyCell(
        inputSize: Int, hiddenSize: Int, layers: Int = 1, head: Head? = nil
    ) -> [Configuration] {
        Cell.allCases.map {
            Configuration(cell: $0, inputSize: inputSize, hiddenSize: hiddenSize, layers: layers, head: head)
        }
    }
}

extension Matrix {
    /// The elements as another scalar, rounded.
    public func cast<T: Scalar>(to _: T.Type) -> Matrix<T> {
        Matrix<T>(rows: rows, columns: columns, elements.map { T($0) })
    }
}
