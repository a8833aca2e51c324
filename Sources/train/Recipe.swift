import Sluice

/// How the network learns, beyond the plain run's Adam at one rate on one set of examples.
struct Recipe: Hashable, Sendable {
    /// The optimisers by name, each with its own defaults.
    enum Rule: String, CaseIterable, Sendable { case adam, adamW, sgd, rmsProp }

    /// How the learning rate changes over the run.
    enum Course: String, CaseIterable, Sendable { case constant, cosine, oneCycle }

    var rule = Rule.adam
    var course = Course.constant
    /// The updates over which the rate rises from a third of itself.
    var warmUp = 0
    /// What the gradient's norm is clipped to.
    var clipNorm: Double?
    /// What training leaves out at random.
    var regularization = Regularization.none
    /// The epochs without a lower test loss after which the run ends, with the network of the lowest.
    var patience: Int?
    /// Whether every epoch has new examples.
    var isFresh = false

    /// The plain run's.
    static let plain = Recipe()

    func optimizer(learningRate: Double) -> Optimizer {
        switch rule {
        case .adam: .adam(learningRate: learningRate)
        case .adamW: .adamW(learningRate: learningRate)
        case .sgd: .sgd(learningRate: learningRate, momentum: 0.9)
        case .rmsProp: .rmsProp(learningRate: learningRate)
        }
    }

    /// - Parameter updates: those of the whole run.
    func schedule(updates: Int) -> Schedule {
        let schedule: Schedule =
            switch course {
            case .constant: .constant
            case .cosine: .cosine(updates: updates - warmUp)
            case .oneCycle: .oneCycle(updates: updates)
            }
        return warmUp == 0 ? schedule : .warmUp(updates: warmUp, then: schedule)
    }

    var clipping: Clipping? { clipNorm.map(Clipping.norm) }
}

// MARK: Checks

extension Recipe {
    /// Finds the first value that cannot be.
    ///
    /// - Parameter updates: those of the whole run.
    func check(updates: Int) throws(Failure) {
        guard (0..<updates).contains(warmUp) else {
            throw .usage("--warm-up must be from 0 to \(updates - 1), less than the updates of the run, not \(warmUp)")
        }
        if warmUp > 0 && course == .oneCycle { throw .usage("--warm-up and --schedule oneCycle exclude each other") }
        if course == .oneCycle && updates < 4 {
            throw .usage("--schedule oneCycle needs a run of at least 4 updates, not \(updates)")
        }
        if let clipNorm, !(clipNorm > 0 && clipNorm.isFinite) {
            throw .usage("--clip-norm must be a positive number, not \(clipNorm)")
        }
        for (option, rate) in [
            ("--input-dropout", regularization.inputDropout), ("--recurrent-dropout", regularization.recurrentDropout),
            ("--zoneout", regularization.zoneout),
        ] where !(rate >= 0 && rate < 1) {
            throw .usage("\(option) must be at least 0 and less than 1, not \(rate)")
        }
        if let patience { try Settings.check("--patience", patience, 1...10_000_000) }
    }
}

// MARK: Text

extension Recipe {
    /// In words, what differs from the plain run; empty if nothing does.
    var differences: [String] {
        var parts: [String] = []
        if rule != .adam { parts.append(rule.rawValue) }
        if course != .constant { parts.append("\(course.rawValue) schedule") }
        if warmUp > 0 { parts.append("warm-up over \(counted(warmUp, "update"))") }
        if let clipNorm { parts.append("norm clipped to \(clipNorm)") }
        if regularization.inputDropout > 0 { parts.append("input dropout \(regularization.inputDropout)") }
        if regularization.recurrentDropout > 0 {
            parts.append("recurrent dropout \(regularization.recurrentDropout)")
        }
        if regularization.zoneout > 0 { parts.append("zoneout \(regularization.zoneout)") }
        if isFresh { parts.append("new examples in every epoch") }
        if let patience { parts.append("stops after \(counted(patience, "epoch")) without a lower test loss") }
        return parts
    }

    /// For programs, the same.
    var fields: [(String, JSON)] {
        var fields: [(String, JSON)] = []
        if rule != .adam { fields.append(("optimizer", .string(rule.rawValue))) }
        if course != .constant { fields.append(("schedule", .string(course.rawValue))) }
        if warmUp > 0 { fields.append(("warm_up", .integer(warmUp))) }
        if let clipNorm { fields.append(("clip_norm", .number(clipNorm))) }
        for (name, rate) in [
            ("input_dropout", regularization.inputDropout), ("recurrent_dropout", regularization.recurrentDropout),
            ("zoneout", regularization.zoneout),
        ] where rate > 0 { fields.append((name, .number(rate))) }
        if isFresh { fields.append(("fresh", .boolean(true))) }
        if let patience { fields.append(("patience", .integer(patience))) }
        return fields
    }
}
