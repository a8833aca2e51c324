import Sluice
import Testing

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
    /// Every matrix: hidden states, then cell states.
    public var matrices: [Matrix<S>] {
        get { hidden + cell }
        set {
            hidden = Array(newValue.prefix(hidden.count))
            cell = Array(newValue.dropFirst(hidden.count))
        }
    }

    /// The states of one sequence alone.
    public func sequence(_ index: Int) -> State {
        var state = self
        state.matrices = matrices.map { matrix in
            Matrix(rows: 1, columns: matrix.columns, (0..<matrix.columns).map { matrix[index, $0] })
        }
        return state
    }

    /// Normal random states.
    public static func random(_ configuration: Configuration, sequences: Int, using random: inout Random) -> State {
        var state = State(configuration, sequences: sequences)
        for index in state.hidden.indices {
            state.hidden[index] = .random(rows: sequences, columns: configuration.stateSize, using: &random)
        }
        for index in state.cell.indices {
            state.cell[index] = .random(rows: sequences, columns: configuration.hiddenSize, using: &random)
        }
        return state
    }
}

extension Configuration: CustomTestStringConvertible {
    public var testDescription: String {
        let head = head.map { " head \($0.steps.rawValue) \($0.outputSize)" } ?? ""
        let projection = projectionSize.map { ">\($0)" } ?? ""
        let biases = biases.map { " biases \($0.rawValue)" } ?? ""
        return "\(cell) \(inputSize) -> \(hiddenSize)\(projection) x \(layers) \(direction.rawValue)\(biases)\(head)"
    }
}

extension Configuration {
    /// Every cell with these sizes, the LSTM also with a projection where there is room for one.
    public static func everyCell(
        inputSize: Int, hiddenSize: Int, layers: Int = 1, direction: Direction = .forward, head: Head? = nil
    ) -> [Configuration] {
        func configuration(_ cell: Cell, projection: Int? = nil) -> Configuration {
            Configuration(
                cell: cell, inputSize: inputSize, hiddenSize: hiddenSize, layers: layers, direction: direction,
                projectionSize: projection, head: head)
        }
        let projected = hiddenSize > 1 ? [configuration(.lstm, projection: (hiddenSize + 1) / 2)] : []
        return Cell.allCases.map { configuration($0) } + projected
    }
}

extension Matrix {
    /// The elements as another scalar, rounded.
    public func cast<T: Scalar>(to _: T.Type) -> Matrix<T> {
        Matrix<T>(rows: rows, columns: columns, elements.map { T($0) })
    }
}
