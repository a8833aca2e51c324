import Sluice

/// One cell of the comparison, ready to run.
protocol PeerCell {
    /// How, in words.
    var way: String { get }
    /// Computes once and writes every result to `prefix.NAME.bin`. Returns the types of their numbers.
    func check(writingTo prefix: String) throws -> [String: String]
    /// Seconds for `count` repetitions.
    func run(_ count: Int) -> Double
    /// Bytes beyond inputs and parameters that a first training step needs.
    func memory() throws -> Int
}

/// The losses of the addition job are compared over so many iterations; worker.py has the same number.
let jobCheckIterations = 100

struct PeerPrepared<S: Scalar>: PeerCell {
    private let mode: PeerMode
    private let files: PeerFiles<S>
    private let configuration: Configuration
    private let parameters: Parameters<S>
    private let packing: Packing
    /// [N, I]
    private let x: Matrix<S>
    private let network: Network<S>
    private let workers: Workers

    init(_ request: PeerRequest) throws {
        mode = try request.mode.needed("mode")
        let batch = try request.batch.needed("batch"), steps = try request.steps.needed("steps")
        let inputs = try request.inputs.needed("inputs"), hidden = try request.hidden.needed("hidden")
        let cell = mode == .job ? Cell.gru(.chung2014) : try request.cell.needed("cell")
        let layers = try request.layers.needed("layers"), direction = try request.direction.needed("direction")
        try Sizes.check("layers", layers)
        let form = Form(
            cell: cell, direction: direction, layers: layers, projection: request.projection, isRagged: false)
        try form.check(Shape(batch, steps, inputs, hidden), request.scalar.needed("scalar"))
        files = try PeerFiles(folder: request.folder.needed("folder"), scalar: request.scalar.needed("scalar"))
        configuration = Configuration(
            cell: cell, inputSize: inputs, hiddenSize: hidden, layers: layers, direction: direction,
            projectionSize: request.projection,
            head: mode == .job ? Head(outputSize: 1) : nil)
        parameters = try files.parameters(configuration)
        packing = Packing(lengths: request.lengths ?? [Int](repeating: steps, count: batch))
        x = packing.pack(try files.matrix("x", steps * batch, inputs), order: .timeMajor)
        workers = Workers(threads: try request.threads.needed("threads"))
        network = Network(configuration, parameters, workers: workers)
        training = nil
        job = nil
        switch mode {
        case .training:
            let dy = try files.matrix("dy", steps * batch, configuration.outputSize)
            training = PeerTraining(network, x, packing, packing.pack(dy, order: .timeMajor))
        case .job:
            job = PeerJob(
                x: x, y: try files.matrix("y", packing.rowCount, 1),
                testX: try files.matrix("test_x", packing.rowCount, inputs),
                testY: try files.matrix("test_y", packing.rowCount, 1))
        case .forward, .stream: break
        }
    }

    private var training: PeerTraining<S>?
    private var job: PeerJob<S>?

    var way: String {
        switch mode {
        case .forward: "Network.forward in a kept workspace"
        case .training: PeerTraining<S>.way
        case .stream: "StreamingNetwork.step"
        case .job: "Trainer"
        }
    }

    func run(_ count: Int) -> Double {
        switch mode {
        case .forward:
            let workspace = Workspace<S>(configuration, packing, recording: false)
            var state = State<S>(configuration, sequences: packing.sequenceCount)
            var outputs = Matrix<S>(rows: packing.rowCount, columns: configuration.outputSize)
            return seconds {
                for _ in 0..<count { network.forward(x, in: workspace, state: &state, into: &outputs) }
            }
        case .training: return seconds { for _ in 0..<count { training!.step() } }
        case .stream:
            var stream = PeerStream(network, sequences: packing.sequenceCount)
            let input = rows(of: x, packing.rows(at: 0))
            return seconds { for _ in 0..<count { stream.advance(input) } }
        case .job: return train(count).seconds
        }
    }

    func check(writingTo prefix: String) throws -> [String: String] {
        switch mode {
        case .forward: return try files.write(["y": padded(network.forward(x, packing).outputs)], prefix)
        case .training:
            let training = training!
            training.step()
            let gradients = training.gradients
            var results = ["y": padded(training.outputs), "dx": padded(gradients.inputs!)]
            for entry in gradients.parameters.layout.entries {
                let matrix = gradients.parameters[entry.name]
                results["d" + entry.name] = transposed(matrix.elements, matrix.rows, matrix.columns)
            }
            return try files.write(results, prefix)
        case .stream:
            var stream = PeerStream(network, sequences: packing.sequenceCount)
            var outputs: [S] = []
            for step in 0..<packing.stepCount {
                stream.advance(rows(of: x, packing.rows(at: step)))
                outputs += stream.outputs.elements
            }
            return try files.write(["y": outputs], prefix)
        case .job: return try files.write(["losses": train(jobCheckIterations).losses], prefix)
        }
    }

    /// The addition job from the start: losses `[iterations, 2]`, before the update and then on the test set.
    private func train(_ iterations: Int) -> (losses: [S], seconds: Double) {
        let job = job!
        var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
        var losses: [S] = []
        losses.reserveCapacity(2 * iterations)
        let time = seconds {
            for _ in 0..<iterations {
                losses.append(trainer.step(job.x, job.y, packing))
                losses.append(trainer.evaluate(job.testX, job.testY, packing))
            }
        }
        return (losses, time)
    }

    func memory() throws -> Int {
        guard let training else { throw PeerFailure(description: "memory is measured for training") }
        var random = Random(seed: 1)
        let tiny = Configuration(cell: .gru(.resetAfter), inputSize: 4, hiddenSize: 4)
        let tinyPacking = Packing(sequences: 2, steps: 2)
        let zeros = Matrix<S>(rows: 4, columns: 4)
        PeerTraining(Network(tiny, .pyTorch, using: &random, workers: workers), zeros, tinyPacking, zeros).step()

        let base = try PeerMemory.settle()
        // Packed weights are Sluice's own need: they count, and so the network is made again.
        let fresh = Network(configuration, parameters, workers: workers)
        PeerTraining(fresh, x, packing, training.outputGradient).step()
        return try PeerMemory.peak() - base
    }

    private func rows(of matrix: Matrix<S>, _ range: Range<Int>) -> Matrix<S> {
        let columns = matrix.columns
        return Matrix(
            rows: range.count, columns: columns,
            matrix.elements[range.lowerBound * columns..<range.upperBound * columns])
    }

    /// [T, B, n], zero behind the ends of sequences.
    private func padded(_ matrix: Matrix<S>) -> [S] { packing.unpack(matrix, order: .timeMajor).elements }

    private func seconds(_ body: () -> Void) -> Double { ContinuousClock().measure(body) / .seconds(1) }
}

/// Forward and backward of a batch: the gradients by all parameters and by the inputs. A step packs the weights once, as
/// after an update.
final class PeerTraining<S: Scalar> {
    static var way: String { "Network.record and backward in a kept workspace" }

    private(set) var network: Network<S>
    let x: Matrix<S>
    let outputGradient: Matrix<S>
    private let workspace: Workspace<S>
    private(set) var gradients: Gradients<S>

    init(_ network: Network<S>, _ x: Matrix<S>, _ packing: Packing, _ outputGradient: Matrix<S>) {
        self.network = network
        self.x = x
        self.outputGradient = outputGradient
        workspace = Workspace(network.configuration, packing, recording: true)
        gradients = Gradients(network.configuration, packing)
    }

    func step() {
        network.parameters.values[0, 0] += 0 // any change packs the weights
        network.record(x, in: workspace).backward(outputs: outputGradient, into: &gradients)
    }

    /// The outputs, computed once more.
    var outputs: Matrix<S> { network.record(x, in: workspace).outputs }
}

/// One step after another, the state carried.
struct PeerStream<S: Scalar> {
    private let stream: StreamingNetwork<S>
    private(set) var outputs: Matrix<S>

    init(_ network: Network<S>, sequences: Int) {
        stream = StreamingNetwork(network, sequences: sequences)
        outputs = Matrix(rows: sequences, columns: network.configuration.outputSize)
    }

    mutating func advance(_ x: Matrix<S>) { stream.step(x, into: &outputs) }
}

struct PeerJob<S: Scalar> {
    let x: Matrix<S>
    let y: Matrix<S>
    let testX: Matrix<S>
    let testY: Matrix<S>
}
