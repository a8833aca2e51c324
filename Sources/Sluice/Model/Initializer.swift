/// How the first values of a parameter are drawn.
public enum Initializer: Codable, Hashable, Sendable {
    case zeros
    /// The gains of layer normalisation, whatever the other parameters are drawn from.
    case ones
    /// Normal with mean 0, redrawn beyond two deviations (TensorFlow's `truncated_normal`).
    case truncatedNormal(standardDeviation: Double)
    /// Uniform within sqrt(6 / (rows + columns)) of zero (Glorot and Bengio 2010).
    case glorotUniform
    /// Orthonormal rows or columns, whichever are fewer: Q of a normal matrix, with the signs of R's diagonal
    /// (Saxe et al. 2013).
    case orthogonal
    /// Uniform within 1 / sqrt(H) of zero (PyTorch's recurrent layers).
    case uniformByHiddenSize
}

/// How the first values of a whole network are drawn.
public struct Initialization: Codable, Hashable, Sendable {
    /// The matrices that the inputs of each layer are multiplied by.
    public var inputWeights: Initializer
    /// The matrices that states are multiplied by.
    public var recurrentWeights: Initializer
    /// The biases of the layers.
    public var biases: Initializer
    /// The matrix of the head.
    public var headWeights: Initializer
    /// The bias of the head.
    public var headBias: Initializer

    /// An initialiser for each kind of parameter.
    public init(
        inputWeights: Initializer, recurrentWeights: Initializer, biases: Initializer, headWeights: Initializer,
        headBias: Initializer
    ) {
        self.inputWeights = inputWeights
        self.recurrentWeights = recurrentWeights
        self.biases = biases
        self.headWeights = headWeights
        self.headBias = headBias
    }

    /// The same for all.
    public init(all initializer: Initializer) {
        self.init(
            inputWeights: initializer, recurrentWeights: initializer, biases: initializer,
            headWeights: initializer, headBias: initializer)
    }

    /// PyTorch's: all uniform within 1 / sqrt(H).
    public static let pyTorch = Initialization(all: .uniformByHiddenSize)

    /// Keras's: Glorot uniform, orthogonal recurrent weights, zero biases.
    public static let keras = Initialization(
        inputWeights: .glorotUniform, recurrentWeights: .orthogonal, biases: .zeros, headWeights: .glorotUniform,
        headBias: .zeros)
}

extension Initialization {
    /// Checks a choice that comes from outside the program; whatever takes one stops it with the same words.
    ///
    /// - Throws: where a standard deviation is NaN, negative or too large for a Float.
    public func validate() throws(InvalidValue) { try InvalidValue.throwing(problem) }

    fileprivate var problem: String? {
        for (name, initializer) in [
            ("inputWeights", inputWeights), ("recurrentWeights", recurrentWeights), ("biases", biases),
            ("headWeights", headWeights), ("headBias", headBias),
        ] {
            // No draw is beyond two deviations.
            if case .truncatedNormal(let deviation) = initializer, !(deviation >= 0 && deviation <= 1e38) {
                return "\(name) with a standard deviation of \(deviation): 0 to 1e+38 is needed"
            }
        }
        return nil
    }
}

extension Parameters {
    /// First values for a network, drawn parameter by parameter in the layout's order.
    ///
    /// Numbers are drawn in Double, so that a seed gives the same network, up to rounding, in Float and Double.
    ///
    /// - Precondition: there is such a network, and standard deviations are finite and not negative:
    ///   ``Configuration/validate()`` and ``Initialization/validate()`` throw where that is not so.
    public init(_ configuration: Configuration, _ initialization: Initialization, using random: inout Random) {
        require(noProblem: initialization.problem)
        self.init(ParameterLayout(configuration))
        for entry in layout.entries {
            let initializer =
                switch entry.role {
                case .inputWeight, .projectionWeight: initialization.inputWeights
                case .recurrentWeight: initialization.recurrentWeights
                case .bias, .peephole: initialization.biases
                case .gain: Initializer.ones
                case .headWeight: initialization.headWeights
                case .headBias: initialization.headBias
                }
            mutableView(entry).initialize(initializer, hiddenSize: configuration.hiddenSize, using: &random)
        }
    }
}

extension MatrixView {
    /// Draws every element.
    fileprivate func initialize(_ initializer: Initializer, hiddenSize: Int, using random: inout Random) {
        func each(_ draw: () -> Double) {
            for row in 0..<rows { for column in 0..<columns { self[row, column] = S(draw()) } }
        }
        switch initializer {
        case .zeros: fill(0)
        case .ones: fill(1)
        case .truncatedNormal(let deviation): each { deviation * random.truncatedNormal() }
        case .glorotUniform:
            let bound = (6 / Double(rows + columns)).squareRoot()
            each { bound * (2 * random.uniform() - 1) }
        case .orthogonal:
            let drawn = Matrix<S>.orthogonal(rows: rows, columns: columns, using: &random)
            withExtendedLifetime(drawn) { copy(drawn.view) }
        case .uniformByHiddenSize:
            let bound = 1 / Double(hiddenSize).squareRoot()
            each { bound * (2 * random.uniform() - 1) }
        }
    }
}
