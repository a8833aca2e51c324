import ArgumentParser
import Sluice

/// `bench trainer`: what a training run adds to its passes, and the optimiser's speed in bytes.
struct TrainerCost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trainer",
        abstract: "What a training run adds to its passes; the optimiser in bytes a second.",
        discussion: """
            A step of a run, with batching, shuffling, loss, metric, norms, Adam and report, in turns with the passes alone: \
            forward, backward and the weights packed again, as any change of them asks for. The difference is the run's own.
            """)

    @Option(help: "Threads.") var threads = 1
    @Option(help: "Parameters of the optimiser's table.") var parameters = 1 << 22

    func validate() throws {
        try Machine.check(threads: threads)
        guard (1...1 << 40).contains(parameters) else {
            throw ValidationError("--parameters must be from 1 to \(1 << 40), not \(parameters).")
        }
        try Sizes.check("A table of \(parameters) parameters", needing: 4 * 8 * Double(parameters))
    }

    func run() {
        ReleaseBuild.handOverFromDebugBuild()
        let out = Output(.standardOutput)
        out.line(Machine(threads: threads).description)
        out.line("")
        out.line(Text.row(["B,T,I,H", "scalar", "step", "passes", "own", "share"], Self.columns))
        for shape in [Shape(100, 5, 2, 16), Shape(32, 100, 256, 256)] {
            out.line(line(shape, Float.self))
            out.line(line(shape, Double.self))
        }
        out.line("")
        out.line(Text.row(["Adam", "scalar", "numbers", "update", "GB/s", ""], Self.columns))
        out.line(adamLine(Float.self))
        out.line(adamLine(Double.self))
    }

    private static let columns = [-14, -7, 9, 9, 9, 7]

    /// Sixteen batches an epoch of the larger shape; the addition task is one.
    private func line<S: Scalar>(_ shape: Shape, _: S.Type) -> String {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: shape.inputs, hiddenSize: shape.hidden, head: Head(outputSize: 1))
        let network = Network<S>(configuration, .pyTorch, using: &random, workers: Workers(threads: threads))
        let count = shape.batch == 100 ? shape.batch : 16 * shape.batch, rows = count * shape.steps
        func normal(_ columns: Int) -> Matrix<S> {
            Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in S(random.normal()) })
        }
        let examples = Examples<S>(
            inputs: normal(shape.inputs), targets: normal(1),
            lengths: [Int](repeating: shape.steps, count: count))
        var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam(learningRate: 1e-5))
        trainer.metric = .binaryAccuracy()
        var fit = Fit(trainer, Batches(examples, Batching(size: shape.batch)), epochs: .max)
        let passes = passes(network, examples.batches(of: shape.batch)[0])
        let timings = Side.timings([{ _ = try? fit.step() }, passes], .standard)
        let step = timings[0].min, alone = timings[1].min
        return Text.row(
            [
                shape.description, S.type.rawValue, Text.time(step), Text.time(alone), Text.time(max(step - alone, 0)),
                Text.significant(100 * (step - alone) / step, 2) + " %",
            ], Self.columns)
    }

    /// Seven numbers a parameter: p, g, m and v are read, p, m and v written.
    private func adamLine<S: Scalar>(_: S.Type) -> String {
        var trial = UpdateTrial<S>(count: parameters, workers: Workers(threads: threads))
        let seconds = Side.timings([{ trial.update() }], .standard)[0].min
        let bytes = Double(7 * parameters * MemoryLayout<S>.stride)
        return Text.row(
            ["", S.type.rawValue, "\(parameters)", Text.time(seconds), Text.significant(bytes / seconds / 1e9, 3), ""],
            Self.columns)
    }

    /// Forward and backward alone, in kept memory, each with weights that have just changed.
    private func passes<S: Scalar>(_ network: Network<S>, _ batch: Batch<S>) -> () -> Void {
        let configuration = network.configuration
        let workspace = Workspace<S>(configuration, batch.packing, recording: true)
        var gradients = Gradients<S>(configuration, batch.packing, inputs: false), network = network
        return {
            network.parameters.values[0, 0] += 0
            network.record(batch.x, in: workspace).backward(outputs: batch.targets, into: &gradients)
        }
    }
}
