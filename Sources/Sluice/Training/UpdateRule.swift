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
    func perform(_ rule: UpdateRule<S>, _ decay: WeightDecay) {
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
