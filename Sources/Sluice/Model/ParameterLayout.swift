/// Where each parameter lies in a network's one flat array.
///
/// In memory a weight is laid out for the product x W, `[inputs, outputs]`; in files it has PyTorch's name and its
/// transposed shape. A cell's gates stand side by side in PyTorch's order.
public struct ParameterLayout: Hashable, Sendable {
    /// One parameter: a weight matrix, or a vector as one row.
    public struct Entry: Hashable, Sendable {
        /// The name in files: PyTorch's.
        public let name: String
        /// What it does, for initialisation and weight decay.
        public let role: ParameterRole
        /// The inputs of the product; 1 for a vector.
        public let rows: Int
        /// The outputs of the product, or the vector's numbers.
        public let columns: Int
        /// The first element's place in the flat array.
        public let offset: Int

        /// The places in the flat array.
        public var range: Range<Int> { offset..<offset + rows * columns }
        /// Whether this is a vector in files and a row here: everything but the weight matrices.
        public var isVector: Bool { !role.isMatrix }
        /// The shape in files.
        public var fileShape: [Int] { isVector ? [columns] : [columns, rows] }
    }

    /// The parameters of one scan: a layer in one direction.
    struct Scan: Hashable, Sendable {
        let input: Entry
        let recurrent: Entry
        let bias: Entry?
        let recurrentBias: Entry?
        let projection: Entry?
        /// The places of the cell's own vectors, in the order of ``CellShape/vectors``.
        let vectors: Range<Int>

        /// The numbers of all of them.
        var count: Int { vectors.upperBound - input.offset }

        /// The weights that products take.
        var weightCount: Int {
            [input, recurrent, projection].reduce(0) { $0 + ($1?.range.count ?? 0) }
        }
    }

    /// The head's parameters.
    struct Head: Hashable, Sendable {
        let weight: Entry
        let bias: Entry

        var count: Int { weight.range.count + bias.range.count }
    }

    /// Every parameter, in the order of the flat array.
    public private(set) var entries: [Entry] = []
    /// The number of parameters.
    public private(set) var count = 0
    /// By layer and direction: see ``Configuration/scanCount``.
    private(set) var scans: [Scan] = []
    private(set) var head: Head?

    /// The parameters of a network: for each layer `k`, and again with `_reverse` behind the name for a layer's second
    /// direction,
    ///
    ///     weight_ih_lk [I, GH]    weight_hh_lk [P, GH]    bias_ih_lk [GH]    bias_hh_lk [GH]    weight_hr_lk [H, P]
    ///
    /// as far as the configuration has them, and the cell's own vectors; then `head.weight [out, O]`, `head.bias [O]`.
    ///
    /// - Precondition: there is such a network: ``Configuration/problem`` is nil.
    public init(_ configuration: Configuration) {
        require(noProblem: configuration.problem)
        let hidden = configuration.hiddenSize, state = configuration.stateSize
        let shape = configuration.cellShape
        let gates = shape.gateCount * hidden
        for layer in 0..<configuration.layers {
            for direction in 0..<configuration.direction.count {
                let suffix = direction == 0 ? "l\(layer)" : "l\(layer)_reverse"
                let biases = configuration.layerBiases
                let input = append("weight_ih_\(suffix)", .inputWeight, configuration.inputSize(ofLayer: layer), gates)
                let recurrent = append("weight_hh_\(suffix)", .recurrentWeight, state, gates)
                let bias = biases == .none ? nil : append("bias_ih_\(suffix)", .bias, 1, gates)
                let recurrentBias = biases == .both ? append("bias_hh_\(suffix)", .bias, 1, gates) : nil
                let projection = configuration.projectionSize.map {
                    append("weight_hr_\(suffix)", .projectionWeight, hidden, $0)
                }
                let start = count
                for vector in shape.vectors { _ = append("\(vector.name)_\(suffix)", vector.role, 1, vector.count) }
                scans.append(
                    Scan(
                        input: input, recurrent: recurrent, bias: bias, recurrentBias: recurrentBias,
                        projection: projection, vectors: start..<count))
            }
        }
        if let size = configuration.head?.outputSize {
            head = Head(
                weight: append("head.weight", .headWeight, configuration.layerOutputSize, size),
                bias: append("head.bias", .headBias, 1, size))
        }
    }

    private mutating func append(_ name: String, _ role: ParameterRole, _ rows: Int, _ columns: Int) -> Entry {
        let entry = Entry(name: name, role: role, rows: rows, columns: columns, offset: count)
        entries.append(entry)
        count += rows * columns
        return entry
    }

    /// The entry of a name, if the network has one.
    public subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}

extension ParameterLayout {
    /// The first thing in which the parameters of another layout differ from these; nil: nothing.
    func difference(from other: ParameterLayout) -> String? {
        if self == other { return nil }
        for (entry, theirs) in zip(entries, other.entries) where entry != theirs {
            return "\(theirs.name) of \(theirs.rows) x \(theirs.columns) where there is "
                + "\(entry.name) of \(entry.rows) x \(entry.columns)"
        }
        return "\(other.entries.count) matrices and vectors where there are \(entries.count)"
    }

    /// A scan's biases and vectors in a flat array [1, count].
    func vectors<S: Scalar>(ofScan index: Int, in values: MatrixView<S>) -> LayerVectors<S> {
        let entries = scans[index]
        return LayerVectors(
            bias: entries.bias.map { values.parameter($0) },
            recurrentBias: entries.recurrentBias.map { values.parameter($0) },
            own: values.columns(entries.vectors))
    }

    /// A scan's weights in a flat array [1, count] of gradients.
    func weightGradient<S: Scalar>(ofScan index: Int, in values: MatrixView<S>) -> LayerGradient<S> {
        let entries = scans[index]
        return LayerGradient(
            input: values.parameter(entries.input), recurrent: values.parameter(entries.recurrent),
            projection: entries.projection.map { values.parameter($0) })
    }
}

extension Configuration {
    /// The weights of all layers in all directions, each of which a pass multiplies once a row; the head's are not counted.
    package var weightCount: Int { ParameterLayout(self).scans.reduce(0) { $0 + $1.weightCount } }

    /// Those of them that the network's inputs are multiplied by.
    package var inputWeightCount: Int { direction.count * cell.gateCount * hiddenSize * inputSize }
}
