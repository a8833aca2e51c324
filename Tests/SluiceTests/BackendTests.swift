import Testing
import TestSupport

@testable import Sluice

/// Every backend, kernel level and scalar against the naive reference in Double, over odd sizes and tails.
@Suite struct BackendTests {
    struct Shape: Sendable, CustomStringConvertible {
        let B: Int, T: Int, I: Int, H: Int
        var description: String { "B \(B) T \(T) I \(I) H \(H)" }
    }

    /// A cell, with or without a projection to half of the hidden units.
    struct CellCase: Sendable, CustomStringConvertible {
        let cell: Cell
        let isProjected: Bool
        var isNormalized: Bool { cell == .gru(.layerNormalized) || cell == .lstm(.layerNormalized) }
        var description: String { isProjected ? "\(cell) projected" : "\(cell)" }

        init(_ configuration: Configuration) {
            cell = configuration.cell
            isProjected = configuration.projectionSize != nil
        }
    }

    static let shapes: [Shape] =
        [1, 2, 3, 7, 8, 15, 17, 31, 33, 65].map { Shape(B: 1 + $0 % 4, T: 3, I: 1 + $0 % 5, H: $0) }
        + [
            Shape(B: 1, T: 1, I: 1, H: 1), Shape(B: 33, T: 4, I: 7, H: 24), Shape(B: 40, T: 2, I: 65, H: 37),
            Shape(B: 9, T: 2, I: 130, H: 129), Shape(B: 2, T: 9, I: 3, H: 200),
        ]

    @Test(arguments: shapes, Configuration.everyCell(inputSize: 1, hiddenSize: 2).map { CellCase($0) })
    func everyLevelAgreesWithReference(_ shape: Shape, _ cell: CellCase) {
        // One number normalised is always 0, and what is left of its gradient is rounding.
        if shape.H == 1 && cell.isNormalized { return }
        let expected = pass(Double.self, shape, cell, .reference, .baseline)
        for backend in Backend.available {
            // Naive Swift knows no levels.
            for level in backend == .reference ? [.best] : KernelLevel.available {
                compare(pass(Double.self, shape, cell, backend, level), expected, cell, "Double \(backend) \(level)")
                compare(pass(Float.self, shape, cell, backend, level), expected, cell, "Float \(backend) \(level)")
            }
        }
    }

    /// Outputs and gradients of one pass over a ragged batch.
    private func pass<S: Scalar>(
        _: S.Type, _ shape: Shape, _ cell: CellCase, _ backend: Backend, _ level: KernelLevel
    ) -> [Matrix<S>] {
        var random = Random(seed: 11)
        let configuration = Configuration(
            cell: cell.cell, inputSize: shape.I, hiddenSize: shape.H, direction: .bidirectional,
            projectionSize: cell.isProjected && shape.H > 1 ? (shape.H + 1) / 2 : nil, head: Head(outputSize: 2))
        let packing = Packing(lengths: (0..<shape.B).map { 1 + ($0 * 3 + shape.T - 1) % shape.T })
        let network = Network<S>(configuration, .pyTorch, using: &random, backend: backend, level: level)
        let x = Matrix<S>.random(rows: packing.rowCount, columns: shape.I, using: &random)
        let initial = State<S>.random(configuration, sequences: shape.B, using: &random)
        let dy = Matrix<S>.random(rows: packing.rowCount, columns: 2, using: &random)
        let dState = State<S>.random(configuration, sequences: shape.B, using: &random)
        let recording = network.record(x, packing, from: initial)
        let outputs = recording.outputs, state = recording.state
        let gradients = recording.backward(outputs: dy, state: dState)
        return [
            outputs, gradients.parameters.values, gradients.inputs!,
        ] + state.matrices + gradients.initialState.matrices
    }

    /// Bound: a sum of K products of size about 1 is off by about sqrt(K) units, and a pass chains T of them; 40 units of
    /// room for each of the longest sums (K up to B T = 80 rows and H = 200) stays far below any real mistake. Normalising
    /// divides by the deviation of a row, which of a product with few inputs may be small: ten times that.
    private func compare<S: Scalar>(
        _ results: [Matrix<S>], _ expected: [Matrix<Double>], _ cell: CellCase, _ name: String
    ) {
        let bound = (cell.isNormalized ? 10_000 : 1000) * Double(S.ulpOfOne)
        for (index, result) in results.enumerated() {
            let wide = Matrix<Double>(rows: result.rows, columns: result.columns, result.elements.map { Double($0) })
            #expect(relativeDifference(wide, expected[index]) < bound, "\(name), result \(index)")
        }
    }

    /// Every form of the weights against the plain product: panels by the rule for OpenBLAS's small kernels and by the
    /// other, and the matrix itself with its columns from one on standing first.
    @Test(
        arguments: Backend.available,
        [PanelRule.whole, .smallProducts(preferredWidth: 4), .smallProducts(preferredWidth: 32)])
    func productsOfEveryFormAgree(_ backend: Backend, _ rule: PanelRule) {
        var random = Random(seed: 12)
        let engine = Engine<Double>(backend: backend, level: .best)
        for (rows, depth, columns) in [(1, 1, 1), (5, 7, 3), (33, 9, 65), (40, 64, 96), (3, 200, 31), (35, 129, 301)] {
            let a = Matrix<Double>.random(rows: rows, columns: depth, using: &random)
            let b = Matrix<Double>.random(rows: depth, columns: columns, using: &random)
            let c0 = Matrix<Double>.random(rows: rows, columns: columns, using: &random)
            var panels = Panels<Double>(rows: depth, columns: columns, rule: rule)
            panels.pack(b.view)
            var transposed = Panels<Double>(rows: columns, columns: depth, rule: rule)
            transposed.packTransposed(b.view)
            let first = columns / 3
            var rotated = b // the matrix of which `b` is the form with columns from `first` on first
            rotated.mutableView().columns(first..<columns).copy(b.view.columns(0..<columns - first))
            rotated.mutableView().columns(0..<first).copy(b.view.columns(columns - first..<columns))
            let forms: [WeightView<Double>] = [.panels(panels.view), .plain(rotated.view, first: first)]
            let transposedForms: [WeightView<Double>] = [
                .panels(transposed.view), .transposed(rotated.view, first: first),
            ]
            for accumulate in [false, true] {
                var expected = c0, expectedBack = a
                Reference.multiply(a.view, false, b.view, false, into: expected.mutableView(), accumulate: accumulate)
                Reference.multiply(
                    c0.view, false, b.view, true, into: expectedBack.mutableView(), accumulate: accumulate)
                for form in forms {
                    var c = c0
                    engine.multiply(a.view, form, into: c.mutableView(), accumulate: accumulate)
                    #expect(relativeDifference(c, expected) < 1e-14 * Double(depth))
                }
                for form in transposedForms {
                    var back = a
                    engine.multiply(c0.view, form, into: back.mutableView(), accumulate: accumulate)
                    #expect(relativeDifference(back, expectedBack) < 1e-14 * Double(columns))
                }
            }
            withExtendedLifetime((panels, transposed, rotated)) {}
        }
    }
}
