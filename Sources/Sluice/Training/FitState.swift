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

/// How far a run has come, and what it has seen.
struct Progress<S: Scalar>: Codable, Sendable {
    /// The epochs done.
    var epochs = 0
    /// The batches since the last update.
    var accumulated = 0
    /// Over the updates of the epoch so far.
    var totals = Totals()
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

    /// Keeps the parameters, `[1, count]`, as the best so far; once there is room for them, without allocating.
    mutating func keep(_ parameters: Matrix<S>, _ loss: Double) {
        if best == nil {
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
}
