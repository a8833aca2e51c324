/// An optimiser's update alone, for the bench to measure.
package struct UpdateTrial<S: Scalar> {
    private var parameters: Matrix<S>
    private var gradient: Matrix<S>
    private var state: OptimizerState<S>
    private let optimizer = Optimizer.adam(learningRate: 1e-6)
    private let workers: Workers

    package init(count: Int, workers: Workers) {
        // Numbers as large as a network's: products of tiny ones are slow.
        parameters = Matrix(rows: 1, columns: count, (0..<count).map { S($0 % 7 + 1) / 8 })
        gradient = Matrix(rows: 1, columns: count, (0..<count).map { S($0 % 5 + 1) / 8 })
        state = OptimizerState(optimizer, count: count)
        self.workers = workers
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    package mutating func update() {
        state.update(
            optimizer,
            Update(
                parameters: parameters.mutableView(), gradient: gradient.mutableView(), decayRuns: [],
                learningRate: optimizer.learningRate, engine: Engine(backend: .default, level: .best),
                workers: workers))
    }
}
