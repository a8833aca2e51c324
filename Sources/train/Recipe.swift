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

    /// The shares that are left out, by name.
    private var rates: [(name: String, rate: Double)] {
        [
            ("input dropout", regularization.inputDropout), ("recurrent dropout", regularization.recurrentDropout),
            ("zoneout", regularization.zoneout),
        ]
    }
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
        for (name, rate) in rates where !(rate >= 0 && rate < 1) {
            let option = name.split(separator: " ").joined(separator: "-")
            throw .usage("--\(option) must be at least 0 and less than 1, not \(rate)")
        }
        if let patience { try Settings.check("--patience", patience, 1...10_000_000) }
    }
}

// MARK: Text

extension Recipe {
    /// What differs from the plain run: its name and value for programs, and in words.
    private var changes: [(name: String, value: JSON, words: String)] {
        var changes: [(String, JSON, String)] = []
        if rule != .adam { changes.append(("optimizer", .string(rule.rawValue), rule.rawValue)) }
        if course != .constant {
            changes.append(("schedule", .string(course.rawValue), "\(course.rawValue) schedule"))
        }
        if warmUp > 0 { changes.append(("warm_up", .integer(warmUp), "warm-up over \(counted(warmUp, "update"))")) }
        if let clipNorm { changes.append(("clip_norm", .number(clipNorm), "norm clipped to \(clipNorm)")) }
        for (name, rate) in rates where rate > 0 {
            let key = name.split(separator: " ").joined(separator: "_")
            changes.append((key, .number(rate), "\(name) \(rate)"))
        }
        if isFresh { changes.append(("fresh", .boolean(true), "new examples in every epoch")) }
        if let patience {
            let words = "stops after \(counted(patience, "epoch")) without a lower test loss"
            changes.append(("patience", .integer(patience), words))
        }
        return changes
    }

    /// In words; empty if nothing differs.
    var differences: [String] { changes.map(\.words) }

    /// For programs, the same.
    var fields: [(String, JSON)] { changes.map { ($0.name, $0.value) } }
}
