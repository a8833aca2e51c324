import ArgumentParser
import Sluice

/// `bench memory-worker`: one line of `bench memory`, in a process of its own. Prints "bytes seconds".
struct MemoryWorker: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory-worker", abstract: "One line of 'bench memory'.", shouldDisplay: false)

    @Option var steps: Int
    @Option var batch: Int
    @Option var inputs: Int
    @Option var hidden: Int
    @Option var layers: Int
    @Option var cell: Cell
    @Option var threads: Int
    @Flag var checkpointed = false

    func validate() throws {
        try Machine.check(threads: threads)
        try Sizes.check("--layers", layers)
        let form = Form(cell: cell, direction: .forward, layers: layers, projection: nil, isRagged: false)
        try form.check(Shape(batch, steps, inputs, hidden), .float)
    }

    func run() throws {
        var random = Random(seed: 1)
        let workers = Workers(threads: threads)
        let network = self.network(inputs, hidden, workers, &random)
        let packing = Packing(sequences: batch, steps: steps)
        let x = uniform(packing.rowCount, inputs, &random), y = uniform(packing.rowCount, 1, &random)

        // What every first step needs, whatever its size.
        let tinyPacking = Packing(sequences: 2, steps: 2)
        var tiny = trainer(self.network(4, 4, workers, &random))
        _ = tiny.step(uniform(4, 4, &random), uniform(4, 1, &random), tinyPacking)

        let base = try PeerMemory.settle()
        var trainer = trainer(network)
        _ = trainer.step(x, y, packing)
        let bytes = try PeerMemory.peak() - base

        var samples: [Double] = []
        while samples.count < 3 || (samples.count < 15 && samples.reduce(0, +) < 1) {
            samples.append(ContinuousClock().measure { _ = trainer.step(x, y, packing) } / .seconds(1))
        }
        Output(.standardOutput).line("\(bytes) \(samples.sorted()[samples.count / 2])")
    }

    private func network(_ inputs: Int, _ hidden: Int, _ workers: Workers, _ random: inout Random) -> Network<Float> {
        let configuration = Configuration(
            cell: cell, inputSize: inputs, hiddenSize: hidden, layers: layers, head: Head(outputSize: 1))
        return Network(configuration, .pyTorch, using: &random, workers: workers)
    }

    private func trainer(_ network: Network<Float>) -> Trainer<Float> {
        Trainer(
            network, loss: .meanSquaredError, optimizer: .adam(), checkpointing: checkpointed ? .automatic : .none)
    }

    private func uniform(_ rows: Int, _ columns: Int, _ random: inout Random) -> Matrix<Float> {
        Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in Float.random(in: -1...1, using: &random) })
    }
}
