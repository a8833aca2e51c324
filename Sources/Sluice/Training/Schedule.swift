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

    /// From lr start, in equal steps over so many updates, to the first rate of another schedule, which begins there
    /// (`SequentialLR` of `LinearLR` and the other).
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
            return base * (start + (1 - start) * Double(updates) / Double(length))
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

    /// Checks its own numbers.
    func check() {
        switch self {
        case .constant, .exponential: break
        case .step(let every, _): precondition(every >= 1, "a schedule with steps of \(every) updates")
        case .cosine(let updates, _): precondition(updates >= 1, "a cosine over \(updates) updates")
        case .warmUp(let updates, _, let next):
            precondition(updates >= 0, "a warm-up of \(updates) updates")
            next.check()
        case .oneCycle(let updates, let rising, let divisor, let finalDivisor):
            precondition(
                updates >= 2 && rising >= 0 && rising <= 1 && divisor > 0 && finalDivisor > 0,
                "a cycle of \(updates) updates, rising for \(rising) of them, from 1 / \(divisor) and to "
                    + "1 / \(finalDivisor) of that")
        case .reduceOnPlateau(let factor, let patience, _, let cooldown, _):
            precondition(
                factor < 1 && factor > 0 && patience >= 0 && cooldown >= 0,
                "a reduction to \(factor) after \(patience) reports, with a cooldown of \(cooldown)")
        }
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

    public init() {}

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
