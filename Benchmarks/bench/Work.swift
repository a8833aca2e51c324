import Sluice

/// One backend at one job: repeatable, from the same numbers as the other backend.
struct Work<S: Scalar> {
    /// Does the job once.
    let pass: () -> Void
    /// What the first pass has computed: the outputs, or the gradient of the parameters.
    let result: () -> [S]

    init(_ job: Job, _ problem: Problem<S>, _ backend: Backend, _ workers: Workers) {
        let network = Network(problem.configuration, problem.parameters, backend: backend, workers: workers)
        switch job.pass {
        case .forward:
            let workspace = Workspace<S>(problem.configuration, problem.packing, recording: false)
            var state = State<S>(problem.configuration, sequences: job.shape.batch)
            var outputs = Matrix<S>(rows: problem.packing.rowCount, columns: problem.configuration.outputSize)
            pass = { network.forward(problem.x, in: workspace, state: &state, into: &outputs) }
            result = { outputs.elements }

        case .training:
            // With a rate of zero every step computes the same numbers, and with beta1 = 0 Adam's mean is the gradient.
            // The arithmetic is that of any other rate.
            var trainer = Trainer(
                network, loss: .halfSquaredError, optimizer: .adam(learningRate: 0, beta1: 0))
            pass = { _ = trainer.step(problem.x, problem.targets, problem.packing) }
            result = { trainer.optimizerState.mean!.elements }
        }
    }
}

/// What both backends are given.
struct Problem<S: Scalar> {
    let configuration: Configuration
    let packing: Packing
    let parameters: Parameters<S>
    /// [N, I]
    let x: Matrix<S>
    /// [N, 1], for training.
    let targets: Matrix<S>

    init(_ job: Job) {
        let shape = job.shape
        var random = Random(seed: 1)
        configuration = job.form.configuration(shape, head: job.pass == .training ? Head(outputSize: 1) : nil)
        packing = job.form.packing(shape)
        parameters = Parameters(configuration, .pyTorch, using: &random)
        func normal(_ rows: Int, _ columns: Int) -> Matrix<S> {
            Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in S(random.normal()) })
        }
        x = normal(packing.rowCount, shape.inputs)
        targets = normal(packing.rowCount, 1)
    }
}
