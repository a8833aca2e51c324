/// What is left out at random in training, so that a network does not learn its examples by heart. Inference, evaluation
/// and streams leave nothing out.
///
///     let trainer = Trainer(
///         network, loss: .crossEntropy(), optimizer: .adam(),
///         regularization: Regularization(dropout: 0.3, recurrentDropout: 0.2), random: Random(seed: 1))
///
/// With m a random mask whose elements are 1 with a probability p, the rate, and d = (1-m)/(1-p), the scaled one that
/// drops:
///
///     dropout             x_t of every layer but the first becomes d_t * x_t
///     inputDropout        x_t of every layer becomes d * x_t
///     recurrentDropout    the products with U read d * h_(t-1); the GRU's leak z*h does not
///     zoneout             h_t = m_t * h_(t-1) + (1-m_t) * h'_t
///     cellZoneout         c_t = m_t * c_(t-1) + (1-m_t) * c'_t
///
/// h' and c' are what the cell computes; the LSTM's h' = o*tanh(c') sees c' before its zoneout. A mask with a t is drawn
/// afresh at every step, one without it once a sequence. Every number of every sequence has its own. Both directions of a
/// layer read the same masked inputs; their states have masks of their own. Zoneout in inference is off, where Krueger et
/// al. use the mean p * h_(t-1) + (1-p) * h'_t.
public struct Regularization: Codable, Hashable, Sendable {
    /// Of the outputs of every layer but the last, at every step afresh, in [0, 1): PyTorch's `dropout`. Nothing where
    /// there is one layer.
    public var dropout: Double
    /// Of the inputs of every layer, the same at all steps, in [0, 1) (Gal and Ghahramani 2016, arXiv 1512.05287, with one
    /// mask for all gates): Keras's `dropout`.
    public var inputDropout: Double
    /// Of the states that the products with U read, the same at all steps, in [0, 1) (the same paper): Keras's
    /// `recurrent_dropout`.
    public var recurrentDropout: Double
    /// Of the hidden states, how many keep their value of the step before, in [0, 1] (Krueger et al. 2016,
    /// arXiv 1606.01305).
    public var zoneout: Double
    /// The same of the cell states, in cells that have them.
    public var cellZoneout: Double

    /// The rates: those of dropout from 0 up to below 1, those of zoneout from 0 to 1.
    public init(
        dropout: Double = 0, inputDropout: Double = 0, recurrentDropout: Double = 0, zoneout: Double = 0,
        cellZoneout: Double = 0
    ) {
        self.dropout = dropout
        self.inputDropout = inputDropout
        self.recurrentDropout = recurrentDropout
        self.zoneout = zoneout
        self.cellZoneout = cellZoneout
    }

    /// Nothing is left out.
    public static let none = Regularization()
}

// MARK: What the layers of the engine ask

extension Regularization {
    /// Whether the inputs of some layer are masked.
    var masksInputs: Bool { dropout > 0 || inputDropout > 0 }

    /// Whether a step's states are mixed with those before.
    var zonesOut: Bool { zoneout > 0 || cellZoneout > 0 }

    /// Stops the program where a rate is out of its range, or asks for what the network has not got.
    func check(_ configuration: Configuration) { require(noProblem: problem(configuration)) }

    func problem(_ configuration: Configuration) -> String? {
        for (name, rate) in [
            ("dropout", dropout), ("inputDropout", inputDropout), ("recurrentDropout", recurrentDropout),
        ] where !(rate >= 0 && rate < 1) {
            return "a \(name) of \(rate): at least 0 and less than 1 is needed"
        }
        for (name, rate) in [("zoneout", zoneout), ("cellZoneout", cellZoneout)] where !(rate >= 0 && rate <= 1) {
            return "a \(name) of \(rate): 0 to 1 is needed"
        }
        return cellZoneout == 0 || configuration.hasCellState
            ? nil : "a cellZoneout of \(cellZoneout) for \(configuration.cell), which has no cell state"
    }
}

extension Regularization {
    /// Checks rates that come from outside the program; whatever takes rates stops it with the same words.
    ///
    /// - Throws: where a rate is out of its range, or asks for what a network of the configuration has not got.
    public func validate(for configuration: Configuration) throws(InvalidValue) {
        try InvalidValue.throwing(problem(configuration))
    }
}
