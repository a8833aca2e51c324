/// What is said after each batch of a ``Fit``.
public struct StepReport<S: Scalar>: Sendable {
    /// Counted from 1.
    public let epoch: Int
    /// The batch of the epoch, counted from 1.
    public let batch: Int
    /// The batches of the epoch.
    public let batches: Int
    /// The updates done so far, this one's included.
    public let updates: Int
    /// Whether the batch ended with an update; otherwise it was accumulated for a later one's, or there was no row to follow.
    public let isUpdate: Bool
    /// Whether no row of the batch counted, as all its classes are ignored: it added nothing.
    public let isEmpty: Bool
    /// The batch's loss; of an update, that of all batches, of all workers, that it followed. Not a number, if no row of them
    /// counted.
    public let loss: S
    /// The same of the trainer's metric; nil: it has none.
    public let metric: Double?
    /// The learning rate of the update, or of the one to come.
    public let learningRate: Double
    /// The norm of the gradient before it was clipped; nil: no update.
    public let gradientNorm: Double?
    /// The norms of each layer's, then the head's; none: no update.
    public let gradientNorms: [Double]
    /// Of this batch alone.
    public let pace: Pace
    /// After the last batch of an epoch.
    public let epochEnd: EpochReport?
}

/// What is said after each epoch of a ``Fit``.
public struct EpochReport: Sendable {
    /// Counted from 1.
    public let epoch: Int
    /// The mean loss over the epoch's batches, each with the parameters that it met. Not a number, if no row of them counted.
    public let loss: Double
    /// The same of the trainer's metric; nil: it has none.
    public let metric: Double?
    /// The epoch's batches of which no row counted.
    public let emptyBatches: Int
    /// Of the validation set after the epoch; nil: there is none.
    public let validation: Evaluation?
    /// Whether no epoch before had so small a validation loss.
    public let isBest: Bool
    /// Whether the run ends here.
    public let isLast: Bool
    /// Whether early stopping ended the run here.
    public let isStoppedEarly: Bool
    /// Of the epoch's batches, without the validation.
    public let pace: Pace
}

/// How much was done in what time.
public struct Pace: Hashable, Sendable {
    /// The batches done.
    public internal(set) var batches = 0
    /// The sequences in them.
    public internal(set) var sequences = 0
    /// Steps of time, over all sequences: the rows of the packings.
    public internal(set) var steps = 0
    /// The seconds that this took.
    public internal(set) var seconds = 0.0

    /// The batches of a second.
    public var batchesPerSecond: Double { Double(batches) / seconds }
    /// The sequences of a second.
    public var sequencesPerSecond: Double { Double(sequences) / seconds }
    /// The steps of all sequences in a second.
    public var stepsPerSecond: Double { Double(steps) / seconds }

    mutating func add(_ other: Pace) {
        batches += other.batches
        sequences += other.sequences
        steps += other.steps
        seconds += other.seconds
    }
}
