import Foundation
import Testing
import TestSupport

@testable import Sluice

/// Parts of a batch, one after another or each by a worker, against the whole.
@Suite struct AccumulationTests {
    /// A ragged batch of 40 sequences and its parts, for a loss; each part has its own share of rows that do not count.
    struct Problem: Sendable, CustomStringConvertible {
        let loss: Loss
        var isSummedUp = false
        var areClasses = false
        var description: String { "\(loss) \(isSummedUp ? "a sequence" : "a step")" }

        var configuration: Configuration {
            Configuration(
                cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 8, layers: 2, direction: .bidirectional,
                head: Head(outputSize: 4, steps: isSummedUp ? .mean : .all))
        }

        var trainer: Trainer<Double> {
            var random = Random(seed: 1)
            let network = Network<Double>(configuration, .pyTorch, using: &random)
            return Trainer(network, loss: loss, optimizer: .sgd(learningRate: 0.5), clipping: .norm(0.05))
        }

        /// Where classes are ignored, all of the first two sequences' are.
        var examples: Examples<Double> {
            var random = Random(seed: 2)
            let lengths = (0..<40).map { 1 + ($0 * 5) % 9 }, rows = lengths.reduce(0, +)
            let targetRows = isSummedUp ? 40 : rows, ignored = isSummedUp ? 2 : lengths[0] + lengths[1]
            var targets = Matrix<Double>.random(rows: targetRows, columns: areClasses ? 1 : 4, using: &random)
            if areClasses {
                for row in 0..<targetRows {
                    targets[row, 0] = row < ignored || row % 3 == 0 ? -100 : Double(row % 4)
                }
            }
            return Examples(
                inputs: .random(rows: rows, columns: 3, using: &random), targets: targets, lengths: lengths)
        }

        /// The batch in so many parts, the first of two sequences.
        func parts(_ count: Int) -> [Batch<Double>] {
            var bounds = [0, 2]
            for part in 1..<count { bounds.append(2 + 38 * part / (count - 1)) }
            return zip(bounds, bounds.dropFirst()).map { examples.batch(Array(0..<40)[$0..<$1]) }
        }

        var whole: Batch<Double> { examples.batch(Array(0..<40)[...]) }
    }

    static let problems: [Problem] =
        [Loss.halfSquaredError, .meanSquaredError, .huber(), .binaryCrossEntropy].flatMap {
            [Problem(loss: $0), Problem(loss: $0, isSummedUp: true)]
        } + [
            Problem(loss: .crossEntropy(classWeights: [1, 2, 3, 0.5]), areClasses: true),
            Problem(loss: .crossEntropy(), isSummedUp: true, areClasses: true),
        ]

    @Test(arguments: problems, [2, 3, 7])
    func partsAddUpToTheWhole(_ problem: Problem, _ count: Int) {
        var whole = problem.trainer, parted = problem.trainer
        for _ in 0..<3 {
            let loss = whole.step(problem.whole)
            for part in problem.parts(count).dropLast() { parted.accumulate(part) }
            let total = parted.step(problem.parts(count).last!)
            #expect(abs(total - loss) < 1e-12 * abs(loss))
            #expect(abs(parted.gradientNorm! - whole.gradientNorm!) < 1e-12 * whole.gradientNorm!)
        }
        #expect(whole.gradientNorm! > 0.05, "it was clipped")
        #expect(parted.optimizerState.updates == 3)
        #expect(
            relativeDifference(parted.network.parameters.values, whole.network.parameters.values) < 1e-12)
    }

    /// Where parts count alike, the gradient is that of the mean of their losses.
    @Test func equalPartsAreTheMeanOfTheirLosses() {
        let problem = Problem(loss: .meanSquaredError, isSummedUp: true)
        var trainer = problem.trainer
        let first = problem.examples.batch(Array(0..<20)[...]), second = problem.examples.batch(Array(20..<40)[...])
        let mean =
            (trainer.evaluate(first.x, first.targets, first.packing)
                + trainer.evaluate(second.x, second.targets, second.packing)) / 2
        trainer.accumulate(first)
        #expect(abs(trainer.step(second) - mean) < 1e-14 * mean)
    }

    /// After a loss that is not finite all is dropped, the parameters stay, and the next update is of its own batches.
    @Test func aLossThatIsNotFiniteDropsTheRest() {
        let problem = Problem(loss: .meanSquaredError)
        var trainer = problem.trainer, bad = problem.parts(2)[0]
        bad.x[0, 0] = .nan
        trainer.accumulate(bad)
        #expect(!trainer.step(problem.parts(2)[1]).isFinite)
        #expect(trainer.network.parameters == problem.trainer.network.parameters)
        #expect(trainer.gradientNorm == nil && trainer.optimizerState.updates == 0)
        var other = problem.trainer
        #expect(trainer.step(problem.whole) == other.step(problem.whole))
        #expect(trainer.network.parameters == other.network.parameters)
    }

    /// Norms of layers and head, and of the whole.
    @Test func normsAreThoseOfTheLayers() {
        let problem = Problem(loss: .meanSquaredError)
        var trainer = problem.trainer
        trainer.step(problem.whole)
        let gradient = trainer.gradient
        func norm(_ suffixes: [String]) -> Double {
            gradient.layout.entries.filter { entry in suffixes.contains { entry.name.contains($0) } }
                .flatMap { gradient[$0.name].elements }.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let expected = [norm(["_l0"]), norm(["_l1"]), norm(["head"])]
        #expect(trainer.gradientNorms.count == 3)
        for (norm, expected) in zip(trainer.gradientNorms, expected) {
            #expect(abs(norm - expected) < 1e-14 * expected)
        }
        #expect(abs(trainer.gradientNorm! - norm(["_", "head"])) < 1e-14 * trainer.gradientNorm!)
    }
}

@Suite struct AllReduceTests {
    /// Every worker's parameters are the same bits, those of one trainer on the whole, and the same in every run.
    /// Losses are normalised by the whole batch's sequences, rows or weights: a part of rows that are all ignored
    /// counts for nothing. What is clipped is the whole gradient.
    @Test(arguments: AccumulationTests.problems, [2, 3, 5, 8])
    func workersAreOneTrainer(_ problem: AccumulationTests.Problem, _ count: Int) {
        var whole = problem.trainer
        let losses = (0..<3).map { _ in whole.step(problem.whole) }
        let first = Self.run(problem, count), second = Self.run(problem, count)
        for worker in first + second {
            #expect(worker.parameters == first[0].parameters && worker.losses == first[0].losses)
            #expect(worker.evaluation == first[0].evaluation)
        }
        #expect(relativeDifference(first[0].parameters, whole.network.parameters.values) < 1e-12)
        for (loss, expected) in zip(first[0].losses, losses) { #expect(abs(loss - expected) < 1e-12 * expected) }
        let evaluation = whole.evaluate([problem.whole])
        #expect(abs(first[0].evaluation.loss - evaluation.loss) < 1e-12 * evaluation.loss)
    }

    struct Outcome: Sendable {
        var parameters = Matrix<Double>(rows: 0, columns: 0)
        var losses: [Double] = []
        var evaluation = Evaluation(loss: 0, metric: nil)
    }

    /// Three steps of so many workers, each with its part of the batch, and then an evaluation.
    static func run(_ problem: AccumulationTests.Problem, _ count: Int) -> [Outcome] {
        let members = ThreadAllReduce<Double>.members(count), parts = problem.parts(count)
        return concurrently(count) { rank in
            var trainer = problem.trainer
            trainer.allReduce = members[rank]
            var outcome = Outcome()
            for _ in 0..<3 { outcome.losses.append(trainer.step(parts[rank])) }
            outcome.evaluation = trainer.evaluate([parts[rank]])
            outcome.parameters = trainer.network.parameters.values
            return outcome
        }
    }

    /// One worker's loss that is not finite stops the update of all, and none waits for another.
    @Test func aLossThatIsNotFiniteIsSoForAll() {
        let problem = AccumulationTests.Problem(loss: .meanSquaredError)
        let members = ThreadAllReduce<Double>.members(3), parts = problem.parts(3)
        let isUnchanged = concurrently(3) { rank in
            var trainer = problem.trainer, part = parts[rank]
            trainer.allReduce = members[rank]
            if rank == 1 { part.x[0, 0] = .nan }
            let loss = trainer.step(part)
            return !loss.isFinite && trainer.network.parameters == problem.trainer.network.parameters
        }
        #expect(isUnchanged == [true, true, true])
    }

    /// Accumulated parts are added up before workers meet.
    @Test func workersMayAccumulate() {
        let problem = AccumulationTests.Problem(loss: .crossEntropy(), areClasses: true)
        let members = ThreadAllReduce<Double>.members(2), parts = problem.parts(4)
        let parameters = concurrently(2) { rank in
            var trainer = problem.trainer
            trainer.allReduce = members[rank]
            for _ in 0..<3 {
                trainer.accumulate(parts[2 * rank])
                trainer.step(parts[2 * rank + 1])
            }
            return trainer.network.parameters.values
        }
        var whole = problem.trainer
        for _ in 0..<3 { whole.step(problem.whole) }
        #expect(parameters[0] == parameters[1])
        #expect(relativeDifference(parameters[0], whole.network.parameters.values) < 1e-12)
    }

    /// Sums in the workers' order, whatever the number of columns.
    @Test(arguments: [1, 2, 7, 8, 9, 1000]) func sums(_ columns: Int) {
        let members = ThreadAllReduce<Float>.members(4)
        var random = Random(seed: 3)
        let values = (0..<4).map { _ in Matrix<Float>.random(rows: 1, columns: columns, using: &random) }
        let expected = (0..<columns).map { column in
            values.dropFirst().reduce(values[0][0, column]) { $0 + $1[0, column] }
        }
        let results = concurrently(4) { rank in
            var sum = values[rank]
            for _ in 0..<100 {
                sum = values[rank]
                members[rank].sum(&sum)
            }
            return sum.elements
        }
        for result in results { #expect(result == expected) }
    }
}

/// Calls `body` on as many threads at once, each with its number; the results in their order.
func concurrently<R: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) -> R) -> [R] {
    let results = Results<R>(count)
    let threads = (0..<count).map { index in
        let thread = Thread { results.set(index, body(index)) }
        thread.stackSize = 8 << 20
        thread.start()
        return thread
    }
    return withExtendedLifetime(threads) { results.wait() }
}

private final class Results<R: Sendable>: @unchecked Sendable {
    private var values: [R?]
    private let condition = NSCondition()

    init(_ count: Int) { values = Array(repeating: nil, count: count) }

    func set(_ index: Int, _ value: R) {
        condition.lock()
        values[index] = value
        condition.broadcast()
        condition.unlock()
    }

    func wait() -> [R] {
        condition.lock()
        defer { condition.unlock() }
        while values.contains(where: { $0 == nil }) { condition.wait() }
        return values.map { $0! }
    }
}
