/// What an optimiser remembers from update to update. With the parameters it is all that a run's future depends on, so
/// a run can be written down and resumed.
///
/// Arrays are `[1, count]` in the parameters' layout, there as far as the optimiser needs them, and begin as zeros: at the first
/// update, and again where an optimiser of another kind goes on. Gradient descent, RMSProp, and Adam and AdamW together are the kinds.
public struct OptimizerState<S: Scalar>: Codable, Sendable {
    /// The running mean m of the gradients: Adam's.
    public private(set) var mean: Matrix<S>?
    /// The running mean v of their squares: Adam's and RMSProp's.
    public private(set) var square: Matrix<S>?
    /// The largest v so far: AMSGrad's.
    public private(set) var peak: Matrix<S>?
    /// The velocity u: of gradient descent and RMSProp with momentum.
    public private(set) var velocity: Matrix<S>?
    /// The updates done: what a schedule counts.
    public private(set) var updates = 0
    /// The updates before the first of the present kind of optimiser: t of its formulas is ``updates`` without these.
    public private(set) var updatesBefore = 0
    /// The kind whose arrays these are; nil: that of the next update.
    private var kind: OptimizerKind?
    /// What a schedule that watches a loss has seen.
    public internal(set) var plateau = Plateau()
    /// The number of parameters.
    public let count: Int

    /// Before the first update of `count` parameters.
    public init(_ optimizer: Optimizer, count: Int) {
        self.count = count
        makeRoom(optimizer)
    }

    /// Makes the arrays that an optimiser needs and that are not there yet; those of another kind are given up.
    private mutating func makeRoom(_ optimizer: Optimizer) {
        if let kind, kind != optimizer.kind {
            (mean, square, peak, velocity) = (nil, nil, nil, nil)
            updatesBefore = updates
        }
        kind = optimizer.kind
        func make(_ array: inout Matrix<S>?) { if array == nil { array = Matrix(rows: 1, columns: count) } }
        switch optimizer {
        case .sgd(_, let momentum, _, _):
            if momentum != 0 { make(&velocity) }
        case .rmsProp(_, _, _, let momentum, _, _):
            make(&square)
            if momentum != 0 { make(&velocity) }
        case .adam(_, _, _, _, _, let amsGrad, _), .adamW(_, _, _, _, _, let amsGrad, _):
            make(&mean)
            make(&square)
            if amsGrad { make(&peak) }
        }
    }
}

/// Optimisers that remember the same.
private enum OptimizerKind: String, Codable, Sendable { case sgd, rmsProp, adam }

extension Optimizer {
    /// Whether it can follow a gradient whose numbers are not beyond a bound. A square that overflowed in a scalar would stay
    /// infinite, and hold its parameter still for ever.
    func canFollow<S: Scalar>(_ bound: Double, _: S.Type) -> Bool {
        switch self {
        case .sgd: bound.isFinite
        case .rmsProp, .adam, .adamW: S(bound * bound).isFinite
        }
    }

    fileprivate var kind: OptimizerKind {
        switch self {
        case .sgd: .sgd
        case .rmsProp: .rmsProp
        case .adam, .adamW: .adam
        }
    }
}

// MARK: Files

extension OptimizerState {
    private enum CodingKeys: CodingKey {
        case mean, square, peak, velocity, updates, updatesBefore, kind, plateau, count
    }

    /// Files of versions that knew of one kind in a run are of that kind from the first update on.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func array(_ key: CodingKeys) throws -> Matrix<S>? { try fields.decodeIfPresent(Matrix<S>.self, forKey: key) }
        mean = try array(.mean)
        square = try array(.square)
        peak = try array(.peak)
        velocity = try array(.velocity)
        updates = try fields.decode(Int.self, forKey: .updates)
        updatesBefore = try fields.decodeIfPresent(Int.self, forKey: .updatesBefore) ?? 0
        kind = try fields.decodeIfPresent(OptimizerKind.self, forKey: .kind)
        plateau = try fields.decode(Plateau.self, forKey: .plateau)
        count = try fields.decode(Int.self, forKey: .count)
    }

    /// What makes it none of a network of so many parameters, in words that name the field.
    func problem(parameters: Int) -> String? {
        if count != parameters { return "count is \(count), for \(parameters) parameters" }
        if let problem = countProblem("updates", updates) ?? countProblem("updatesBefore", updatesBefore) {
            return problem
        }
        if updatesBefore > updates { return "updatesBefore is \(updatesBefore), of \(updates) updates" }
        for (name, array, isSquare) in [
            ("mean", mean, false), ("square", square, true), ("peak", peak, true), ("velocity", velocity, false),
        ] {
            guard let array else { continue }
            if array.rows != 1 || array.columns != parameters {
                return "\(name) has \(array.rows) x \(array.columns) numbers, for 1 x \(parameters) parameters"
            }
            if let column = array.firstColumn(where: { $0.isNaN || (isSquare && $0 < 0) }) {
                return "\(name) is \(array[0, column]) at parameter \(column): "
                    + (isSquare ? "at least 0 is needed" : "a number is needed")
            }
        }
        return plateau.problem.map { "plateau.\($0)" }
    }

    /// What an optimiser that goes on from its own updates must find and does not, in words that name the field.
    func problem(goingOnWith optimizer: Optimizer) -> String? {
        guard kind == optimizer.kind, updates > updatesBefore else { return nil }
        return missingArray(optimizer).map {
            "\($0) is missing after \(updates - updatesBefore) updates of this kind of optimizer"
        }
    }

    /// The name of an array that every update of an optimiser leaves, and that is not there.
    private func missingArray(_ optimizer: Optimizer) -> String? {
        switch optimizer.kind {
        case .sgd: nil
        case .rmsProp: square == nil ? "square" : nil
        case .adam: mean == nil ? "mean" : square == nil ? "square" : nil
        }
    }

    /// Takes arrays of a file that does not say whose they are for an optimiser's; where one is missing, they are another's.
    mutating func takeUp(_ optimizer: Optimizer) {
        guard kind == nil else { return }
        if missingArray(optimizer) != nil {
            (mean, square, peak, velocity) = (nil, nil, nil, nil)
            updatesBefore = updates
        }
        kind = optimizer.kind
    }
}

extension Matrix {
    /// The first column of `[1, count]` with such a number.
    fileprivate func firstColumn(where isSo: (S) -> Bool) -> Int? { (0..<columns).first { isSo(view[0, $0]) } }
}

// MARK: Update

extension OptimizerState {
    /// Moves the parameters by one update.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func update(_ optimizer: Optimizer, _ update: Update<S>) {
        makeRoom(optimizer)
        updates += 1
        let clip = update.clip, rate = S(update.learningRate)
        switch optimizer {
        case .sgd(_, let momentum, let nesterov, let decay):
            let constants = SGDConstants(gradient: clip, rate: rate, momentum: S(momentum))
            let velocity = momentum == 0 ? nil : velocity?.mutableView()
            update.perform(.sgd(constants, velocity: velocity, nesterov: nesterov), decay)
        case .rmsProp(_, let smoothing, let epsilon, let momentum, let form, let decay):
            let isInner = form == .tensorFlow
            let constants = RMSPropConstants(
                gradient: clip, rate: isInner ? 1 : rate, gain: isInner ? rate : 1, smoothing: S(smoothing),
                innerEpsilon: isInner ? S(epsilon) : 0, outerEpsilon: isInner ? 0 : S(epsilon), momentum: S(momentum))
            let velocity = momentum == 0 ? nil : velocity?.mutableView()
            update.perform(.rmsProp(constants, square: square!.mutableView(), velocity: velocity), decay)
        case .adam(_, let beta1, let beta2, let epsilon, let form, let amsGrad, let decay):
            adam(update, beta1, beta2, epsilon, form, amsGrad, decay, isDecoupled: false)
        case .adamW(_, let beta1, let beta2, let epsilon, let form, let amsGrad, let decay):
            adam(update, beta1, beta2, epsilon, form, amsGrad, decay, isDecoupled: true)
        }
    }

    private mutating func adam(
        _ update: Update<S>, _ beta1: Double, _ beta2: Double, _ epsilon: Double, _ form: EpsilonForm, _ amsGrad: Bool,
        _ decay: WeightDecay, isDecoupled: Bool
    ) {
        let rate = update.learningRate
        let t = updates - updatesBefore
        let meanCorrection = 1 - power(beta1, t), squareCorrection = 1 - power(beta2, t)
        let corrected =
            form == .tensorFlow
            ? (rate: rate * squareCorrection.squareRoot() / meanCorrection, root: 1)
            : (rate: rate / meanCorrection, root: 1 / squareCorrection.squareRoot())
        let constants = AdamConstants(
            gradient: update.clip, rate: S(corrected.rate), beta1: S(beta1), beta2: S(beta2),
            root: S(corrected.root), epsilon: S(epsilon))
        update.perform(
            .adam(
                constants, mean: mean!.mutableView(), square: square!.mutableView(),
                peak: amsGrad ? peak?.mutableView() : nil, decoupledRate: isDecoupled ? S(rate) : nil),
            decay)
    }
}
