/// A network in training: forward, loss, backward, update, with every buffer kept from step to step.
///
///     var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
///     let loss = trainer.step(x, targets, packing)
public struct Trainer<S: Scalar>: Sendable {
    /// The network as trained so far.
    public private(set) var network: Network<S>
    public let loss: Loss
    public var optimizer: Optimizer
    /// The optimiser's memory.
    public private(set) var optimizerState: OptimizerState<S>
    private var gradient: Parameters<S>
    /// The last passes' workspaces, the latest first: a batch of the same packing finds its own again.
    private var workspaces: [Workspace<S>] = []

    public init(_ network: Network<S>, loss: Loss, optimizer: Optimizer) {
        self.network = network
        self.loss = loss
        self.optimizer = optimizer
        optimizerState = OptimizerState(network.parameters.layout)
        gradient = Parameters(network.parameters.layout)
    }

    /// One step of training on a batch, from zero initial states.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - targets: what the outputs should be, in their shape.
    /// - Returns: the batch's loss before the update. If it is not finite, the update is not done: the parameters stay.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func step(_ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) -> S {
        let workspace = workspace(packing, .training)
        let gradient = gradient.values.mutableView()
        let value = pass(x, targets, workspace, gradient: gradient)
        guard value.isFinite else { return value }
        let engine = network.engine
        network.updateParameters { optimizerState.update($0, by: gradient, optimizer, engine) }
        return value
    }

    /// The loss of a batch, from zero initial states, without training.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func evaluate(_ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) -> S {
        pass(x, targets, workspace(packing, .evaluation), gradient: nil)
    }

    /// Forward and loss; and backward, if there is room for a gradient.
    private func pass(
        _ x: Matrix<S>, _ targets: Matrix<S>, _ workspace: Workspace<S>, gradient: MatrixView<S>?
    ) -> S {
        let packing = workspace.packing
        network.check(x, workspace)
        network.checkOutputs(targets, workspace.packing, "targets")
        workspace.occupy(threads: network.workers.threads)
        defer { workspace.release() }
        workspace.load(nil, into: workspace.states)
        workspace.load(nil, into: workspace.stateGradients)
        network.share(
            workspace,
            LossWork(
                pass: network.pass(x.view, workspace), loss: loss, targets: targets.view,
                losses: workspace.losses.view, sequences: packing.sequenceCount, gradient: gradient))
        return workspace.shards.indices.reduce(0) { $0 + workspace.losses.view[0, $1] }
    }

    /// The workspace of an earlier pass over the same packing, or a new one in the place of the oldest.
    private mutating func workspace(_ packing: Packing, _ purpose: Purpose) -> Workspace<S> {
        if let kept = workspaces.first(where: { $0.purpose == purpose && $0.packing == packing }) { return kept }
        let workspace = Workspace<S>(network.configuration, packing, purpose)
        workspaces = [workspace] + workspaces.prefix(Self.keptWorkspaces - 1)
        return workspace
    }

    /// Enough for a training set's batches, its smaller last batch, and the same of a test set.
    private static var keptWorkspaces: Int { 4 }
}

/// Forward and loss of a shard; and backward, if there is room for a gradient.
private struct LossWork<S: Scalar>: SharedWork {
    let pass: Pass<S>
    let loss: Loss
    let targets: MatrixView<S>
    /// [1, shards]
    let losses: MatrixView<S>
    /// B of the whole batch.
    let sequences: Int
    let gradient: MatrixView<S>?

    @specialized(where S == Float)
    @specialized(where S == Double)
    func perform(_ index: Int, thread: Int) {
        let shard = pass.shard(index, thread: thread)
        shard.forward(into: nil)
        var sum: S = 0
        for run in shard.outputRuns {
            sum += loss.evaluate(
                shard.outputs.rows(run.shard), targets.rows(run.batch), sequences: sequences,
                gradient: gradient == nil ? nil : shard.outputGradient.rows(run.shard))
        }
        losses[0, index] = sum
        if let gradient {
            shard.backward(gradient: shard.ownGradient ?? gradient, dx: nil)
            shard.addGradient(to: gradient)
        }
    }
}
