import CAllocationCount
import Sluice
import Testing
import TestSupport

/// A step allocates nothing once its buffers exist. (Some of OpenBLAS's AVX-512 kernels take a buffer from malloc where the
/// columns are not a multiple of 16: that is theirs, and the sizes here avoid it.) Each test runs in a process of its own, as the count is the process's.
@Suite(.enabled(if: allocation_count_is_on())) struct AllocationTests {
    @Test func theCounterCounts() async {
        await #expect(processExitsWith: .success) {
            let before = allocation_count()
            let matrix = Matrix<Double>(rows: 100, columns: 100)
            precondition(matrix[0, 0] == 0 && allocation_count() >= before + 1)
        }
    }

    @Test func trainingStepsAndEvaluations() async {
        await #expect(processExitsWith: .success) {
            for cell in Cell.allCases {
                for (threads, sequences, direction) in [(1, 3, Direction.forward), (2, 40, .bidirectional)] {
                    var random = Random(seed: 1)
                    let configuration = Configuration(
                        cell: cell, inputSize: 3, hiddenSize: 32, layers: 2, direction: direction,
                        head: Head(outputSize: 2))
                    let packing = Packing(sequences: sequences, steps: 6)
                    let x = Matrix<Float>.random(rows: packing.rowCount, columns: 3, using: &random)
                    let targets = Matrix<Float>.random(rows: packing.rowCount, columns: 2, using: &random)
                    let network = Network<Float>(
                        configuration, .keras, using: &random, workers: Workers(threads: threads))
                    var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
                    for _ in 0..<2 {
                        _ = trainer.step(x, targets, packing)
                        _ = trainer.evaluate(x, targets, packing)
                    }
                    let before = allocation_count()
                    for _ in 0..<50 {
                        _ = trainer.step(x, targets, packing)
                        _ = trainer.evaluate(x, targets, packing)
                    }
                    let allocations = allocation_count() - before
                    precondition(allocations == 0, "\(cell) \(threads) threads: \(allocations) in 50 steps")
                }
            }
        }
    }

    @Test func checkpointedSteps() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            let configuration = Configuration(
                cell: .lstm, inputSize: 3, hiddenSize: 32, layers: 2, head: Head(outputSize: 2))
            let packing = Packing(lengths: (0..<40).map { 1 + ($0 * 5) % 197 }) // three chunks a shard
            let x = Matrix<Float>.random(rows: packing.rowCount, columns: 3, using: &random)
            let targets = Matrix<Float>.random(rows: packing.rowCount, columns: 2, using: &random)
            let network = Network<Float>(configuration, .keras, using: &random, workers: Workers(threads: 2))
            var trainer = Trainer(
                network, loss: .halfSquaredError, optimizer: .adam(), checkpointing: .steps(1))
            func go(_ steps: Int) {
                for _ in 0..<steps {
                    _ = trainer.step(x, targets, packing)
                    _ = trainer.evaluate(x, targets, packing)
                }
            }
            go(2)
            let before = allocation_count()
            go(25)
            let allocations = allocation_count() - before
            precondition(allocations == 0, "\(allocations) in 25 steps")
        }
    }

    /// A training set's batches, its smaller last one, and those of a test set; each packing made anew each time.
    @Test func packingsThatComeAgain() async {
        await #expect(processExitsWith: .success) {
            for direction in Direction.allCases {
                var random = Random(seed: 1)
                let configuration = Configuration(
                    cell: .lstm, inputSize: 3, hiddenSize: 32, direction: direction, head: Head(outputSize: 2))
                let batches = [[3, 7, 2], [5, 5], [2], [9, 1, 4, 4], [6, 6, 1]].map { lengths in
                    let packing = Packing(lengths: lengths)
                    return Batch<Float>(
                        x: .random(rows: packing.rowCount, columns: 3, using: &random),
                        targets: .random(rows: packing.rowCount, columns: 2, using: &random), packing: packing)
                }
                let network = Network<Float>(configuration, .keras, using: &random)
                var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
                trainer.metric = Metric("nothing") { outputs, targets, _ in
                    (Double(targets[0, 0]), outputs.rows > 0 ? 1 : 0)
                }
                func go(_ rounds: Int) {
                    for _ in 0..<rounds {
                        for batch in batches.prefix(3) { trainer.step(batch) }
                        for batch in batches.suffix(2) {
                            _ = trainer.evaluate(batch.x, batch.targets, batch.packing)
                        }
                    }
                }
                go(2)
                let before = allocation_count()
                go(20)
                let allocations = allocation_count() - before
                precondition(allocations == 0, "\(direction): \(allocations) in 20 rounds")
            }
        }
    }

    /// After the largest batch a new packing makes lists of its own steps, and no matrix.
    @Test func newPackings() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            let configuration = Configuration(
                cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 32, head: Head(outputSize: 2))
            func batch(_ lengths: [Int]) -> Batch<Float> {
                let packing = Packing(lengths: lengths)
                return Batch(
                    x: .random(rows: packing.rowCount, columns: 3, using: &random),
                    targets: .random(rows: packing.rowCount, columns: 2, using: &random), packing: packing)
            }
            let network = Network<Float>(configuration, .keras, using: &random)
            var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
            for _ in 0..<2 { trainer.step(batch([40, 40, 40, 40])) }
            let batches = (0..<1000).map { _ in batch((0..<4).map { _ in Int.random(in: 1...40, using: &random) }) }
            // The table of the kept ones has its size.
            for batch in batches.prefix(300) { trainer.step(batch) }
            let before = (allocation_count(), allocation_bytes())
            for batch in batches.suffix(700) { trainer.step(batch) }
            let count = allocation_count() - before.0, bytes = allocation_bytes() - before.1
            precondition(count <= 700 * 20 && bytes <= 700 * 6_000, "\(count), \(bytes) bytes in 700 steps")
        }
    }

    @Test func statefulSteps() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            let configuration = Configuration(cell: .lstm, inputSize: 3, hiddenSize: 32)
            let packing = Packing(lengths: [3, 7, 2])
            let x = Matrix<Float>.random(rows: packing.rowCount, columns: 3, using: &random)
            let targets = Matrix<Float>.random(rows: packing.rowCount, columns: 32, using: &random)
            let network = Network<Float>(configuration, .keras, using: &random)
            var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
            var state = State<Float>(configuration, sequences: 3)
            for _ in 0..<2 { _ = trainer.step(x, targets, packing, state: &state) }
            let before = allocation_count()
            for _ in 0..<50 { _ = trainer.step(x, targets, packing, state: &state) }
            let allocations = allocation_count() - before
            precondition(allocations == 0, "\(allocations) in 50 steps")
        }
    }

    /// Every loss, optimiser, way of clipping and schedule.
    @Test func trainingStepsOfEveryKind() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            let configuration = Configuration(
                cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 32, head: Head(outputSize: 16))
            let packing = Packing(sequences: 40, steps: 6)
            let network = Network<Float>(configuration, .keras, using: &random, workers: Workers(threads: 2))
            let x = Matrix<Float>.random(rows: packing.rowCount, columns: 3, using: &random)
            let targets = Matrix<Float>.random(rows: packing.rowCount, columns: 16, using: &random)
            let classes = Matrix<Float>(rows: packing.rowCount, columns: 1)
            let adam = Optimizer.adam()
            let weighted = Loss.crossEntropy(
                classWeights: Array(repeating: 2, count: 16), ignoredClass: 3, labelSmoothing: 0.1)
            let losses: [Loss] = [
                .halfSquaredError, .meanSquaredError, .meanAbsoluteError, .huber(), .quantile(level: 0.9),
                .binaryCrossEntropy, .crossEntropy(), weighted,
            ]
            let schedules: [Schedule] = [
                .step(every: 3), .warmUp(updates: 20, then: .cosine(updates: 50)), .oneCycle(updates: 60),
                .warmUp(updates: 5, then: .reduceOnPlateau(patience: 2)),
            ]
            let runs =
                losses.map { ($0, adam, Clipping?.none, Schedule.constant, false) }
                + [(weighted, adam, nil, .constant, true)]
                + OptimizerTests.cases.map { (.huber(), $0.optimizer, $0.clipping, .constant, false) }
                + schedules.map { (.huber(), adam, .norm(1), $0, false) }
            for (loss, optimizer, clipping, schedule, areClasses) in runs {
                let targets = areClasses ? classes : targets
                var trainer = Trainer(
                    network, loss: loss, optimizer: optimizer, schedule: schedule, clipping: clipping)
                func go(_ steps: Int) {
                    for _ in 0..<steps {
                        let loss = trainer.step(x, targets, packing)
                        _ = trainer.evaluate(x, targets, packing)
                        trainer.report(loss: loss)
                    }
                }
                go(2)
                let before = allocation_count()
                go(25)
                let allocations = allocation_count() - before
                precondition(allocations == 0, "\(loss) \(optimizer) \(schedule): \(allocations) in 25 steps")
            }
        }
    }

    /// Everything that may be left out, in trainers and recordings.
    @Test func regularisedSteps() async {
        await #expect(processExitsWith: .success) {
            for cell in Cell.allCases {
                var random = Random(seed: 1)
                let configuration = Configuration(
                    cell: cell, inputSize: 16, hiddenSize: 32, layers: 2, direction: .bidirectional)
                let regularization = Regularization(
                    dropout: 0.2, inputDropout: 0.2, recurrentDropout: 0.2, zoneout: 0.2,
                    cellZoneout: configuration.hasCellState ? 0.2 : 0)
                let packing = Packing(sequences: 40, steps: 6)
                let x = Matrix<Float>.random(rows: packing.rowCount, columns: 16, using: &random)
                let dy = Matrix<Float>.random(rows: packing.rowCount, columns: 64, using: &random)
                let network = Network<Float>(configuration, .keras, using: &random, workers: Workers(threads: 2))
                var trainer = Trainer(
                    network, loss: .halfSquaredError, optimizer: .adam(), regularization: regularization)
                let workspace = Workspace<Float>(
                    configuration, packing, recording: true, regularization: regularization)
                var gradients = Gradients<Float>(configuration, packing)
                func go(_ steps: Int) {
                    for _ in 0..<steps {
                        _ = trainer.step(x, dy, packing)
                        _ = trainer.evaluate(x, dy, packing)
                        network.record(x, in: workspace, using: &random).backward(outputs: dy, into: &gradients)
                    }
                }
                go(2)
                let before = allocation_count()
                go(20)
                let allocations = allocation_count() - before
                precondition(allocations == 0, "\(cell): \(allocations) in 20 steps")
            }
        }
    }

    @Test func forwardPassIntoAGivenBuffer() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            let configuration = Configuration(cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 32)
            let packing = Packing(lengths: [3, 7, 2])
            let network = Network<Double>(configuration, .keras, using: &random)
            let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
            let workspace = Workspace<Double>(configuration, packing, recording: false)
            var state = State<Double>(configuration, sequences: 3)
            var outputs = Matrix<Double>(rows: packing.rowCount, columns: 32)
            network.forward(x, in: workspace, state: &state, into: &outputs)
            let before = allocation_count()
            for _ in 0..<50 { network.forward(x, in: workspace, state: &state, into: &outputs) }
            let allocations = allocation_count() - before
            precondition(allocations == 0, "\(allocations) in 50 passes")
        }
    }

    @Test func recordingInAKeptWorkspace() async {
        await #expect(processExitsWith: .success) {
            // Shards over the threads; large products over the threads.
            for (sequences, hidden) in [(40, 32), (9, 256)] {
                var random = Random(seed: 1)
                let configuration = Configuration(cell: .gru(.resetBefore), inputSize: 16, hiddenSize: hidden)
                let packing = Packing(sequences: sequences, steps: 4)
                let network = Network<Double>(configuration, .keras, using: &random, workers: Workers(threads: 2))
                let x = Matrix<Double>.random(rows: packing.rowCount, columns: 16, using: &random)
                let dy = Matrix<Double>.random(rows: packing.rowCount, columns: hidden, using: &random)
                let workspace = Workspace<Double>(configuration, packing, recording: true)
                var gradients = Gradients<Double>(configuration, packing)
                network.record(x, in: workspace).backward(outputs: dy, into: &gradients)
                let before = allocation_count()
                for _ in 0..<50 { network.record(x, in: workspace).backward(outputs: dy, into: &gradients) }
                let allocations = allocation_count() - before
                precondition(allocations == 0, "\(hidden) hidden units: \(allocations) in 50 passes")
            }
        }
    }

    /// As an optimiser of one's own does.
    @Test func changingParametersInPlace() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            let configuration = Configuration(cell: .lstm, inputSize: 16, hiddenSize: 32)
            let packing = Packing(sequences: 4, steps: 4)
            var network = Network<Float>(configuration, .keras, using: &random)
            let x = Matrix<Float>.random(rows: packing.rowCount, columns: 16, using: &random)
            let dy = Matrix<Float>.random(rows: packing.rowCount, columns: 32, using: &random)
            let workspace = Workspace<Float>(configuration, packing, recording: true)
            var gradients = Gradients<Float>(configuration, packing)
            func step() {
                network.parameters.values[0, 0] += 0.5
                network.record(x, in: workspace).backward(outputs: dy, into: &gradients)
            }
            for _ in 0..<2 { step() }
            let before = allocation_count()
            for _ in 0..<50 { step() }
            let allocations = allocation_count() - before
            precondition(allocations == 0, "\(allocations) in 50 steps")
        }
    }

    @Test func streamingSteps() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            let configuration = Configuration(
                cell: .gru(.resetAfter), inputSize: 16, hiddenSize: 64, layers: 2, head: Head(outputSize: 3))
            let stream = StreamingNetwork(Network<Float>(configuration, .keras, using: &random), sequences: 2)
            let x = Matrix<Float>.random(rows: 2, columns: 16, using: &random)
            var outputs = Matrix<Float>(rows: 2, columns: 3)
            stream.step(x, into: &outputs)
            let before = allocation_count()
            for _ in 0..<50 { stream.step(x, into: &outputs) }
            let allocations = allocation_count() - before
            precondition(allocations == 0, "\(allocations) in 50 steps")
        }
    }
}
