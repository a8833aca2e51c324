/// All that the future of a ``Fit`` depends on, as one value: parameters, the optimiser's moments, the schedule, what
/// was accumulated; the order of the examples, the place among them and the generator; the best parameters and the
/// patience.
///
/// Any encoder that gives back the same numbers gives back the same run, to the bit: `JSONEncoder` and
/// `PropertyListEncoder` do.
public struct FitState<S: Scalar>: Codable, Sendable {
    /// The trainer's.
    public let trainer: TrainerState<S>
    /// Where the run is among its batches.
    public let batches: BatchPosition
    let progress: Progress<S>
}

/// What is wrong with a count of a state that came from outside, in words; nil: nothing. Counting on from 2^53 could overflow.
func countProblem(_ name: String, _ count: Int) -> String? {
    count >= 0 && count <= 1 << 53 ? nil : "\(name) is \(count): 0 to 2^53 is needed"
}

/// How far a run has come, and what it has seen.
struct Progress<S: Scalar>: Codable, Sendable {
    /// The epochs done.
    var epochs = 0
    /// The batches since the last update.
    var accumulated = 0
    /// Over the updates of the epoch so far.
    var totals = Totals()
    /// The epoch's batches so far of which no row counted; nil: none.
    var emptyBatches: Int?
    /// Of the epoch of the least validation loss.
    private(set) var best: Best?
    /// The loss that the last gain came to; none before the first epoch.
    private var lastGain: Double?
    private var epochsWithoutGain = 0
    /// Whether early stopping has ended the run.
    private(set) var isStopped = false

    struct Best: Codable, Sendable {
        var epoch: Int
        var loss: Double
        /// [1, count]
        var parameters: Matrix<S>
    }

    /// Keeps the parameters, `[1, count]`, as the best so far; once there is room for them, without allocating. Those of another
    /// network, which somebody has put into the trainer since, are given up.
    mutating func keep(_ parameters: Matrix<S>, _ loss: Double) {
        if best?.parameters.columns != parameters.columns {
            best = Best(epoch: epochs, loss: loss, parameters: Matrix(rows: 1, columns: parameters.columns))
        }
        best!.epoch = epochs
        best!.loss = loss
        best!.parameters.mutableView().copy(parameters.view)
    }

    /// Looks whether a loss is a gain.
    mutating func watch(_ loss: Double, _ stopping: EarlyStopping) {
        if loss < (lastGain.map { $0 - stopping.minimumChange } ?? .infinity) {
            lastGain = loss
            epochsWithoutGain = 0
        } else {
            epochsWithoutGain += 1
            isStopped = epochsWithoutGain >= stopping.patience
        }
    }

    /// What makes it none of a run over a network of so many parameters, in words that name the field.
    func problem(parameters: Int, accumulating: Int) -> String? {
        for (name, count) in [
            ("epochs", epochs), ("epochsWithoutGain", epochsWithoutGain), ("emptyBatches", emptyBatches ?? 0),
        ] {
            if let problem = countProblem(name, count) { return problem }
        }
        if accumulated < 0 || accumulated >= accumulating {
            return "accumulated is \(accumulated), of \(accumulating) batches an update"
        }
        if let problem = totals.problem { return "totals.\(problem)" }
        if let lastGain, lastGain.isNaN { return "lastGain is not a number" }
        guard let best else { return nil }
        if best.epoch < 1 || best.epoch > epochs { return "best.epoch is \(best.epoch), of \(epochs) epochs" }
        if best.loss.isNaN { return "best.loss is not a number" }
        if best.parameters.rows != 1 || best.parameters.columns != parameters {
            return
                "best.parameters has \(best.parameters.rows) x \(best.parameters.columns) numbers, for 1 x \(parameters) "
                + "parameters"
        }
        return nil
    }
}
