/// A network in training: forward, loss, backward, update, with every buffer kept from step to step.
///
///     var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
///     let loss = trainer.step(x, targets, packing)
public struct Trainer<S: Scalar>: Sendable {
    /// The network as trained so far.
    public private(set) var network: Network<S>
    public let loss: Loss
    public var optimizer: Optimizer
    /// How the learning rate changes.
    public var schedule: Schedule { didSet { schedule.check() } }
    /// What keeps the gradient from being too large, if anything does.
    public var clipping: Clipping? { didSet { clipping?.check() } }
    /// What the optimiser and the schedule remember.
    public private(set) var optimizerState: OptimizerState<S>
    /// The norm of the last step's gradient before it was clipped, where clipping is by norm.
    public private(set) var gradientNorm: Double?
    private(set) var gradient: Parameters<S>
    /// How passes cut time.
    var segmentation: Segmentation
    private let decayRuns: [DecayRun]
    /// [1, O] the loss's.
    private let classWeights: Matrix<S>?
    /// The last passes' workspaces, the latest first: a batch of the same packing finds its own again.
    private var workspaces: [Workspace<S>] = []
    /// Those of the last batch that was cut in windows.
    var windows: Windows?

    /// - Parameters:
    ///   - checkpointing: what passes over long sequences keep in memory; the results are the same bits.
    ///   - state: of an earlier run that this one goes on with, from the parameters that it had then.
    public init(
        _ network: Network<S>, loss: Loss, optimizer: Optimizer, schedule: Schedule = .constant,
        clipping: Clipping? = nil, checkpointing: Checkpointing = .none, resuming state: OptimizerState<S>? = nil
    ) {
        let layout = network.parameters.layout
        loss.check(outputSize: network.configuration.outputSize)
        schedule.check()
        clipping?.check()
        checkpointing.check(network.configuration)
        precondition(
            state == nil || state!.count == layout.count,
            "an optimiser's state of \(state!.count) parameters for a network of \(layout.count)")
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.clipping = clipping
        optimizerState = state ?? OptimizerState(optimizer, count: layout.count)
        gradient = Parameters(layout)
        segmentation = Segmentation(checkpointing: checkpointing)
        decayRuns = DecayRun.all(layout)
        classWeights = loss.classWeights()
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

    /// One step of training on a batch, from zero initial states.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - targets: what the outputs should be: in their shape, or as the loss says.
    /// - Returns: the batch's loss before the update. If it is not finite, or the gradient's norm where that is clipped,
    ///   the update is not done: the parameters stay.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func step(_ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) -> S {
        var state: State<S>?
        return step(x.view, targets.view, packing, state: &state)
    }

    /// The same from given states, which become the final ones; nil: from zeros, and none are wanted.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func step(
        _ x: MatrixView<S>, _ targets: MatrixView<S>, _ packing: Packing, state: inout State<S>?
    ) -> S {
        let workspace = workspace(packing, .training)
        let gradient = gradient.values.mutableView()
        let value = pass(x, targets, workspace, gradient: gradient, state: &state)
        guard value.isFinite else { return value }
        let clip = clipping.map { $0.constants(gradient) } ?? (constants: GradientConstants(), norm: nil)
        gradientNorm = clip.norm
        guard let constants = clip.constants else { return value }
        let engine = network.engine, rate = learningRate
        network.updateParameters { parameters in
            optimizerState.update(
                optimizer,
                Update(
                    parameters: parameters, gradient: gradient, decayRuns: decayRuns, learningRate: rate,
                    clip: constants,
                    engine: engine))
        }
        return value
    }

    /// The loss of a batch, from zero initial states, without training.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func evaluate(_ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) -> S {
        var state: State<S>?
        return pass(x.view, targets.view, workspace(packing, .evaluation), gradient: nil, state: &state)
    }

    /// Forward and loss; and backward, if there is room for a gradient.
    private func pass(
        _ x: MatrixView<S>, _ targets: MatrixView<S>, _ workspace: Workspace<S>, gradient: MatrixView<S>?,
        state: inout State<S>?
    ) -> S {
        let packing = workspace.packing
        network.check(x, workspace)
        if let state { network.check(state, sequences: packing.sequenceCount) }
        let loss = BatchLoss(
            loss, rows: network.configuration.outputRowCount(packing), columns: network.configuration.outputSize,
            targets: targets, sequences: packing.sequenceCount, classWeights: classWeights?.view)
        workspace.occupy(threads: network.workers.threads)
        defer { workspace.release() }
        workspace.load(state, into: workspace.states)
        workspace.load(nil, into: workspace.stateGradients)
        network.share(
            workspace,
            LossWork(
                pass: network.pass(x, workspace), loss: loss, targets: targets,
                losses: workspace.losses.view, gradient: gradient))
        let value = workspace.shards.indices.reduce(0) { $0 + workspace.losses.view[0, $1] }
        if state != nil && value.isFinite { workspace.store(workspace.states, into: &state!) }
        return value
    }

    /// The workspace of an earlier pass over the same packing, or a new one in the place of the oldest.
    private mutating func workspace(_ packing: Packing, _ purpose: Purpose) -> Workspace<S> {
        if let kept = workspaces.first(where: { $0.isFor(purpose, packing, segmentation) }) {
            return kept
        }
        let workspace = Workspace<S>(network.configuration, packing, purpose, segmentation)
        workspaces = [workspace] + workspaces.prefix(Self.keptWorkspaces - 1)
        return workspace
    }

    /// Enough for a training set's batches, its smaller last batch, and the same of a test set.
    private static var keptWorkspaces: Int { 4 }
}
