/// One weight matrix U [K, N] and products with it, whole and in panels: what `bench gemm` times to reprint the table that
/// ``PanelRule`` stands on.
///
/// A product is the call that a time loop makes, through the same ``Engine`` and ``Panels``. This is all that the bench
/// sees of them.
package final class PanelTrial<S: Scalar> {
    /// How a product is cut: panels of `width` columns by blocks of `rowBlock` rows.
    package struct Cut: Hashable, Sendable {
        package let width: Int
        package let rowBlock: Int

        package init(width: Int, rowBlock: Int) {
            self.width = width
            self.rowBlock = rowBlock
        }
    }

    /// How ``PanelRule`` cuts products with these weights, where OpenBLAS's kernels multiply small ones without packing.
    package let ruled: Cut
    /// Whether they do; if not, the rule takes the matrix whole.
    package let isCut: Bool

    private let weights: Matrix<S> // [K, N]
    private var panels: [Int: Panels<S>] = [:] // by width

    /// Random weights of the size that an initialisation gives: uniform within 1 / sqrt(K).
    package init(rows: Int, columns: Int) {
        weights = Self.uniform(rows: rows, columns: columns, within: 1 / Double(rows).squareRoot(), seed: 1)
        let rule = PanelRule.smallProducts(S.self), width = rule.width(rows: rows, columns: columns)
        ruled = Cut(width: width, rowBlock: rule.rowBlock(rows: rows, width: width))
        if case .smallProducts = PanelRule(.default, S.self) { isCut = true } else { isCut = false }
    }

    /// The product of `sequences` random states; nil for `cut`: with the whole matrix.
    package func product(sequences: Int, cut: Cut?) -> Product {
        let states = Self.uniform(rows: sequences, columns: weights.rows, within: 1, seed: 2)
        guard let cut else { return Product(states: states, weights: weights) }
        let panels = panels[cut.width] ?? pack(width: cut.width)
        self.panels[cut.width] = panels
        return Product(states: states, panels: panels, rowBlock: cut.rowBlock)
    }

    private func pack(width: Int) -> Panels<S> {
        let rule = PanelRule.smallProducts(preferredWidth: width)
        var panels = Panels<S>(rows: weights.rows, columns: weights.columns, rule: rule)
        panels.pack(weights.view)
        return panels
    }

    private static func uniform(rows: Int, columns: Int, within limit: Double, seed: UInt64) -> Matrix<S> {
        var random = Random(seed: seed)
        let elements = (0..<rows * columns).map { _ in S(limit * (2 * random.uniform() - 1)) }
        return Matrix(rows: rows, columns: columns, elements)
    }
}

// MARK: A product

extension PanelTrial {
    /// c [B, N] = h [B, K] U [K, N], to be repeated.
    package final class Product {
        private enum Weights {
            case whole(Matrix<S>)
            case panels(Panels<S>)
        }

        private let states: Matrix<S> // [B, K]
        private let result: Matrix<S> // [B, N]
        private let weights: Weights // keeps alive what the view shows
        private let view: WeightView<S>
        private let engine = Engine<S>(backend: .default, level: .best)

        fileprivate init(states: Matrix<S>, weights: Matrix<S>) {
            self.states = states
            self.weights = .whole(weights)
            view = .plain(weights.view, first: 0)
            result = Matrix(rows: states.rows, columns: weights.columns)
        }

        /// The panels in blocks of other rows than the rule's.
        fileprivate init(states: Matrix<S>, panels: Panels<S>, rowBlock: Int) {
            self.states = states
            self.weights = .panels(panels)
            let shape = panels.view.shape
            view = unsafe .panels(
                PanelsView(
                    base: panels.view.base,
                    shape: .init(rows: shape.rows, columns: shape.columns, width: shape.width, rowBlock: rowBlock)))
            result = Matrix(rows: states.rows, columns: shape.columns)
        }

        @specialized(where S == Float)
        @specialized(where S == Double)
        package func compute() { engine.multiply(states.view, view, into: result.view) }

        /// What ``compute()`` has computed, row after row.
        package var elements: [S] { result.elements }
    }
}
