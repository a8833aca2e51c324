/// The facts of a network: what is computed, and every size. Sizes come from here, never from a tensor.
public struct Configuration: Codable, Hashable, Sendable {
    /// The recurrent cell of every layer.
    public var cell: Cell
    /// I, the numbers given at each step.
    public var inputSize: Int
    /// H, the hidden units of each layer.
    public var hiddenSize: Int
    /// The layers, each reading the states of the one below.
    public var layers: Int
    /// The dense layer on the last layer's states; nil: the network's outputs are those states.
    public var head: Head?

    public init(cell: Cell, inputSize: Int, hiddenSize: Int, layers: Int = 1, head: Head? = nil) {
        precondition(
            inputSize >= 1 && hiddenSize >= 1 && layers >= 1,
            "a network with \(inputSize) inputs, \(hiddenSize) hidden units and \(layers) layers")
        self.cell = cell
        self.inputSize = inputSize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.head = head
    }

    /// The numbers that the network puts out: the head's, or one for each hidden unit.
    public var outputSize: Int { head?.outputSize ?? hiddenSize }

    /// The rows of the network's output for a batch: one a step, or one a sequence if the head reads the last step only.
    public func outputRowCount(_ packing: Packing) -> Int {
        head?.steps == .last ? packing.sequenceCount : packing.rowCount
    }

    /// The inputs of one layer.
    func inputSize(ofLayer layer: Int) -> Int { layer == 0 ? inputSize : hiddenSize }
}

/// A dense layer on the states: o = h V + c, without a function after it.
public struct Head: Codable, Hashable, Sendable {
    /// Which steps a head reads.
    public enum Steps: String, Codable, CaseIterable, Sendable {
        /// Every step: one output row for each row of the packing.
        case all
        /// Each sequence's own last step: one output row a sequence, in the caller's order.
        case last
    }

    /// O, the numbers put out.
    public var outputSize: Int
    public var steps: Steps

    public init(outputSize: Int, steps: Steps = .all) {
        precondition(outputSize >= 1, "a head with \(outputSize) outputs")
        self.outputSize = outputSize
        self.steps = steps
    }
}
