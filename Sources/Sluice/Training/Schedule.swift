#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How the learning rate changes in training, from the optimiser's own rate lr and t, the updates done so far.
///
/// Formulas and defaults are those of `torch.optim.lr_scheduler`, stepped once for each update.
public indirect enum Schedule: Codable, Hashable, Sendable {
    /// lr
    case constant

    /// lr factor^(t / every), the division rounded down (`StepLR`).
    case step(every: Int, factor: Double = 0.1)

    /// lr factor^t (`ExponentialLR`).
    case exponential(factor: Double)

    /// From lr to a minimum along half a cosine in so many updates, and then up and down again
    /// (`CosineAnnealingLR`; Loshchilov and Hutter 2016, arXiv 1608.03983):
    ///
    ///     minimum + (lr - minimum) (1 + cos(pi t / updates)) / 2
    case cosine(updates: Int, minimum: Double = 0)

    /// From a part, start, of the first rate of another schedule, in equal steps over so many updates, to that rate, where
    /// the other begins (`SequentialLR` of `LinearLR` and the other). The first rate is lr, but for a cycle or another warm-up.
    case warmUp(updates: Int, start: Double = 1.0 / 3, then: Schedule = .constant)

    /// Up along half a cosine from lr / divisor to lr in the first part of the updates, then down to
    /// lr / divisor / finalDivisor, where it stays (`OneCycleLR` in two phases, without its change of momentum; lr is
    /// its `max_lr`; Smith and Topin 2017, arXiv 1708.07120).
    case oneCycle(updates: Int, rising: Double = 0.3, divisor: Double = 25, finalDivisor: Double = 1e4)

    /// Times a factor whenever a loss has not fallen below (1 - threshold) of its best for more than `patience` reports
    /// (`ReduceLROnPlateau` in its mode `min`, `rel`): see ``Trainer/report(loss:)``. After that as many reports as
    /// `cooldown` do not count. A rate that would change by no more than 1e-8 is left.
    case reduceOnPlateau(
        factor: Double = 0.1, patience: Int = 10, threshold: Double = 1e-4, cooldown: Int = 0, minimum: Double = 0)
}

extension Schedule {
    /// The learning rate of the update after `updates` others.
    ///
    /// - Parameters:
    ///   - base: lr.
    ///   - updates: t, the updates done so far.
    ///   - plateau: what ``reduceOnPlateau(factor:patience:threshold:cooldown:minimum:)`` has seen.
    public func learningRate(_ base: Double, afterUpdates updates: Int, plateau: Plateau = Plateau()) -> Double {
        switch self {
        case .constant: return base
        case .step(let every, let factor): return base * power(factor, updates / every)
        case .exponential(let factor): return base * power(factor, updates)
        case .cosine(let period, let minimum):
            return Self.between(base, minimum, Double(updates) / Double(period))
        case .warmUp(let length, let start, let next):
            guard updates < length else {
                return next.learningRate(base, afterUpdates: updates - length, plateau: plateau)
            }
            let first = next.learningRate(base, afterUpdates: 0, plateau: plateau)
            return first * (start + (1 - start) * Double(updates) / Double(length))
        case .oneCycle(let count, let rising, let divisor, let finalDivisor):
            let top = rising * Double(count) - 1, end = Double(count - 1), now = Double(min(updates, count - 1))
            let first = base / divisor
            if top > 0 && now <= top { return Self.between(first, base, now / top) }
            return Self.between(base, first / finalDivisor, (now - top) / (end - top))
        case .reduceOnPlateau(let factor, _, _, _, let minimum):
            return plateau.reductions == 0 ? base : max(base * power(factor, plateau.reductions), minimum)
        }
    }

    /// From one rate at 0 to another at 1, along half a cosine.
    private static func between(_ start: Double, _ end: Double, _ place: Double) -> Double {
        end + (start - end) * (1 + cos(.pi * place)) / 2
    }
}

// MARK: Checks

extension Schedule {
    /// Checks its numbers, for those that come from outside: a ``Trainer`` that is given others stops the program with the same words.
    ///
    /// - Throws: ``InvalidValue``: updates, reports, factors or rates below those that its formula has a meaning for, or not finite.
    public func validate() throws(InvalidValue) { try InvalidValue.throwing(problem) }

    /// What is wrong with its numbers, in words.
    var problem: String? {
        switch self {
        case .constant: return nil
        case .step(let every, let factor):
            if every < 1 { return "a schedule with steps of \(every) updates: at least 1 is needed" }
            return Self.problem("factor", factor)
        case .exponential(let factor): return Self.problem("factor", factor)
        case .cosine(let updates, let minimum):
            if updates < 1 { return "a cosine over \(updates) updates: at least 1 is needed" }
            return Self.problem("minimum", minimum)
        case .warmUp(let updates, let start, let next):
            if updates < 0 { return "a warm-up of \(updates) updates: at least 0 are needed" }
            return Self.problem("start", start) ?? next.problem
        case .oneCycle(let updates, let rising, let divisor, let finalDivisor):
            if updates < 2 { return "a cycle of \(updates) updates: at least 2 are needed" }
            if !(rising >= 0 && rising <= 1) { return "a cycle that is rising for \(rising) of it: 0 to 1 is needed" }
            for (name, number) in [("divisor", divisor), ("finalDivisor", finalDivisor)]
            where !(number > 0 && number.isFinite) {
                return "a cycle with a \(name) of \(number): a finite number above 0 is needed"
            }
            return nil
        case .reduceOnPlateau(let factor, let patience, let threshold, let cooldown, let minimum):
            if !(factor > 0 && factor < 1) { return "a reduction by a factor of \(factor): between 0 and 1 is needed" }
            if patience < 0 || cooldown < 0 {
                return
                    "a reduction with a patience of \(patience) reports and a cooldown of \(cooldown): at least 0 are needed"
            }
            return Self.problem("threshold", threshold) ?? Self.problem("minimum", minimum)
        }
    }

    private static func problem(_ name: String, _ number: Double) -> String? {
        number.isFinite && number >= 0
            ? nil : "a schedule with a \(name) of \(number): a finite number, at least 0, is needed"
    }
}

// MARK: Plateau

/// What a schedule that watches a loss has seen of it.
public struct Plateau: Codable, Hashable, Sendable {
    /// The least loss, none before the first report.
    public private(set) var best: Double?
    /// The reports in a row that were not better.
    public private(set) var reportsWithoutGain = 0
    /// The reports still to come that do not count.
    public private(set) var cooldown = 0
    /// How often the rate was reduced.
    public private(set) var reductions = 0

    /// Before the first report.
    public init() {}

    /// What no run can have left, in words that name the field.
    var problem: String? {
        if let best, best.isNaN { return "best is not a number" }
        for (name, count) in [
            ("reportsWithoutGain", reportsWithoutGain), ("cooldown", cooldown), ("reductions", reductions),
        ] {
            if let problem = countProblem(name, count) { return problem }
        }
        return nil
    }

    /// Takes note of a loss. One that is not a number is not better than any other.
    mutating func report(_ loss: Double, _ schedule: Schedule, base: Double) {
        guard
            case .reduceOnPlateau(let factor, let patience, let threshold, let fullCooldown, let minimum) =
                schedule.watching
        else { return }
        if loss < (best.map { $0 * (1 - threshold) } ?? .infinity) {
            best = loss
            reportsWithoutGain = 0
        } else {
            reportsWithoutGain += 1
        }
        if cooldown > 0 {
            cooldown -= 1
            reportsWithoutGain = 0
        }
        guard reportsWithoutGain > patience else { return }
        cooldown = fullCooldown
        reportsWithoutGain = 0
        let rate = reductions == 0 ? base : max(base * power(factor, reductions), minimum)
        if rate - max(rate * factor, minimum) > 1e-8 { reductions += 1 }
    }
}

extension Schedule {
    /// The part of it that comes after any warm-up.
    fileprivate var watching: Schedule {
        if case .warmUp(_, _, let next) = self { return next.watching }
        return self
    }
}
