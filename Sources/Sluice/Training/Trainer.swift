/// A network in training: forward, loss, backward, update, with every buffer kept from step to step.
///
///     var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
///     let loss = trainer.step(x, targets, packing)
public struct Trainer<S: Scalar>: Sendable {
    /// The network as trained so far.
    public internal(set) var network: Network<S>
    /// What is made small.
    public internal(set) var loss: Loss
    /// How parameters follow their gradient. One of another kind than before begins with its own first update, its moments zeros,
    /// while the schedule's count goes on; other rates, or Adam's decay in AdamW's place, restart nothing.
    public var optimizer: Optimizer { didSet { require(noProblem: optimizer.problem) } }
    /// How the learning rate changes.
    public var schedule: Schedule { didSet { require(noProblem: schedule.problem) } }
    /// What keeps the gradient from being too large, if anything does.
    public var clipping: Clipping? { didSet { require(noProblem: clipping?.problem) } }
    /// What batches are measured by beside their loss; nil: nothing else.
    public var metric: Metric<S>?
    /// Where the gradients of other workers are met, who train the same network on other parts of each batch; nil:
    /// there are none.
    public var allReduce: (any AllReduce<S>)?
    /// What a step leaves out at random; an evaluation leaves nothing out. After a change the next step makes its
    /// buffers anew.
    public var regularization: Regularization {
        didSet { require(noProblem: regularization.problem(network.configuration)) }
    }
    /// Where the masks of the next steps come from: a number a sequence. Part of what a run's future depends on.
    public var random: Random
    /// What the optimiser and the schedule remember.
    public internal(set) var optimizerState: OptimizerState<S>
    /// The norm of the last step's gradient before it was clipped: not finite, if for that the update was not done;
    /// nil, if the loss was not finite, if no row counted, or before the first step.
    public private(set) var gradientNorm: Double?
    private(set) var norms: GradientNorms
    /// The sums over the batches of the last update, or over the last batch evaluated or accumulated.
    private(set) var totals = Totals()
    /// Whether no row of the last batch counted.
    private(set) var isBatchEmpty = false
    /// The batches whose gradients the next update follows together with its own.
    var accumulation = Accumulation<S>()
    /// The totals, as workers add them.
    private var sums = Matrix<S>(rows: 1, columns: Totals.numberCount)
    /// What the metric is given.
    private var measured = Measured<S>()
    private(set) var gradient: Parameters<S>
    /// How passes cut time.
    var segmentation: Segmentation
    private let decayRuns: [DecayRun]
    /// [1, O] the loss's.
    var classWeights: Matrix<S>?
    private(set) var workspace = TrainerWorkspace<S>()
    /// Those of the last batch that was cut in windows.
    var windows: Windows?

    /// A trainer of a network.
    ///
    /// - Parameters:
    ///   - network: with the parameters to begin from.
    ///   - loss: what is made small.
    ///   - optimizer: how parameters follow their gradient.
    ///   - schedule: how the learning rate changes.
    ///   - clipping: what keeps the gradient from being too large; nil: nothing.
    ///   - checkpointing: what passes over long sequences keep in memory; the results are the same bits.
    ///   - regularization: what steps leave out at random.
    ///   - random: where its masks come from; without regularisation nothing is drawn.
    ///   - state: of an earlier run that this one goes on with, from the parameters that it had then.
    /// - Precondition: ``init(checking:loss:optimizer:schedule:clipping:checkpointing:regularization:random:resuming:)`` would throw
    ///   nothing.
    public init(
        _ network: Network<S>, loss: Loss, optimizer: Optimizer, schedule: Schedule = .constant,
        clipping: Clipping? = nil, checkpointing: Checkpointing = .none, regularization: Regularization = .none,
        random: Random = Random(seed: 0), resuming state: OptimizerState<S>? = nil
    ) {
        require(
            noProblem: Self.problem(
                network, loss, optimizer, schedule, clipping, checkpointing, regularization, state))
        let layout = network.parameters.layout
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.clipping = clipping
        self.regularization = regularization
        self.random = random
        optimizerState = state ?? OptimizerState(optimizer, count: layout.count)
        optimizerState.takeUp(optimizer)
        gradient = Parameters(layout)
        segmentation = Segmentation(checkpointing: checkpointing)
        decayRuns = DecayRun.all(layout)
        norms = GradientNorms(layout, network.configuration)
        classWeights = loss.classWeights()
    }

    /// The same of values that come from outside, such as a user's or a file's.
    ///
    /// - Throws: ``InvalidValue``, which names the first of them that is out of its range, or is none for the network.
    public init(
        checking network: Network<S>, loss: Loss, optimizer: Optimizer, schedule: Schedule = .constant,
        clipping: Clipping? = nil, checkpointing: Checkpointing = .none, regularization: Regularization = .none,
        random: Random = Random(seed: 0), resuming state: OptimizerState<S>? = nil
    ) throws(InvalidValue) {
        try InvalidValue.throwing(
            Self.problem(network, loss, optimizer, schedule, clipping, checkpointing, regularization, state))
        self.init(
            network, loss: loss, optimizer: optimizer, schedule: schedule, clipping: clipping,
            checkpointing: checkpointing,
            regularization: regularization, random: random, resuming: state)
    }

    /// What passes keep in memory and what they compute again.
    public var checkpointing: Checkpointing { segmentation.checkpointing }

    /// The learning rate of the next step.
    public var learningRate: Double {
        schedule.learningRate(
            optimizer.learningRate, afterUpdates: optimizerState.updates, plateau: optimizerState.plateau)
    }

    /// Tells the schedule a loss to watch, such as that of a validation set after each pass over the training set.
    public mutating func report(loss: S) {
        optimizerState.plateau.report(Double(loss), schedule, base: optimizer.learningRate)
    }

    /// The norms of the last step's gradient before it was clipped: each layer's, then the head's, if there is one.
    public var gradientNorms: [Double] { norms.parts }

    /// One step of training on a batch, from zero initial states.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - targets: what the outputs should be: in their shape, or as the loss says.
    ///   - packing: the lengths of the sequences.
    /// - Returns: the batch's loss before the update; with that of the batches accumulated before it and of other workers, as if
    ///   all were one batch. If it is not finite, or ``gradientNorm``, or ``learningRate``, the update is not done: the parameters
    ///   stay. ``firstNonFinite(in:validation:)`` says where it began. If no row counted (``hasCountedRows``), it is a mean over
    ///   nothing: not a number, as in PyTorch, and there is no update either.
    /// - Precondition: ``validate(_:window:)`` throws nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func step(_ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) -> S {
        var state: State<S>?
        return step(x.view, targets.view, packing, state: &state)
    }

    /// One step of training on a batch, as ``step(_:_:_:)``.
    @discardableResult
    public mutating func step(_ batch: Batch<S>) -> S { step(batch.x, batch.targets, batch.packing) }

    /// The same from given states, which become the final ones; nil: from zeros, and none are wanted.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func step(
        _ x: MatrixView<S>, _ targets: MatrixView<S>, _ packing: Packing, state: inout State<S>?
    ) -> S {
        let isAlone = accumulation.isEmpty && allReduce == nil
        let gradient = gradient.values.mutableView()
        gradientNorm = nil
        let value = pass(x, targets, packing, gradient: gradient, asSum: !isAlone, state: &state)
        if isAlone {
            if value.isFinite { update(scale: 1) }
            return value
        }
        accumulation.addUp(to: gradient, &totals)
        addUpWorkers()
        // Where it is not finite, it is so for every worker.
        guard totals.loss.isFinite else { return S(totals.loss) }
        allReduce?.sum(&self.gradient.values)
        update(scale: S(1 / totals.normalizer))
        return S(totals.loss)
    }

    /// Computes the gradient of a batch, and keeps it for the update of the next ``step(_:)``, which then follows all
    /// batches since the last update as if they were one: memory for a part is enough for the whole.
    ///
    ///     for part in parts.dropLast() { trainer.accumulate(part) }
    ///     trainer.step(parts.last!)
    ///
    /// - Returns: the batch's loss. If it is not finite, the next step's is neither, and all is dropped then; but a batch of which
    ///   no row counts adds nothing, and its loss is not a number.
    /// - Precondition: ``validate(_:window:)`` throws nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    @discardableResult
    public mutating func accumulate(_ batch: Batch<S>) -> S {
        var state: State<S>?
        let gradient = gradient.values.mutableView()
        _ = pass(batch.x.view, batch.targets.view, batch.packing, gradient: gradient, asSum: true, state: &state)
        accumulation.add(gradient, totals)
        return S(totals.loss)
    }

    /// Forgets what was accumulated.
    mutating func dropAccumulated() { accumulation.clear() }

    /// Moves the parameters along the gradient, times a scale, if its norm and the learning rate are finite.
    private mutating func update(scale: S) {
        let gradient = gradient.values.view, workers = network.workers
        let norm = norms.measure(gradient, scale: Double(scale), workers)
        let isFollowed = optimizer.canFollow(clipping?.bound(norm: norm) ?? norm, S.self)
        gradientNorm = isFollowed ? norm : norm.isNaN ? norm : .infinity
        guard isFollowed && isLearningRateFinite else { return }
        var clip = clipping?.constants(norm: norm) ?? GradientConstants<S>()
        clip.scale *= scale
        let engine = network.engine, rate = learningRate, optimizer = optimizer, decayRuns = decayRuns
        func move(_ network: inout Network<S>, _ state: inout OptimizerState<S>) {
            network.updateParameters { parameters in
                state.update(
                    optimizer,
                    Update(
                        parameters: parameters, gradient: gradient, decayRuns: decayRuns, learningRate: rate,
                        clip: clip, engine: engine, workers: workers))
            }
        }
        move(&network, &optimizerState)
    }

    /// Whether the learning rate is finite among numbers of the network's.
    var isLearningRateFinite: Bool { S(learningRate).isFinite }

    /// Whether any row counted in the last step (with the batches accumulated before it and those of other workers), the last
    /// evaluation or the last batch accumulated. None does where all classes are the one that is ignored, or weigh nothing: then
    /// the loss is a mean over nothing, not a number.
    public var hasCountedRows: Bool { !totals.isEmpty }

    /// The loss of a batch, from zero initial states, without training; not a number if no row counts.
    ///
    /// - Precondition: ``validate(_:window:)`` throws nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func evaluate(_ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) -> S {
        var state: State<S>?
        return pass(x.view, targets.view, packing, gradient: nil, asSum: false, state: &state)
    }

    /// The loss of several batches as if they were one, and the metric; over all workers, if there are others. Not numbers if no
    /// row counts.
    ///
    /// - Precondition: ``validate(_:window:)`` throws nothing for any of them.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func evaluate(_ batches: [Batch<S>]) -> Evaluation {
        var all = Totals()
        for batch in batches {
            // As sums: rows that are all ignored add nothing to the others.
            var state: State<S>?
            _ = pass(batch.x.view, batch.targets.view, batch.packing, gradient: nil, asSum: true, state: &state)
            all.add(totals)
        }
        totals = all
        addUpWorkers()
        return Evaluation(loss: totals.loss, metric: metric == nil ? nil : totals.metric)
    }

    /// Makes the totals those of all workers.
    private mutating func addUpWorkers() {
        guard let allReduce else { return }
        totals.write(to: sums.mutableView())
        allReduce.sum(&sums)
        totals.read(from: sums.view)
    }

    /// Forward and loss, with nothing left out; and backward, with what is regularised, if there is room for a gradient. Leaves
    /// the batch's totals.
    ///
    /// - Parameter asSum: whether loss and gradient are sums, not yet divided by the loss's normaliser.
    private mutating func pass(
        _ x: MatrixView<S>, _ targets: MatrixView<S>, _ packing: Packing, gradient: MatrixView<S>?, asSum: Bool,
        state: inout State<S>?
    ) -> S {
        let isTraining = gradient != nil
        network.check(x, packing)
        if let state { network.check(state, sequences: packing.sequenceCount) }
        let loss = BatchLoss(
            loss, rows: network.configuration.outputRowCount(packing), columns: network.configuration.outputSize,
            targets: targets, sequences: packing.sequenceCount, classWeights: classWeights?.view, asSum: asSum)
        if metric != nil {
            measured.outputs.take(
                rows: network.configuration.outputRowCount(packing), columns: network.configuration.outputSize)
        }
        let kind = PassKind(
            purpose: isTraining ? .training : .evaluation, segmentation: segmentation,
            regularization: isTraining ? regularization : .none)
        let workspace = workspace.occupied(network.configuration, kind, packing, threads: network.workers.threads)
        defer { workspace.release() }
        workspace.drawSeeds(using: &random)
        workspace.load(state, into: workspace.batchStates)
        workspace.load(nil, into: workspace.batchStateGradients)
        network.share(
            workspace,
            LossWork(
                pass: network.pass(x, workspace), loss: loss, targets: targets,
                losses: workspace.losses, outputs: metric == nil ? nil : measured.outputs.mutableView(),
                gradient: gradient))
        let value = workspace.layout.shards.indices.reduce(0) { $0 + workspace.losses[0, $1] }
        isBatchEmpty = loss.normalizer == 0
        if state != nil && value.isFinite { workspace.store(workspace.batchStates, into: &state!) }
        totals = Totals(
            loss: asSum ? Double(value) : Double(value) * loss.normalizer, normalizer: loss.normalizer)
        if let metric { totals.add(metric.measure(&measured, targets, packing)) }
        return isBatchEmpty ? .nan : value
    }
}
