import Testing
import TestSupport

@testable import Sluice

@Suite struct WorkspaceTests {
    private static func batch(_ lengths: [Int], _ configuration: Configuration, seed: UInt64 = 2) -> Batch<Double> {
        var random = Random(seed: seed)
        let packing = Packing(lengths: lengths)
        return Batch(
            x: .random(rows: packing.rowCount, columns: configuration.inputSize, using: &random),
            targets: .random(
                rows: configuration.outputRowCount(packing), columns: configuration.outputSize, using: &random),
            packing: packing)
    }

    /// As if something else had been there before: whatever is read without being written shows.
    private static func spoil(_ workspace: Workspace<Double>) {
        for block in workspace.rooms + [workspace.states] { block.view.fill(.nan) }
    }

    // MARK: What is in the memory before

    struct Case: Sendable, CustomTestStringConvertible {
        let configuration: Configuration
        var regularization = Regularization.none
        var segmentation = Segmentation()
        var testDescription: String {
            "\(configuration.testDescription) \(configuration.head?.steps.rawValue ?? "-") "
                + "\(regularization == .none ? "" : "regularised") \(segmentation.checkpointing)"
        }
    }

    static let cases: [Case] = {
        let heads = [nil] + Head.Steps.allCases.map { Head(outputSize: 2, steps: $0) }
        var cases: [Case] = []
        for direction in Direction.allCases {
            for head in heads {
                for configuration in Configuration.everyCell(
                    inputSize: 3, hiddenSize: 5, layers: 2, direction: direction, head: head)
                {
                    cases.append(Case(configuration: configuration))
                    let rates = Regularization(
                        dropout: 0.2, inputDropout: 0.2, recurrentDropout: 0.2, zoneout: 0.2,
                        cellZoneout: configuration.hasCellState ? 0.2 : 0)
                    if head?.steps == .all { cases.append(Case(configuration: configuration, regularization: rates)) }
                    if direction == .forward {
                        cases.append(
                            Case(
                                configuration: configuration,
                                segmentation: Segmentation(checkpointing: .steps(3), chunkRows: 8)))
                    }
                }
            }
        }
        return cases
    }()

    /// A pass reads nothing that it has not written: the same bits in fresh memory and in a spoilt one, in either order of
    /// packings.
    @Test(arguments: cases)
    func passesDoNotDependOnWhatWasThere(_ test: Case) {
        let configuration = test.configuration
        var random = Random(seed: 1)
        let network = Network<Double>(configuration, .pyTorch, using: &random, workers: Workers(threads: 2))
        let batches = [[3, 9, 1, 4], (0..<40).map { 1 + ($0 * 5) % 13 }, [7, 7]].map { Self.batch($0, configuration) }
        func results(spoilt: Bool, _ order: [Int]) -> [Int: [UInt64]] {
            var trainer = Trainer(
                network, loss: .meanSquaredError, optimizer: .sgd(learningRate: 0), regularization: test.regularization)
            trainer.segmentation = test.segmentation
            var results: [Int: [UInt64]] = [:]
            for index in order {
                let batch = batches[index]
                trainer.random = Random(seed: 4)
                if spoilt, let workspace = trainer.workspace.workspace { Self.spoil(workspace) }
                var numbers = [trainer.step(batch)] + trainer.gradient.values.elements
                if spoilt, let workspace = trainer.workspace.workspace { Self.spoil(workspace) }
                numbers.append(trainer.evaluate(batch.x, batch.targets, batch.packing))
                results[index] = numbers.map(\.bitPattern)
            }
            return results
        }
        let fresh = results(spoilt: false, [0]).merging(results(spoilt: false, [1])) { $1 }
            .merging(results(spoilt: false, [2])) { $1 }
        #expect(results(spoilt: true, [0, 1, 2]) == fresh)
        #expect(results(spoilt: true, [1, 2, 0]) == fresh)
    }

    /// The same of workspaces that callers keep, laid out again for other batches.
    @Test(arguments: cases.filter { $0.segmentation == Segmentation() })
    func laidOutAgain(_ test: Case) {
        let configuration = test.configuration
        var random = Random(seed: 1)
        let network = Network<Double>(configuration, .pyTorch, using: &random, workers: Workers(threads: 2))
        let batches = [[3, 9, 1, 4], (0..<40).map { 1 + ($0 * 5) % 13 }, [7, 7]].map { Self.batch($0, configuration) }
        let inference = Workspace<Double>(configuration, batches[0].packing, recording: false)
        let recording = Workspace<Double>(
            configuration, batches[0].packing, recording: true, regularization: test.regularization)
        for index in [0, 1, 2, 0, 2, 1] {
            let batch = batches[index]
            inference.prepare(for: batch.packing)
            recording.prepare(for: batch.packing)
            #expect(inference.packing == batch.packing)
            Self.spoil(inference)
            Self.spoil(recording)
            var state = State<Double>(configuration, sequences: batch.packing.sequenceCount)
            var outputs = batch.targets
            network.forward(batch.x, in: inference, state: &state, into: &outputs)
            let expected = network.forward(batch.x, batch.packing)
            #expect(outputs == expected.outputs && state == expected.state)

            var draws = Random(seed: 4), others = Random(seed: 4)
            let gradients = network.record(batch.x, in: recording, using: &draws).backward(outputs: batch.targets)
            let fresh = network.record(batch.x, batch.packing, regularization: test.regularization, using: &others)
                .backward(outputs: batch.targets)
            #expect(gradients.parameters == fresh.parameters && gradients.inputs == fresh.inputs)
            #expect(gradients.initialState == fresh.initialState)
        }
    }

    @Test func notWhileARecordingIsHeld() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let configuration = Configuration(cell: .lstm, inputSize: 2, hiddenSize: 3)
            var random = Random(seed: 1)
            let network = Network<Double>(configuration, .pyTorch, using: &random)
            let workspace = Workspace<Double>(configuration, Packing(lengths: [2]), recording: true)
            let recording = network.record(Matrix(rows: 2, columns: 2), in: workspace)
            workspace.prepare(for: Packing(lengths: [3]))
            _ = recording.outputs
        }
        #expect(result.says("this workspace is in use by another pass, or by a recording that is still held"))
    }

    // MARK: What is kept

    /// Ever new packings: one block as large as the largest batch's, up to a quarter, and small lists.
    @Test(arguments: [Direction.forward, .bidirectional], [1, 2])
    func everNewPackingsKeepLittle(_ direction: Direction, threads: Int) {
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 8, direction: direction, head: Head(outputSize: 1))
        var random = Random(seed: 1)
        let network = Network<Double>(configuration, .pyTorch, using: &random, workers: Workers(threads: threads))
        var trainer = Trainer(network, loss: .meanSquaredError, optimizer: .adam())
        trainer.metric = Metric("none") { _, _, _ in (0, 1) }
        var largest = 0
        for _ in 0..<2_000 {
            let sequences = Int.random(in: 1...40, using: &random)
            let batch = Self.batch((0..<sequences).map { _ in Int.random(in: 1...40, using: &random) }, configuration)
            trainer.step(batch)
            _ = trainer.evaluate(batch.x, batch.targets, batch.packing)
            let count = PassLayout.count(
                configuration, batch.packing, PassKind(purpose: .training), threads: threads, scalar: Double.self)
            largest = max(largest, count)
        }
        let workspace = trainer.workspace.workspace!
        let held = (workspace.rooms + [workspace.states]).reduce(0) { $0 + $1.capacity }
        #expect(held >= largest / 2 && Double(held) < 1.5 * Double(largest), "\(held) numbers, the largest \(largest)")
        #expect(workspace.layouts.count <= 64 && workspace.layouts.bytes <= 4 << 20)
    }

    /// Lengths that grow by a step each time do not make new memory each time.
    @Test func growsByAQuarterAtLeast() {
        var matrix = Matrix<Float>(rows: 0, columns: 3), capacities: [Int] = []
        for rows in 1...1_000 {
            matrix.take(rows: rows, columns: 3)
            #expect(matrix.rows == rows && matrix.columns == 3 && matrix.elements.count == 3 * rows)
            if capacities.last != matrix.capacity { capacities.append(matrix.capacity) }
        }
        #expect(capacities.count < 40 && Double(matrix.capacity) <= 1.25 * 3_000)
        // A copy is not written over.
        let copy = matrix
        matrix.take(rows: 2, columns: 2)
        matrix.mutableView().fill(1)
        #expect(copy.rows == 1_000 && copy[0, 0] == 0 && matrix.elements == [1, 1, 1, 1])
    }

    /// A hash that is another's too finds no wrong layout.
    @Test func recentValues() {
        var kept = RecentValues<Int>()
        kept.keep(1, hash: 7, bytes: 10)
        kept.keep(2, hash: 7, bytes: 20)
        #expect(kept[7] == 2 && kept.count == 1 && kept.bytes == 20 && kept[8] == nil)
        for number in 0..<1_000 { kept.keep(number, hash: number, bytes: 1) }
        #expect(kept.count == 64 && kept[999] == 999 && kept[935] == nil && kept[936] == 936)
        for number in 0..<6 { kept.keep(number, hash: number, bytes: 3 << 20) }
        #expect(kept.count == 4 && kept.bytes == 12 << 20 && kept[5] == 5 && kept[2] == 2 && kept[1] == nil)
    }
}
