import Sluice
import TestSupport

/// A pass forward and back over a batch, for laws that compare passes.
struct LawPass {
    let packing: Packing
    let parameters: Parameters<Double>
    let x: Matrix<Double>
    let initial: State<Double>
    let dOutputs: Matrix<Double>
    let dState: State<Double>

    let outputs: Matrix<Double>
    let state: State<Double>
    let gradients: Gradients<Double>

    init(
        _ network: Network<Double>, _ packing: Packing, _ x: Matrix<Double>, initial: State<Double>,
        dOutputs: Matrix<Double>, dState: State<Double>
    ) {
        self.packing = packing
        parameters = network.parameters
        (self.x, self.initial, self.dOutputs, self.dState) = (x, initial, dOutputs, dState)
        let recording = network.record(x, packing, from: initial)
        outputs = recording.outputs
        state = recording.state
        gradients = recording.backward(outputs: dOutputs, state: dState)
    }

    /// Everything random: parameters that no two gates share, inputs, states and gradients.
    init(_ configuration: Configuration, _ lengths: [Int], _ backend: Backend) {
        var random = Random(seed: 12)
        let packing = Packing(lengths: lengths), sequences = lengths.count
        var parameters = Parameters<Double>(ParameterLayout(configuration))
        parameters.values = .random(rows: 1, columns: parameters.layout.count, scale: 0.5, using: &random)
        self.init(
            Network(configuration, parameters, backend: backend), packing,
            .random(rows: packing.rowCount, columns: configuration.inputSize, using: &random),
            initial: .random(configuration, sequences: sequences, using: &random),
            dOutputs: .random(
                rows: configuration.outputRowCount(packing), columns: configuration.outputSize, using: &random),
            dState: .random(configuration, sequences: sequences, using: &random))
    }
}

extension Matrix {
    func columns(_ range: Range<Int>) -> Matrix {
        Matrix(
            rows: rows, columns: range.count, (0..<rows).flatMap { row in range.map { self[row, $0] } })
    }

    func beside(_ other: Matrix) -> Matrix {
        Matrix(
            rows: rows, columns: columns + other.columns,
            (0..<rows).flatMap { row in
                (0..<columns).map { self[row, $0] } + (0..<other.columns).map { other[row, $0] }
            })
    }

    func plus(_ other: Matrix) -> Matrix {
        Matrix(rows: rows, columns: columns, zip(elements, other.elements).map(+))
    }
}

extension State {
    /// The states of one layer and direction alone.
    func scan(_ index: Int) -> State {
        var state = self
        state.hidden = [hidden[index]]
        state.cell = cell.isEmpty ? [] : [cell[index]]
        return state
    }
}

extension Packing {
    /// The rows with each sequence's own steps in reverse.
    func reversed<S: Scalar>(_ matrix: Matrix<S>) -> Matrix<S> {
        var result = matrix
        for (sequence, length) in lengths.enumerated() {
            for step in 0..<length {
                let from = row(sequence: sequence, step: length - 1 - step), to = row(sequence: sequence, step: step)
                for column in 0..<matrix.columns { result[to, column] = matrix[from, column] }
            }
        }
        return result
    }
}
