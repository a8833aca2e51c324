import Testing
import TestSupport

@testable import Sluice

/// A copy of a value is a value of its own: it may be used on another thread, at the same time.
@Suite struct CopyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let cell: Cell
        var direction = Direction.forward
        var threads = 1
        var checkpointing = Checkpointing.none
        var isRegularized = false
        var hidden = 8

        var testDescription: String {
            "\(cell) \(direction) H \(hidden), \(threads) threads, \(checkpointing), \(isRegularized ? "regularised" : "plain")"
        }
    }

    static let cases = [
        Case(cell: .gru(.resetAfter)), Case(cell: .lstm, threads: 2),
        Case(cell: .gru(.resetBefore), direction: .bidirectional, threads: 3, isRegularized: true),
        Case(cell: .lstm(.peephole), checkpointing: .steps(5)),
        Case(cell: .lstm, threads: 2, checkpointing: .automatic, isRegularized: true),
        Case(cell: .rnn(.tanh), direction: .bidirectionalSum), Case(cell: .gru(.resetAfter), threads: 2, hidden: 96),
    ]

    /// What a copy does from the moment that it is made.
    private static func go(
        _ trainer: Trainer<Double>, _ batches: [Batch<Double>], _ rounds: Int
    ) -> (losses: [Double], parameters: [Double]) {
        var trainer = trainer, losses: [Double] = []
        for round in 0..<rounds {
            losses.append(trainer.step(batches[round % batches.count]))
            losses.append(trainer.accumulate(batches[(round + 1) % batches.count]))
            losses.append(trainer.step(batches[(round + 2) % batches.count]))
            losses.append(trainer.evaluate(batches).loss)
            losses.append(trainer.evaluate(batches).metric ?? 0)
        }
        return (losses, trainer.network.parameters.values.elements)
    }

    @Test(arguments: cases)
    func sixteenCopiesOfAUsedTrainer(_ test: Case) {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: test.cell, inputSize: 3, hiddenSize: test.hidden, layers: 2, direction: test.direction,
            head: Head(outputSize: 2))
        let batches = [
            Array(repeating: 6, count: 5), (0..<40).map { 1 + ($0 * 5) % 17 }, [3, 9, 1, 1], [12],
        ].map { lengths in
            let packing = Packing(lengths: lengths)
            return Batch<Double>(
                x: .random(rows: packing.rowCount, columns: 3, using: &random),
                targets: .random(rows: packing.rowCount, columns: 2, using: &random), packing: packing)
        }
        let network = Network<Double>(
            configuration, .pyTorch, using: &random, workers: Workers(threads: test.threads))
        var original = Trainer(
            network, loss: .meanSquaredError, optimizer: .adam(learningRate: 0.01),
            checkpointing: test.checkpointing,
            regularization: test.isRegularized
                ? Regularization(dropout: 0.2, inputDropout: 0.1, recurrentDropout: 0.2, zoneout: 0.1) : .none)
        original.metric = Metric("largest") { outputs, _, _ in (outputs.elements.max()!, 1) }
        for batch in batches.prefix(3) {
            original.step(batch)
            _ = original.evaluate([batch])
        }

        let alone = Self.go(original, batches, 6)
        #expect(Set(alone.losses).count > 10)
        let copies = Array(repeating: original, count: 16)
        // Each thread's own copy, and the original among them.
        let results = concurrently(16) { Self.go(copies[$0], batches, 6) }
        for result in results { #expect(result.losses == alone.losses && result.parameters == alone.parameters) }
    }

    /// As above, of whole runs.
    @Test func sixteenCopiesOfAUsedRun() throws {
        let batches = Batches<Double>(
            FitTests.examples(60, seed: 2), Batching(size: 7, bucketing: .windows(batches: 2)), random: Random(seed: 5))
        var original = Fit(
            FitTests.trainer(), batches, epochs: 4, accumulating: 2,
            validation: FitTests.examples(30, seed: 3).batches(of: 8))
        for _ in 0..<11 { _ = try original.step() }

        @Sendable func finish(_ fit: Fit<Double>) -> [Double] {
            var fit = fit, losses: [Double] = []
            while let report = try! fit.step() {
                losses.append(report.loss)
                if let loss = report.epochEnd?.validation?.loss { losses.append(loss) }
            }
            return losses + fit.trainer.network.parameters.values.elements
        }
        let alone = finish(original), copies = Array(repeating: original, count: 16)
        #expect(alone.count > 30)
        for result in concurrently(16, { finish(copies[$0]) }) { #expect(result == alone) }
    }

    /// One network, its weights not packed yet, on many threads; and networks that share their workers.
    @Test func oneNetworkOnManyThreads() {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: .lstm, inputSize: 4, hiddenSize: 64, layers: 2, head: Head(outputSize: 1))
        let packing = Packing(lengths: (0..<40).map { 1 + ($0 * 5) % 17 })
        let x = Matrix<Float>.random(rows: packing.rowCount, columns: 4, using: &random)
        let dy = Matrix<Float>.random(rows: packing.rowCount, columns: 1, using: &random)
        let workers = Workers(threads: 3)
        let parameters = Parameters<Float>(configuration, .pyTorch, using: &random)
        @Sendable func pass(_ network: Network<Float>) -> (Matrix<Float>, Parameters<Float>) {
            (network.forward(x, packing).outputs, network.record(x, packing).backward(outputs: dy).parameters)
        }
        let alone = pass(Network(configuration, parameters))
        for _ in 0..<5 {
            let network = Network(configuration, parameters, workers: workers)
            let other = Network(configuration, parameters, workers: workers)
            for result in concurrently(8, { pass($0.isMultiple(of: 2) ? network : other) }) {
                #expect(result == alone)
            }
        }
    }
}
