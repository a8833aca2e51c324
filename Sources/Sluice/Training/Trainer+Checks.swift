/// What a trainer asks of the values that it is given.
extension Trainer {
    /// Checks a batch that comes from outside, such as a user's: a step or an evaluation of another stops the program with the same
    /// words. Numbers that are not finite pass: the loss says them.
    ///
    ///     try trainer.validate(batch)     // a server answers with the error, and goes on
    ///     let loss = trainer.step(batch)
    ///
    /// - Parameters:
    ///   - batch: the batch.
    ///   - window: the steps of a window, where the batch is for ``truncatedSteps(_:_:_:window:state:)``; nil: it is not.
    /// - Throws: ``InvalidValue``: inputs or targets of another shape than network, loss and metric take; a class that is none; a
    ///   network or a number that time cannot be cut by.
    public func validate(_ batch: Batch<S>, window: Int? = nil) throws(InvalidValue) {
        try InvalidValue.throwing(
            window.flatMap { problem(ofWindows: $0, batch.x, batch.targets, batch.packing) } ?? problem(of: batch))
    }

    /// What makes a batch none for network, loss and metric, in words.
    func problem(of batch: Batch<S>) -> String? {
        let configuration = network.configuration, rows = configuration.outputRowCount(batch.packing)
        if batch.x.rows != batch.packing.rowCount || batch.x.columns != configuration.inputSize {
            return "inputs of \(batch.x.rows) x \(batch.x.columns) for \(batch.packing.rowCount) rows of "
                + "\(configuration.inputSize) inputs"
        }
        return problem(ofTargets: batch.targets, rows: rows)
    }

    /// The same of the targets of so many rows of outputs.
    func problem(ofTargets targets: Matrix<S>, rows: Int) -> String? {
        let columns = network.configuration.outputSize
        return loss.problem(of: targets, rows: rows, columns: columns)
            ?? metric?.problem(of: targets, rows: rows, columns: columns)
    }

    /// What is wrong with what a trainer is made of, in words.
    static func problem(
        _ network: Network<S>, _ loss: Loss, _ optimizer: Optimizer, _ schedule: Schedule, _ clipping: Clipping?,
        _ checkpointing: Checkpointing, _ regularization: Regularization, _ state: OptimizerState<S>?
    ) -> String? {
        let configuration = network.configuration
        if let problem = loss.problem(outputSize: configuration.outputSize) { return problem }
        if let problem = optimizer.problem ?? schedule.problem ?? clipping?.problem { return problem }
        if let problem = checkpointing.problem(configuration) ?? regularization.problem(configuration) {
            return problem
        }
        guard let state else { return nil }
        let problem =
            state.problem(parameters: network.parameters.layout.count) ?? state.problem(goingOnWith: optimizer)
        return problem.map { "an optimiser's state whose \($0)" }
    }
}
