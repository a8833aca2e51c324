/// A training run: epochs over batches, with what is watched on the way.
///
///     var fit = Fit(trainer, batches, epochs: 50, validation: test.batches(of: 256), earlyStopping: EarlyStopping(patience: 5))
///     try fit.run { report, stop in
///         if let epoch = report.epochEnd { print(epoch.epoch, epoch.loss, epoch.validation!.loss) }
///     }
///     let network = fit.bestNetwork
///
/// It is a value, and ``state`` is all of it that is not given again: stopped after any batch and resumed, it goes on
/// to the same bits as if it had not been stopped.
public struct Fit<S: Scalar>: Sendable {
    /// The network in training. It may be changed between steps.
    public var trainer: Trainer<S>
    /// What the network is trained on, and where the run is in it.
    public private(set) var batches: Batches<S>
    /// The epochs after which it ends; at least 0.
    public var epochs: Int { didSet { require(noProblem: Self.problem(epochs: epochs)) } }
    /// The batches of one update; the last update of an epoch may have fewer.
    public let accumulating: Int
    /// What the network is judged by after each epoch; none: by the training loss.
    public let validation: [Batch<S>]
    /// When the run ends before its last epoch; nil: never.
    public let earlyStopping: EarlyStopping?
    private(set) var progress = Progress<S>()
    /// Of the epoch so far, in this process.
    private var pace = Pace()

    /// A run that has not begun.
    ///
    /// - Parameters:
    ///   - trainer: the network, and how it is trained.
    ///   - batches: what it is trained on.
    ///   - epochs: after how many the run ends.
    ///   - accumulating: the batches of one update, which follows them as if they were one.
    ///   - validation: such as ``Examples/batches(of:)``. After each epoch the schedule is told its loss, early stopping looks at
    ///     it, and the parameters of the least one are kept.
    ///   - earlyStopping: when the run ends before its last epoch; nil: never.
    /// - Precondition: ``init(checking:_:epochs:accumulating:validation:earlyStopping:)`` would throw nothing.
    public init(
        _ trainer: Trainer<S>, _ batches: Batches<S>, epochs: Int, accumulating: Int = 1, validation: [Batch<S>] = [],
        earlyStopping: EarlyStopping? = nil
    ) {
        require(
            noProblem: Self.problem(
                trainer, batches, epochs: epochs, accumulating: accumulating, validation: validation,
                earlyStopping: earlyStopping))
        self.trainer = trainer
        self.batches = batches
        self.epochs = epochs
        self.accumulating = accumulating
        self.validation = validation
        self.earlyStopping = earlyStopping
    }

    /// The same over data and with numbers that come from outside.
    ///
    /// - Throws: ``InvalidValue``: a number below its least, or examples or a validation batch of shapes or classes that the
    ///   trainer's network, loss or metric do not take. Batches that are made as they are asked for are not looked at:
    ///   ``Trainer/validate(_:window:)`` is for whoever makes them.
    public init(
        checking trainer: Trainer<S>, _ batches: Batches<S>, epochs: Int, accumulating: Int = 1,
        validation: [Batch<S>] = [], earlyStopping: EarlyStopping? = nil
    ) throws(InvalidValue) {
        try InvalidValue.throwing(
            Self.problem(
                trainer, batches, epochs: epochs, accumulating: accumulating, validation: validation,
                earlyStopping: earlyStopping))
        self.init(
            trainer, batches, epochs: epochs, accumulating: accumulating, validation: validation,
            earlyStopping: earlyStopping)
    }

    /// Whether all epochs are done, or early stopping has ended the run.
    public var isFinished: Bool { progress.isStopped || progress.epochs >= epochs }

    /// The network as it was after the epoch of the least validation loss; before the first, or without a validation
    /// set, as it is now.
    public var bestNetwork: Network<S> {
        guard let best = progress.best else { return trainer.network }
        let count = trainer.network.parameters.layout.count
        require(
            best.parameters.columns == count, "the best \(best.parameters.columns) parameters for a network of \(count)"
        )
        var network = trainer.network
        network.parameters.values = best.parameters
        return network
    }

    /// The least validation loss, and after which epoch, counted from 1, it was.
    public var best: (epoch: Int, loss: Double)? { progress.best.map { ($0.epoch, $0.loss) } }

    // MARK: Running

    /// Trains to the end, or until it is told to stop, from where it may be run on.
    ///
    /// - Parameter body: called after each batch; it may set `stop`, or throw, which stops too.
    /// - Returns: the epochs that ended meanwhile.
    /// - Throws: ``NonFinite``, and what `body` throws.
    @discardableResult
    public mutating func run(
        _ body: (_ report: StepReport<S>, _ stop: inout Bool) throws -> Void = { _, _ in }
    ) throws -> [EpochReport] {
        var ended: [EpochReport] = [], stop = false
        while !stop, let report = try step() {
            if let epoch = report.epochEnd { ended.append(epoch) }
            try body(report, &stop)
        }
        return ended
    }

    /// Trains on the next batch, and after an epoch's last one judges the network. Allocates nothing from the second
    /// epoch on, as far as the batches do not.
    ///
    /// - Returns: nil if the run has ended.
    /// - Throws: where loss, gradient, learning rate or validation loss is not finite. The parameters are those before the update,
    ///   what was accumulated is dropped, and another call goes on with the next batch. A batch of which no row counts is none of
    ///   these: it adds nothing, and the report says so.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func step() throws(NonFinite) -> StepReport<S>? {
        if isFinished { return nil }
        let start = ContinuousClock.now
        batches.advance()
        let batch = batches.batch, number = batches.position.next
        let isLast = number == batches.count, rate = trainer.learningRate
        progress.accumulated += 1
        let isUpdate = isLast || progress.accumulated == accumulating
        let loss = isUpdate ? trainer.step(batch) : trainer.accumulate(batch)
        if isUpdate { progress.accumulated = 0 }
        let isEmpty = trainer.isBatchEmpty, isDone = isUpdate && trainer.hasCountedRows
        if trainer.hasCountedRows { try checkFinite(loss, batch, isUpdate: isUpdate) }
        if isUpdate { progress.totals.add(trainer.totals) }
        if isEmpty { progress.emptyBatches = (progress.emptyBatches ?? 0) + 1 }
        let metric = trainer.metric == nil ? nil : trainer.totals.metric

        let step = Pace(
            batches: 1, sequences: batch.packing.sequenceCount, steps: batch.packing.rowCount,
            seconds: (ContinuousClock.now - start) / .seconds(1))
        pace.add(step)
        let epoch = progress.epochs + 1
        return StepReport(
            epoch: epoch, batch: number, batches: batches.count, updates: trainer.optimizerState.updates,
            isUpdate: isDone, isEmpty: isEmpty, loss: loss, metric: metric, learningRate: rate,
            gradientNorm: isDone ? trainer.gradientNorm : nil,
            gradientNorms: isDone ? trainer.gradientNorms : [], pace: step,
            epochEnd: isLast ? try endEpoch() : nil)
    }

    private mutating func checkFinite(_ loss: S, _ batch: Batch<S>, isUpdate: Bool) throws(NonFinite) {
        if loss.isFinite && (!isUpdate || trainer.gradientNorm!.isFinite && trainer.isLearningRateFinite) { return }
        // The other workers learn of it by the update, and stop with this one.
        if !isUpdate && trainer.allReduce != nil { return }
        let found = trainer.firstNonFinite(in: batch) ?? trainer.found(loss.isFinite ? .gradientNorm : .loss)
        trainer.dropAccumulated()
        progress.accumulated = 0
        throw found
    }

    // MARK: After an epoch

    private mutating func endEpoch() throws(NonFinite) -> EpochReport {
        let totals = progress.totals, emptyBatches = progress.emptyBatches ?? 0, pace = pace
        self.pace = Pace()
        progress.totals = Totals()
        progress.emptyBatches = nil
        progress.epochs += 1
        let evaluation = validation.isEmpty ? nil : trainer.evaluate(validation)
        if let evaluation, !evaluation.loss.isFinite { throw nonFiniteValidation() }
        let watched = evaluation?.loss ?? totals.loss
        let isBest = evaluation != nil && watched < progress.best?.loss ?? .infinity
        if isBest { progress.keep(trainer.network.parameters.values, watched) }
        // An epoch of nothing but empty batches says nothing.
        if evaluation != nil || !totals.isEmpty {
            trainer.report(loss: S(watched))
            if let earlyStopping { progress.watch(watched, earlyStopping) }
        }
        return EpochReport(
            epoch: progress.epochs, loss: totals.loss, metric: trainer.metric == nil ? nil : totals.metric,
            emptyBatches: emptyBatches, validation: evaluation, isBest: isBest, isLast: isFinished,
            isStoppedEarly: progress.isStopped, pace: pace)
    }

    private func nonFiniteValidation() -> NonFinite {
        for batch in validation {
            if let found = trainer.firstNonFinite(in: batch, validation: true) { return found }
        }
        var found = trainer.found(.loss)
        found.isValidation = true
        return found
    }

    // MARK: State

    /// All that the run's future depends on, but for the arguments that it was made with.
    public var state: FitState<S> {
        FitState(trainer: trainer.state, batches: batches.position, progress: progress)
    }

    /// Goes on from the state of another run, which was made with the same arguments; the number of epochs may be
    /// another.
    ///
    ///     let data = try JSONEncoder().encode(fit.state)
    ///     // later
    ///     var fit = Fit(trainer, batches, epochs: 50)
    ///     try fit.resume(from: JSONDecoder().decode(FitState<Float>.self, from: data))
    ///
    /// - Throws: ``InvalidValue``, which names the field that cannot be such a run's, however the state was made; then nothing has
    ///   changed.
    public mutating func resume(from state: FitState<S>) throws(InvalidValue) {
        try InvalidValue.throwing(problem(resumingFrom: state))
        try trainer.resume(from: state.trainer)
        try batches.resume(from: state.batches)
        progress = state.progress
        pace = Pace()
    }
}

/// Ends a run whose watched loss no longer falls (Keras's `EarlyStopping`).
public struct EarlyStopping: Codable, Hashable, Sendable {
    /// The epochs in a row without a gain after which it ends; at least 1.
    public var patience: Int
    /// How much lower a loss must be to be a gain.
    public var minimumChange: Double

    /// Stopping after so many epochs without a loss that is lower by more than the change.
    public init(patience: Int, minimumChange: Double = 0) {
        self.patience = patience
        self.minimumChange = minimumChange
    }

    /// Checks its numbers, for those that come from outside: a ``Fit`` that is given others stops the program with the same words.
    ///
    /// - Throws: ``InvalidValue``: a patience below 1, a change below 0 or not finite.
    public func validate() throws(InvalidValue) { try InvalidValue.throwing(problem) }

    /// What is wrong with its numbers, in words.
    var problem: String? {
        if patience < 1 { return "early stopping with a patience of \(patience) epochs: at least 1 is needed" }
        return minimumChange >= 0 && minimumChange.isFinite
            ? nil : "early stopping with a minimumChange of \(minimumChange): a finite number, at least 0, is needed"
    }
}
