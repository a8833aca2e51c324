/// All that the future of a trainer depends on but for its batches: what it has learnt, how it goes on learning, and
/// what it has accumulated. As long as parameters are finite, any encoder of numbers gives back the same bits.
public struct TrainerState<S: Scalar>: Codable, Sendable {
    /// The network's.
    public let configuration: Configuration
    /// `[1, count]` in the configuration's layout.
    public let parameters: Matrix<S>
    let loss: Loss
    let optimizer: Optimizer
    let schedule: Schedule
    let clipping: Clipping?
    let regularization: Regularization
    /// Of the masks.
    let random: Random
    let optimizerState: OptimizerState<S>
    let accumulation: Accumulation<S>?
}

extension Trainer {
    /// All that its future depends on but for its batches. Setting it, from a trainer of the same network, goes on from
    /// there.
    ///
    /// - Precondition: of what is set, that ``resume(from:)`` throws nothing; a state out of a file is for that.
    public var state: TrainerState<S> {
        get {
            TrainerState(
                configuration: network.configuration, parameters: network.parameters.values, loss: loss,
                optimizer: optimizer, schedule: schedule, clipping: clipping, regularization: regularization,
                random: random, optimizerState: optimizerState,
                accumulation: accumulation.isEmpty ? nil : accumulation)
        }
        set {
            require(noProblem: newValue.problem(for: network.configuration))
            goOn(from: newValue)
        }
    }

    /// Goes on from a state that comes from outside, such as a file: of a trainer of the same network, with any loss, optimiser,
    /// schedule, clipping and regularisation that they may be given.
    ///
    /// - Throws: ``InvalidValue``, which names the field that cannot be such a trainer's; then nothing has changed.
    public mutating func resume(from state: TrainerState<S>) throws(InvalidValue) {
        try InvalidValue.throwing(state.problem(for: network.configuration))
        goOn(from: state)
    }

    private mutating func goOn(from state: TrainerState<S>) {
        network.parameters.values = state.parameters
        loss = state.loss
        classWeights = loss.classWeights()
        optimizer = state.optimizer
        schedule = state.schedule
        clipping = state.clipping
        regularization = state.regularization
        random = state.random
        optimizerState = state.optimizerState
        optimizerState.takeUp(optimizer)
        accumulation = state.accumulation ?? Accumulation()
    }
}

extension TrainerState {
    /// What makes it none of a network, in words that name the field.
    func problem(for configuration: Configuration) -> String? {
        if let difference = self.configuration.difference(from: configuration) { return "configuration.\(difference)" }
        let layout = ParameterLayout(configuration)
        if parameters.rows != 1 || parameters.columns != layout.count {
            return
                "parameters has \(parameters.rows) x \(parameters.columns) numbers, for 1 x \(layout.count) of the network"
        }
        for (name, problem) in [
            ("loss", loss.problem(outputSize: configuration.outputSize)), ("optimizer", optimizer.problem),
            ("schedule", schedule.problem), ("clipping", clipping?.problem),
            ("regularization", regularization.problem(configuration)),
        ] {
            if let problem { return "\(name): \(problem)" }
        }
        if let problem = optimizerState.problem(parameters: layout.count)
            ?? optimizerState.problem(goingOnWith: optimizer)
        {
            return "optimizerState.\(problem)"
        }
        return accumulation?.problem(parameters: layout.count).map { "accumulation.\($0)" }
    }
}

extension Configuration {
    /// The first fact in which it differs from that of a network, in words; nil: they are the same.
    fileprivate func difference(from network: Configuration) -> String? {
        if self == network { return nil }
        func text(_ value: (some Any)?) -> String { value.map { "\($0)" } ?? "nil" }
        let facts = [
            ("cell", text(cell), text(network.cell)), ("inputSize", text(inputSize), text(network.inputSize)),
            ("hiddenSize", text(hiddenSize), text(network.hiddenSize)), ("layers", text(layers), text(network.layers)),
            ("direction", text(direction), text(network.direction)),
            ("projectionSize", text(projectionSize), text(network.projectionSize)),
            ("biases", text(biases), text(network.biases)),
            ("head.outputSize", text(head?.outputSize), text(network.head?.outputSize)),
            ("head.steps", text(head?.steps), text(network.head?.steps)),
        ]
        return facts.first { $0.1 != $0.2 }.map { "\($0.0) is \($0.1), of the network \($0.2)" }
            ?? "differs from the network's"
    }
}
