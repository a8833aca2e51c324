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
struct Update<S: Scalar> {
    /// [1, count]
    let parameters: MatrixView<S>
    /// [1, count]
    let gradient: MatrixView<S>
    let decayRuns: [DecayRun]
    let learningRate: Double
    var clip = GradientConstants<S>()
    let engine: Engine<S>
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
    mutating func update(_ optimizer: Optimizer, _ update: Update<S>) {
        makeRoom(optimizer)
        updates += 1
        let rate = S(update.learningRate)
        switch optimizer {
        case .sgd(_, let momentum, let nesterov, let decay):
            let velocity = momentum == 0 ? nil : velocity?.mutableView()
            update.forEachRun(decay) { run, parameters, gradient, constants in
                update.engine.sgd(
                    parameters, gradient: gradient, velocity: velocity?.columns(run), nesterov: nesterov,
                    SGDConstants(gradient: constants, rate: rate, momentum: S(momentum)))
            }
        case .rmsProp(_, let smoothing, let epsilon, let momentum, let form, let decay):
            let square = square!.mutableView(), velocity = momentum == 0 ? nil : velocity?.mutableView()
            let isInner = form == .tensorFlow
            update.forEachRun(decay) { run, parameters, gradient, constants in
                update.engine.rmsProp(
                    parameters, gradient: gradient, square: square.columns(run), velocity: velocity?.columns(run),
                    RMSPropConstants(
                        gradient: constants, rate: isInner ? 1 : rate, gain: isInner ? rate : 1,
                        smoothing: S(smoothing), innerEpsilon: isInner ? S(epsilon) : 0,
                        outerEpsilon: isInner ? 0 : S(epsilon), momentum: S(momentum)))
            }
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
        let mean = mean!.mutableView(), square = square!.mutableView(), peak = amsGrad ? peak?.mutableView() : nil
        let rate = update.learningRate
        let meanCorrection = 1 - power(beta1, updates), squareCorrection = 1 - power(beta2, updates)
        let corrected =
            form == .tensorFlow
            ? (rate: rate * squareCorrection.squareRoot() / meanCorrection, root: 1)
            : (rate: rate / meanCorrection, root: 1 / squareCorrection.squareRoot())
        update.forEachRun(decay) { run, parameters, gradient, constants in
            var constants = AdamConstants(
                gradient: constants, rate: S(corrected.rate), beta1: S(beta1), beta2: S(beta2),
                root: S(corrected.root), epsilon: S(epsilon))
            if isDecoupled {
                constants.keep = 1 - S(rate) * constants.gradient.decay
                constants.gradient.decay = 0
            }
            update.engine.adam(
                parameters, gradient: gradient, mean: mean.columns(run), square: square.columns(run),
                peak: peak?.columns(run), constants)
        }
    }
}

extension Update {
    /// Calls `body` with each run of parameters that decay alike, all at once if they all do.
    @inline(__always)
    fileprivate func forEachRun(
        _ decay: WeightDecay,
        _ body: (_ run: Range<Int>, _ parameters: MatrixView<S>, _ gradient: MatrixView<S>, GradientConstants<S>) ->
            Void
    ) {
        func perform(_ run: Range<Int>, isVector: Bool) {
            var constants = clip
            constants.decay = S(decay.rate(isVector: isVector))
            body(run, parameters.columns(run), gradient.columns(run), constants)
        }
        guard case .matrices = decay else { return perform(0..<parameters.columns, isVector: false) }
        for run in decayRuns { perform(run.range, isVector: run.isVector) }
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
