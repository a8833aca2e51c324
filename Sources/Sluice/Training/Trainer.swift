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
    /// What a step leaves out at random; an evaluation leaves nothing out. After a change the next step makes its
    /// buffers anew.
    public var regularization: Regularization { didSet { regularization.check(network.configuration) } }
    /// Where the masks of the next steps come from: a number a sequence. Part of what a run's future depends on.
    public var random: Random
    /// What the optimiser and the schedule remember.
    public private(set) var optimizerState: OptimizerState<S>
    /// The norm of the last step's gradient before it was clipped, where clipping is by norm.
    public private(set) var gradientNorm: Double?
    private var gradient: Parameters<S>
    private let decayRuns: [DecayRun]
    /// [1, O] the loss's.
    private let classWeights: Matrix<S>?
    /// The last passes' workspaces, the latest first: a batch of the same packing finds its own again.
    private var workspaces: [Workspace<S>] = []

    /// - Parameters:
    ///   - regularization: what steps leave out at random.
    ///   - random: where its masks come from; without regularisation nothing is drawn.
    ///   - state: of an earlier run that this one goes on with, from the parameters that it had then.
    public init(
        _ network: Network<S>, loss: Loss, optimizer: Optimizer, schedule: Schedule = .constant,
        clipping: Clipping? = nil, regularization: Regularization = .none, random: Random = Random(seed: 0),
        resuming state: OptimizerState<S>? = nil
    ) {
        let layout = network.parameters.layout
        loss.check(outputSize: network.configuration.outputSize)
        schedule.check()
        clipping?.check()
        regularization.check(network.configuration)
        precondition(
            state == nil || state!.count == layout.count,
            "an optimiser's state of \(state!.count) parameters for a network of \(layout.count)")
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.clipping = clipping
        self.regularization = regularization
        self.random = random
        optimizerState = state ?? OptimizerState(optimizer, count: layout.count)
        gradient = Parameters(layout)
        decayRuns = DecayRun.all(layout)
        classWeights = loss.classWeights()
    }

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
        let workspace = workspace(packing, .training, regularization)
        let gradient = gradient.values.mutableView()
        let value = pass(x, targets, workspace, gradient: gradient)
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
        pass(x, targets, workspace(packing, .evaluation, .none), gradient: nil)
    }

    /// Forward and loss; and backward, if there is room for a gradient.
    private mutating func pass(
        _ x: Matrix<S>, _ targets: Matrix<S>, _ workspace: Workspace<S>, gradient: MatrixView<S>?
    ) -> S {
        let packing = workspace.packing
        network.check(x, workspace)
        let loss = BatchLoss(
            loss, rows: network.configuration.outputRowCount(packing), columns: network.configuration.outputSize,
            targets: targets.view, sequences: packing.sequenceCount, classWeights: classWeights?.view)
        workspace.occupy(threads: network.workers.threads)
        defer { workspace.release() }
        workspace.drawSeeds(using: &random)
        workspace.load(nil, into: workspace.states)
        workspace.load(nil, into: workspace.stateGradients)
        network.share(
            workspace,
            LossWork(
                pass: network.pass(x.view, workspace), loss: loss, targets: targets.view,
                losses: workspace.losses.view, gradient: gradient))
        return workspace.shards.indices.reduce(0) { $0 + workspace.losses.view[0, $1] }
    }

    /// The workspace of an earlier pass over the same packing, or a new one in the place of the oldest.
    private mutating func workspace(
        _ packing: Packing, _ purpose: Purpose, _ regularization: Regularization
    ) -> Workspace<S> {
        let kept = workspaces.first {
            $0.purpose == purpose && $0.regularization == regularization && $0.packing == packing
        }
        if let kept { return kept }
        let workspace = Workspace<S>(network.configuration, packing, purpose, regularization)
        workspaces = [workspace] + workspaces.prefix(Self.keptWorkspaces - 1)
        return workspace
    }

    /// Enough for a training set's batches, its smaller last batch, and the same of a test set.
    private static var keptWorkspaces: Int { 4 }
}

/// Forward and loss of a shard; and backward, if there is room for a gradient.
private struct LossWork<S: Scalar>: SharedWork {
    let pass: Pass<S>
    let loss: BatchLoss<S>
    let targets: MatrixView<S>
    /// [1, shards]
    let losses: MatrixView<S>
    let gradient: MatrixView<S>?

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) {
        let shard = pass.shard(index, thread: thread)
        shard.forward(into: nil)
        var sum: S = 0
        for run in shard.outputRuns {
            sum += loss.evaluate(
                shard.outputs.rows(run.shard), targets.rows(run.batch),
                gradient: gradient == nil ? nil : shard.outputGradient.rows(run.shard))
        }
        losses[0, index] = sum
        if let gradient {
            shard.backward(gradient: shard.ownGradient ?? gradient, dx: nil)
            shard.addGradient(to: gradient)
        }
    }
}
