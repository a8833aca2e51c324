/// What a run asks of its arguments, and of the states that it goes on from.
extension Fit {
    /// What is wrong with a run's arguments, in words.
    static func problem(
        _ trainer: Trainer<S>, _ batches: Batches<S>, epochs: Int, accumulating: Int, validation: [Batch<S>],
        earlyStopping: EarlyStopping?
    ) -> String? {
        if let problem = problem(epochs: epochs) { return problem }
        if accumulating < 1 { return "an update of \(accumulating) batches: at least 1 is needed" }
        return earlyStopping?.problem ?? problem(trainer, batches, validation)
    }

    static func problem(epochs: Int) -> String? { epochs >= 0 ? nil : "\(epochs) epochs: at least 0 are needed" }

    /// What makes a state none of this run, in words that name the field.
    func problem(resumingFrom state: FitState<S>) -> String? {
        let configuration = trainer.network.configuration
        if let problem = state.trainer.problem(for: configuration) { return "trainer.\(problem)" }
        if let problem = batches.problem(resumingFrom: state.batches) { return "batches.\(problem)" }
        let count = trainer.network.parameters.layout.count
        if let problem = state.progress.problem(parameters: count, accumulating: accumulating) {
            return "progress.\(problem)"
        }
        if state.progress.accumulated > 0 && state.trainer.accumulation?.isEmpty ?? true {
            return "trainer.accumulation is missing, of \(state.progress.accumulated) batches in progress.accumulated"
        }
        return lossProblem(state.trainer.loss).map { "trainer.loss: \($0)" }
    }

    /// What keeps a loss of a state from going on with these batches.
    private func lossProblem(_ loss: Loss) -> String? {
        if loss == trainer.loss { return nil }
        if batches.examples == nil && !loss.takesTargets(of: trainer.loss) {
            return "\(loss) may not take the targets of batches that are made for \(trainer.loss)"
        }
        var trainer = trainer
        trainer.loss = loss
        return Self.problem(trainer, batches, validation)
    }

    /// What makes batches none for a trainer.
    private static func problem(_ trainer: Trainer<S>, _ batches: Batches<S>, _ validation: [Batch<S>]) -> String? {
        if let examples = batches.examples, let problem = trainer.problem(of: examples) { return problem }
        for (index, batch) in validation.enumerated() {
            if let problem = trainer.problem(of: batch) { return "validation batch \(index): \(problem)" }
        }
        return nil
    }
}

extension Trainer {
    /// What makes examples none for network, loss and metric.
    fileprivate func problem(of examples: Examples<S>) -> String? {
        let configuration = network.configuration, isSummedUp = configuration.isSummedUp
        if examples.areSummedUp != isSummedUp && examples.lengths.contains(where: { $0 > 1 }) {
            return
                "examples with a target for each \(examples.areSummedUp ? "sequence" : "step"), for a network with an "
                + "output for each \(isSummedUp ? "sequence" : "step")"
        }
        if examples.inputs.columns != configuration.inputSize {
            return "examples of \(examples.inputs.columns) inputs for a network of \(configuration.inputSize)"
        }
        return problem(ofTargets: examples.targets, rows: examples.targets.rows).map { "examples: \($0)" }
    }
}
