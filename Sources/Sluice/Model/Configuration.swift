/// The facts of a network: what is computed, and every size. Sizes come from here, never from a tensor.
///
/// Its fields may be changed to what no network has. ``problem`` says whether they are, and so does whatever takes a
/// configuration, which then stops the program; ``validate()`` throws instead.
public struct Configuration: Codable, Hashable, Sendable {
    /// The recurrent cell of every layer.
    public var cell: Cell
    /// I, the numbers given at each step.
    public var inputSize: Int
    /// H, the hidden units of each layer.
    public var hiddenSize: Int
    /// The layers, each reading the outputs of the one below.
    public var layers: Int
    /// Which way every layer runs through time.
    public var direction: Direction
    /// P, the width of an LSTM's state after its projection (PyTorch's `proj_size`); nil: none, and P = H.
    public var projectionSize: Int?
    /// Which biases a layer has; nil: those that are standard for its cell.
    public var biases: Biases?
    /// The dense layer on the last layer's outputs; nil: the network's outputs are those.
    public var head: Head?

    /// - Precondition: there is such a network: see ``problem``. For sizes from outside the program: decode them, which
    ///   throws, or set them one by one and ask ``validate()``.
    public init(
        cell: Cell, inputSize: Int, hiddenSize: Int, layers: Int = 1, direction: Direction = .forward,
        projectionSize: Int? = nil, biases: Biases? = nil, head: Head? = nil
    ) {
        self.cell = cell
        self.inputSize = inputSize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.direction = direction
        self.projectionSize = projectionSize
        self.biases = biases
        self.head = head
        require(noProblem: problem)
    }

    /// P, the numbers of a state h: the projection's, or one for each hidden unit.
    public var stateSize: Int { projectionSize ?? hiddenSize }

    /// The scans: one for each layer and direction. States and gradients of states are listed in PyTorch's order: layer
    /// by layer, forward before backward.
    public var scanCount: Int { layers &* direction.count }

    /// The numbers that each layer puts out at a step: P, or 2P where two directions stand side by side.
    public var layerOutputSize: Int { direction == .bidirectional ? 2 &* stateSize : stateSize }

    /// The numbers that the network puts out: the head's, or those of the last layer.
    public var outputSize: Int { head?.outputSize ?? layerOutputSize }

    /// The rows of the network's output for a batch: one a step, or one a sequence if the head sums a sequence up.
    public func outputRowCount(_ packing: Packing) -> Int {
        isSummedUp ? packing.sequenceCount : packing.rowCount
    }

    /// Whether the network puts out one row a sequence instead of one a step.
    public var isSummedUp: Bool { head.map { $0.steps != .all } ?? false }

    /// The inputs of one layer.
    package func inputSize(ofLayer layer: Int) -> Int { layer == 0 ? inputSize : layerOutputSize }

    /// How a scan's cell lays its numbers out.
    var cellShape: CellShape { cell.shape(hidden: hiddenSize, projection: projectionSize) }

    /// Whether the cell has a state c beside h.
    public var hasCellState: Bool { cell.hasCellState }

    /// The biases that the layers have.
    var layerBiases: Biases { biases ?? cell.standardBiases }
}

/// Which way a layer runs through a sequence.
public enum Direction: String, Codable, CaseIterable, Sendable {
    /// From the first step to the last.
    case forward
    /// From each sequence's own last step to the first; outputs stand at the steps that they belong to.
    case backward
    /// Both, their outputs side by side (PyTorch's `bidirectional`, Keras's `merge_mode="concat"`).
    case bidirectional
    /// Both, their outputs added (Keras's `merge_mode="sum"`).
    case bidirectionalSum

    /// D, the number of directions.
    public var count: Int { self == .forward || self == .backward ? 1 : 2 }

    /// Whether the scan of that number within a layer runs back through time.
    func isReversed(_ scan: Int) -> Bool { self == .backward || scan == 1 }
}

/// Which biases a layer has.
public enum Biases: String, Codable, CaseIterable, Sendable {
    /// None (PyTorch's `bias=False`, Keras's `use_bias=False`).
    case none
    /// One, beside the input product (Keras's form).
    case input
    /// One beside each product, as in PyTorch, cuDNN, ONNX, and Keras's `reset_after`. Their sum is what counts, except in a
    /// GRU with the reset gate after the product and where products are normalised.
    case both
}

/// A dense layer on the last layer's outputs: o = h V + c, without a function after it.
public struct Head: Codable, Hashable, Sendable {
    /// Which steps a head reads.
    public enum Steps: String, Codable, CaseIterable, Sendable {
        /// Every step: one output row for each row of the packing.
        case all
        /// The step that each direction comes to last: its final state. One output row a sequence, in the caller's order, as
        /// for those below. Running forward that is each sequence's own last step, running backward its first.
        case last
        /// The step that each direction begins with.
        case first
        /// The mean over each sequence's own steps.
        case mean
        /// The largest value of each column over each sequence's own steps.
        case max
    }

    /// O, the numbers put out.
    public var outputSize: Int
    /// Which steps it reads.
    public var steps: Steps

    /// - Precondition: 1 to 16,777,216 outputs.
    public init(outputSize: Int, steps: Steps = .all) {
        require(noProblem: Self.problem(outputSize: outputSize))
        self.outputSize = outputSize
        self.steps = steps
    }
}

// MARK: Codable

/// Fields that are not there have their defaults, so that files of earlier versions stay readable.
extension Configuration {
    /// A configuration that was written down.
    ///
    /// - Throws: a `DecodingError` that names the field; its underlying error is an ``InvalidValue`` where the fields can be read
    ///   but there is no such network.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        cell = try fields.decode(Cell.self, forKey: .cell)
        inputSize = try fields.decode(Int.self, forKey: .inputSize)
        hiddenSize = try fields.decode(Int.self, forKey: .hiddenSize)
        layers = try fields.decode(Int.self, forKey: .layers)
        direction = try fields.decodeIfPresent(Direction.self, forKey: .direction) ?? .forward
        projectionSize = try fields.decodeIfPresent(Int.self, forKey: .projectionSize)
        biases = try fields.decodeIfPresent(Biases.self, forKey: .biases)
        head = try fields.decodeIfPresent(Head.self, forKey: .head)
        do throws(InvalidValue) {
            try validate()
        } catch {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: error.description, underlyingError: error))
        }
    }
}
