/// A network's weights in the form the products want: rebuilt once per update, used at every step.
struct PackedWeights<S: Scalar>: Sendable {
    private(set) var layers: [PackedLayer<S>]
    /// Whether the transposes are kept, which the backward pass reads.
    let hasTransposes: Bool

    /// - Parameter transposed: whether the transposes are kept too, which the backward pass reads.
    init(_ configuration: Configuration, engine: Engine<S>, transposed: Bool) {
        hasTransposes = transposed
        let rule = PanelRule(engine.backend, S.self)
        layers = (0..<configuration.layers).map { layer in
            PackedLayer(
                cell: configuration.cell, inputSize: configuration.inputSize(ofLayer: layer),
                hiddenSize: configuration.hiddenSize, rule: rule, transposed: transposed)
        }
    }

    /// Copies the parameters into their packed form.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func pack(_ parameters: Parameters<S>) {
        for layer in layers.indices {
            let entries = parameters.layout.layers[layer]
            layers[layer].pack(
                input: parameters.view(entries.input), recurrent: parameters.view(entries.recurrent),
                bias: parameters.view(entries.bias), recurrentBias: entries.recurrentBias.map { parameters.view($0) })
        }
    }
}

/// One layer's packed weights.
struct PackedLayer<S: Scalar>: Sendable {
    private let cell: Cell
    private let hiddenSize: Int
    /// The gates of U in each product: see ``Cell/recurrentProducts``.
    private let products: [[Int]]
    private var input: Panels<S>
    private var recurrent: [Panels<S>]
    private var bias: Matrix<S>
    private var transposedInput: Panels<S>?
    private var transposedRecurrent: [Panels<S>]

    init(cell: Cell, inputSize: Int, hiddenSize: Int, rule: PanelRule, transposed: Bool) {
        self.cell = cell
        self.hiddenSize = hiddenSize
        products = cell.recurrentProducts
        let gates = cell.gateCount * hiddenSize
        input = Panels(rows: inputSize, columns: gates, rule: rule)
        recurrent = products.map {
            Panels(rows: hiddenSize, columns: $0.count * hiddenSize, rule: rule)
        }
        bias = Matrix(rows: 1, columns: cell.tapeColumns * hiddenSize)
        transposedInput = transposed ? Panels(rows: gates, columns: inputSize, rule: rule) : nil
        transposedRecurrent =
            !transposed
            ? []
            : products.map {
                Panels(rows: $0.count * hiddenSize, columns: hiddenSize, rule: rule)
            }
    }

    mutating func pack(
        input: MatrixView<S>, recurrent: MatrixView<S>, bias: MatrixView<S>, recurrentBias: MatrixView<S>?
    ) {
        self.input.pack(input)
        transposedInput?.packTransposed(input)
        for product in products.indices {
            for place in products[product].indices {
                let gate = products[product][place]
                let weights = recurrent.columns(gate * hiddenSize..<(gate + 1) * hiddenSize)
                self.recurrent[product].pack(weights, atColumn: place * hiddenSize)
                if !transposedRecurrent.isEmpty {
                    transposedRecurrent[product].packTransposed(weights, atRow: place * hiddenSize)
                }
            }
        }
        cell.packBias(bias, recurrentBias, into: self.bias.mutableView(), hiddenSize: hiddenSize)
    }

    /// The weights as a pass reads them; valid while these weights live.
    var weights: LayerWeights<S> {
        LayerWeights(
            input: input.view, recurrent: recurrent[0].view, gated: recurrent.count > 1 ? recurrent[1].view : nil,
            bias: bias.view, transposedInput: transposedInput?.view,
            transposedRecurrent: transposedRecurrent.count > 0 ? transposedRecurrent[0].view : nil,
            transposedGated: transposedRecurrent.count > 1 ? transposedRecurrent[1].view : nil)
    }
}
