/// What an optimiser remembers from update to update. With the parameters it is all that a run's future depends on, so
/// a run can be written down and resumed.
///
/// Arrays are `[1, count]` in the parameters' layout, there as far as the optimiser needs them, and begin as zeros.
public struct OptimizerState<S: Scalar>: Codable, Sendable {
    /// The running mean m of the gradients: Adam's.
    public private(set) var mean: Matrix<S>?
    /// The running mean v of their squares: Adam's and RMSProp's.
    public private(set) var square: Matrix<S>?
    /// The largest v so far: AMSGrad's.
    public private(set) var peak: Matrix<S>?
    /// The velocity u: of gradient descent and RMSProp with momentum.
    public private(set) var velocity: Matrix<S>?
    /// t, the updates done.
    public private(set) var updates = 0
    /// What a schedule that watches a loss has seen.
    public internal(set) var plateau = Plateau()
    /// The number of parameters.
    public let count: Int

    /// Before the first update of `count` parameters.
    public init(_ optimizer: Optimizer, count: Int) {
        self.count = count
        makeRoom(optimizer)
    }

    /// Makes the arrays that an optimiser needs and that are not there yet.
    private mutating func makeRoom(_ optimizer: Optimizer) {
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

// MARK: Update

/// One update's task: where, from what, and how.
struct Update<S: Scalar>: Sendable {
    /// [1, count]
    let parameters: MatrixView<S>
    /// [1, count]
    let gradient: MatrixView<S>
    let decayRuns: [DecayRun]
    let learningRate: Double
    var clip = GradientConstants<S>()
    let engine: Engine<S>
    /// The threads, for arrays of many numbers.
    var workers = Workers.single
}

/// Parameters that lie side by side and decay alike.
struct DecayRun: Sendable {
    var range: Range<Int>
    let isVector: Bool

    /// All of a layout's.
    static func all(_ layout: ParameterLayout) -> [DecayRun] {
        var runs: [DecayRun] = []
        for entry in layout.entries {
            if let last = runs.last, last.isVector == entry.isVector {
                runs[runs.count - 1].range = last.range.lowerBound..<entry.range.upperBound
            } else {
                runs.append(DecayRun(range: entry.range, isVector: entry.isVector))
            }
        }
        return runs
    }
}

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
        let meanCorrection = 1 - power(beta1, updates), squareCorrection = 1 - power(beta2, updates)
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

/// An optimiser's arithmetic, decided but for which parameters it is done to and how these decay.
enum UpdateRule<S: Scalar>: Sendable {
    case sgd(SGDConstants<S>, velocity: MatrixView<S>?, nesterov: Bool)
    case rmsProp(RMSPropConstants<S>, square: MatrixView<S>, velocity: MatrixView<S>?)
    /// - Parameter decoupledRate: what a decay is multiplied by that does not pass through the moments; nil: it does.
    case adam(
        AdamConstants<S>, mean: MatrixView<S>, square: MatrixView<S>, peak: MatrixView<S>?, decoupledRate: S?)

    /// Moves the parameters of a range.
    func move(_ range: Range<Int>, decay: S, _ update: Update<S>) {
        let parameters = update.parameters.columns(range), gradient = update.gradient.columns(range)
        switch self {
        case .sgd(var constants, let velocity, let nesterov):
            constants.gradient.decay = decay
            update.engine.sgd(
                parameters, gradient: gradient, velocity: velocity?.columns(range), nesterov: nesterov, constants)
        case .rmsProp(var constants, let square, let velocity):
            constants.gradient.decay = decay
            update.engine.rmsProp(
                parameters, gradient: gradient, square: square.columns(range), velocity: velocity?.columns(range),
                constants)
        case .adam(var constants, let mean, let square, let peak, let decoupledRate):
            if let decoupledRate {
                constants.keep = 1 - decoupledRate * decay
            } else {
                constants.gradient.decay = decay
            }
            update.engine.adam(
                parameters, gradient: gradient, mean: mean.columns(range), square: square.columns(range),
                peak: peak?.columns(range), constants)
        }
    }
}

extension Update {
    /// Moves all parameters, in blocks over the threads.
    fileprivate func perform(_ rule: UpdateRule<S>, _ decay: WeightDecay) {
        workers.run(
            FlatBlocks.indices(parameters.columns).count, UpdateWork(update: self, rule: rule, decay: decay))
    }
}

/// The update of a block: at once, if all of it decays alike.
private struct UpdateWork<S: Scalar>: SharedWork {
    let update: Update<S>
    let rule: UpdateRule<S>
    let decay: WeightDecay

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) {
        let block = FlatBlocks.range(index, of: update.parameters.columns)
        guard case .matrices = decay else { return rule.move(block, decay: S(decay.rate(isVector: false)), update) }
        for run in update.decayRuns where run.range.overlaps(block) {
            rule.move(run.range.clamped(to: block), decay: S(decay.rate(isVector: run.isVector)), update)
        }
    }
}

/// base^exponent, exponent >= 0, by squaring.
func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0, factor = base, rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
