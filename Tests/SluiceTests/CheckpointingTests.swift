import Testing
import TestSupport

@testable import Sluice

/// A checkpointed pass against the plain one, to the bit.
@Suite struct CheckpointingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let configuration: Configuration
        let lengths: [Int]
        var regularization = Regularization.none
        var testDescription: String {
            "\(configuration.testDescription) \(lengths.max()!) x \(lengths.count)"
                + (regularization == .none ? "" : ", regularised")
        }
    }

    private static let equal = [Int](repeating: 23, count: 5)
    /// Ends within segments and at their edges; one shard, or two.
    private static let ragged = [23, 1, 8, 19, 16, 23, 4]
    private static let wide = (0..<40).map { 1 + ($0 * 5) % 37 }

    static let cases: [Case] = {
        let cells = Configuration.everyCell(inputSize: 3, hiddenSize: 6, layers: 2, head: Head(outputSize: 2))
        var cases: [Case] = []
        for lengths in [equal, ragged] {
            cases += cells.map { Case(configuration: $0, lengths: lengths) }
            for steps in Head.Steps.allCases {
                for cell in [Cell.lstm, .gru(.resetAfter)] {
                    let configuration = Configuration(
                        cell: cell, inputSize: 3, hiddenSize: 6, layers: 2, head: Head(outputSize: 2, steps: steps))
                    cases.append(Case(configuration: configuration, lengths: lengths))
                }
            }
        }
        for cell in [Cell.lstm, .gru(.resetBefore)] {
            for head in [nil, Head(outputSize: 3)] {
                let configuration = Configuration(cell: cell, inputSize: 4, hiddenSize: 12, head: head)
                cases.append(Case(configuration: configuration, lengths: wide))
            }
        }
        // A recomputed segment leaves out what it left out before.
        for cell in [Cell.lstm, .gru(.resetBefore)] {
            let configuration = Configuration(
                cell: cell, inputSize: 3, hiddenSize: 6, layers: 2, head: Head(outputSize: 2))
            let regularization = Regularization(
                dropout: 0.2, inputDropout: 0.1, recurrentDropout: 0.3, zoneout: 0.2,
                cellZoneout: cell == .lstm ? 0.3 : 0)
            cases.append(Case(configuration: configuration, lengths: ragged, regularization: regularization))
        }
        return cases
    }()

    private static func check<S: Scalar>(_ test: Case, _ backend: Backend, _: S.Type) {
        let configuration = test.configuration, packing = Packing(lengths: test.lengths)
        var random = Random(seed: 4)
        let x = Matrix<S>.random(rows: packing.rowCount, columns: configuration.inputSize, using: &random)
        let targets = Matrix<S>.random(
            rows: configuration.outputRowCount(packing), columns: configuration.outputSize, using: &random)
        let parameters = Parameters<S>(configuration, .pyTorch, using: &random)
        /// The loss and its gradient, and then two more steps' parameters and an evaluation.
        func train(_ segmentation: Segmentation, threads: Int) -> (losses: [S], gradient: [S], parameters: [S]) {
            let network = Network(configuration, parameters, backend: backend, workers: Workers(threads: threads))
            var trainer = Trainer(
                network, loss: .meanSquaredError, optimizer: .adam(learningRate: 0.01),
                regularization: test.regularization)
            trainer.segmentation = segmentation
            var losses = [trainer.step(x, targets, packing)]
            let gradient = trainer.gradient.values.elements
            losses += (0..<2).map { _ in trainer.step(x, targets, packing) }
            losses.append(trainer.evaluate(x, targets, packing))
            return (losses, gradient, trainer.network.parameters.values.elements)
        }

        let chunkRows = 4 * min(test.lengths.count, 10)
        let plain = train(Segmentation(chunkRows: chunkRows), threads: 1)
        #expect(plain.gradient.contains { $0 != 0 } && plain.losses[3] < plain.losses[0])
        var counts: Set<Int> = []
        let few: [Checkpointing] = [.steps(1), .steps(9), .steps(100)]
        for checkpointing in backend == .reference ? few : few + [.automatic, .steps(5)] {
            let segmentation = Segmentation(checkpointing: checkpointing, chunkRows: chunkRows)
            counts.insert(
                ShardRuns(configuration, configuration.shards(of: packing)[0], .training, segmentation, scalar: S.type)
                    .segments.count)
            // Threads share shards out, of which only the wide batch has two.
            for threads in test.lengths.count > 16 ? [1, 2] : [1] {
                let kept = train(segmentation, threads: threads)
                #expect(bits(kept.gradient) == bits(plain.gradient), "\(checkpointing), \(threads) threads")
                #expect(bits(kept.losses) == bits(plain.losses), "\(checkpointing), \(threads) threads")
                #expect(bits(kept.parameters) == bits(plain.parameters), "\(checkpointing), \(threads) threads")
            }
        }
        #expect(counts.contains(1) && counts.count >= 3, "\(counts)")
    }

    /// So that zeros of different signs differ.
    private static func bits<S: Scalar>(_ numbers: [S]) -> [UInt64] { numbers.map { Double($0).bitPattern } }

    @Test(arguments: cases, Backend.available)
    func sameBitsAsPlain(_ test: Case, _ backend: Backend) {
        Self.check(test, backend, Double.self)
        if backend != .reference { Self.check(test, backend, Float.self) }
    }

    /// Two shards, so that the grid has them.
    @Test func theWideBatchHasShards() {
        let configuration = Configuration(cell: .gru(.resetBefore), inputSize: 4, hiddenSize: 12)
        #expect(configuration.shards(of: Packing(lengths: Self.wide)).count == 2)
    }

    /// As it runs, with chunks for the cache, and on two threads with its large products shared out.
    @Test(arguments: [Cell.gru(.resetAfter), .lstm])
    func longSequences(_ cell: Cell) {
        let configuration = Configuration(
            cell: cell, inputSize: 4, hiddenSize: 288, head: Head(outputSize: 1, steps: .last))
        let packing = Packing(sequences: 2, steps: 5_000)
        let runs = ShardRuns(
            configuration, configuration.shards(of: packing)[0], .training, Segmentation(checkpointing: .automatic),
            scalar: .float)
        #expect(runs.segments.count > 4)
        var random = Random(seed: 4)
        let x = Matrix<Float>.random(rows: packing.rowCount, columns: 4, using: &random)
        let targets = Matrix<Float>.random(rows: 2, columns: 1, using: &random)
        let network = Network<Float>(configuration, .pyTorch, using: &random)
        var plain = Trainer(network, loss: .meanSquaredError, optimizer: .adam())
        var checkpointed = Trainer(
            Network(configuration, network.parameters, workers: Workers(threads: 2)), loss: .meanSquaredError,
            optimizer: .adam(), checkpointing: .automatic)
        #expect(plain.step(x, targets, packing) == checkpointed.step(x, targets, packing))
        #expect(plain.gradient == checkpointed.gradient)
        #expect(plain.evaluate(x, targets, packing) == checkpointed.evaluate(x, targets, packing))
    }

    /// The earlier of equal largest values takes the gradient, whichever segment it is in.
    @Test func equalLargestValues() {
        let configuration = Configuration(
            cell: .rnn(.relu), inputSize: 1, hiddenSize: 1, head: Head(outputSize: 1, steps: .max))
        var parameters = Parameters<Double>(ParameterLayout(configuration))
        parameters["weight_ih_l0"] = Matrix(rows: 1, columns: 1, [1])
        parameters["head.weight"] = Matrix(rows: 1, columns: 1, [1])
        let x = Matrix<Double>(rows: 6, columns: 1, [1, 2, 0, 2, 1, 2])
        for checkpointing in [Checkpointing.none, .steps(1)] {
            var trainer = Trainer(Network(configuration, parameters), loss: .halfSquaredError, optimizer: .adam())
            trainer.segmentation = Segmentation(checkpointing: checkpointing, chunkRows: 1)
            #expect(trainer.step(x, Matrix(rows: 1, columns: 1), Packing(sequences: 1, steps: 6)) == 2)
            // d = 2 at step 1 alone, where the state before is 1: 2 * 1; a later one would give 2 * 0 or 2 * 1 + ...
            #expect(trainer.gradient["weight_hh_l0"][0, 0] == 2)
            #expect(trainer.gradient["weight_ih_l0"][0, 0] == 4)
        }
    }

    @Test func refusesAScanBack() async {
        await #expect(processExitsWith: .failure) { Self.make(.bidirectional, .automatic) }
        await #expect(processExitsWith: .failure) { Self.make(.backward, .steps(10)) }
        await #expect(processExitsWith: .failure) { Self.make(.forward, .steps(0)) }
        Self.make(.bidirectional, .none)
        Self.make(.forward, .steps(1))
    }

    private static func make(_ direction: Direction, _ checkpointing: Checkpointing) {
        var random = Random(seed: 1)
        let configuration = Configuration(cell: .lstm, inputSize: 1, hiddenSize: 2, direction: direction)
        let network = Network<Float>(configuration, .pyTorch, using: &random)
        _ = Trainer(network, loss: .halfSquaredError, optimizer: .adam(), checkpointing: checkpointing)
    }
}

// MARK: Memory

extension CheckpointingTests {
    /// The numbers of a training workspace.
    private static func count(_ configuration: Configuration, _ packing: Packing, _ checkpointing: Checkpointing) -> Int
    {
        let kind = PassKind(purpose: .training, segmentation: Segmentation(checkpointing: checkpointing))
        return PassLayout.count(configuration, packing, kind, threads: 1, scalar: Float.self)
    }

    /// Four times the steps, twice the numbers, once segments are longer than a chunk.
    @Test(arguments: Configuration.everyCell(inputSize: 16, hiddenSize: 64, layers: 2, head: Head(outputSize: 1)))
    func memoryGrowsAsTheRoot(_ configuration: Configuration) {
        func count(_ steps: Int, _ checkpointing: Checkpointing, _ packing: (Int) -> Packing) -> Double {
            Double(Self.count(configuration, packing(steps), checkpointing))
        }
        let equal: (Int) -> Packing = { Packing(sequences: 4, steps: $0) }
        let ragged: (Int) -> Packing = { Packing(lengths: [$0, $0 / 2, $0 / 3, 1]) }
        for packing in [equal, ragged] {
            for steps in [10_000, 40_000] {
                let ratio = count(4 * steps, .automatic, packing) / count(steps, .automatic, packing)
                #expect(ratio < 2.2, "\(steps)")
            }
            #expect(count(40_000, .none, packing) > 3.9 * count(10_000, .none, packing))
            #expect(count(40_000, .automatic, packing) < count(40_000, .none, packing) / 20)
        }
    }

    /// Those segments are the best of whole chunks.
    @Test func automaticIsTheLeast() {
        let configuration = Configuration(cell: .lstm, inputSize: 16, hiddenSize: 64)
        let packing = Packing(sequences: 2, steps: 100_000)
        func count(_ checkpointing: Checkpointing) -> Int {
            Self.count(configuration, packing, checkpointing)
        }
        let least = count(.automatic)
        for steps in stride(from: 128, to: 6_000, by: 128) { #expect(count(.steps(steps)) >= least) }
    }
}
