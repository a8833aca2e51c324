/// Where each parameter lies in a network's one flat array.
///
/// In memory a weight is laid out for the product x W, `[inputs, outputs]`; in files it has PyTorch's name and its
/// transposed shape. A cell's gates stand side by side in PyTorch's order.
public struct ParameterLayout: Hashable, Sendable {
    /// One parameter: a weight matrix, or a bias as one row.
    public struct Entry: Hashable, Sendable {
        /// The name in files: PyTorch's.
        public let name: String
        public let rows: Int
        public let columns: Int
        /// The first element's place in the flat array.
        public let offset: Int
        /// Whether this is a bias: a vector in files, a row here.
        public let isBias: Bool

        /// The places in the flat array.
        public var range: Range<Int> { offset..<offset + rows * columns }
        /// The shape in files.
        public var fileShape: [Int] { isBias ? [columns] : [columns, rows] }
    }

    /// One layer's parameters.
    struct Layer: Hashable, Sendable {
        let input: Entry
        let recurrent: Entry
        let bias: Entry
        let recurrentBias: Entry?
    }

    /// The head's parameters.
    struct Head: Hashable, Sendable {
        let weight: Entry
        let bias: Entry
    }

    /// Every parameter, in the order of the flat array.
    public private(set) var entries: [Entry] = []
    /// The number of parameters.
    public private(set) var count = 0
    private(set) var layers: [Layer] = []
    private(set) var head: Head?

    /// The parameters of a network: layer by layer `weight_ih_l0 [I, GH]`, `weight_hh_l0 [H, GH]`, `bias_ih_l0 [GH]` and,
    /// where the cell has a recurrent bias, `bias_hh_l0 [GH]`; then `head.weight [H, O]`, `head.bias [O]`.
    public init(_ configuration: Configuration) {
        let hidden = configuration.hiddenSize
        let gates = configuration.cell.gateCount * hidden
        for layer in 0..<configuration.layers {
            layers.append(
                Layer(
                    input: append("weight_ih_l\(layer)", configuration.inputSize(ofLayer: layer), gates),
                    recurrent: append("weight_hh_l\(layer)", hidden, gates),
                    bias: append("bias_ih_l\(layer)", 1, gates, isBias: true),
                    recurrentBias: configuration.cell.hasRecurrentBias
                        ? append("bias_hh_l\(layer)", 1, gates, isBias: true) : nil))
        }
        if let size = configuration.head?.outputSize {
            head = Head(
                weight: append("head.weight", hidden, size), bias: append("head.bias", 1, size, isBias: true))
        }
    }

    private mutating func append(_ name: String, _ rows: Int, _ columns: Int, isBias: Bool = false) -> Entry {
        let entry = Entry(name: name, rows: rows, columns: columns, offset: count, isBias: isBias)
        entries.append(entry)
        count += rows * columns
        return entry
    }

    /// The entry of a name, if the network has one.
    public subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}
