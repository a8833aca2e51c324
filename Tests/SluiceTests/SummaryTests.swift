@testable import Sluice
import Testing
import TestSupport

@Suite struct SummaryTests {
    private static func network<S: Scalar>(
        _ configuration: Configuration, _: S.Type, threads: Int = 1, _ backend: Backend = .default
    ) -> Network<S> {
        var random = Random(seed: 1)
        return Network(configuration, .pyTorch, using: &random, backend: backend, workers: Workers(threads: threads))
    }

    @Test func aStackInBothDirections() {
        let network = Self.network(
            Configuration(
                cell: .lstm, inputSize: 8, hiddenSize: 64, layers: 2, direction: .bidirectional,
                head: Head(outputSize: 1, steps: .last)), Float.self, .reference)
        #expect(
            network.summary(for: Packing(sequences: 32, steps: 100)) == """
                Float, lstm.standard
                layer       input -> output  parameters  flops a step
                0 forward           8 -> 64      18,944        36,864
                0 backward          8 -> 64      18,944        36,864
                1 forward         128 -> 64      49,664        98,304
                1 backward        128 -> 64      49,664        98,304
                head, last         128 -> 1         129           256
                total                           137,345       270,592

                32 sequences, 3,200 steps in all      inference       training
                flops                               865,083,392  2,569,035,776
                parameters, bytes                       549,380        549,380
                gradient and Adam's moments, bytes            0      1,648,140
                packed weights, bytes                   544,768      1,085,440
                workspace, bytes                      5,808,256     16,759,616
                memory, bytes                         6,902,404     20,042,576

                """)
    }

    /// Fewer bytes for more operations.
    @Test func checkpointing() {
        let network = Self.network(
            Configuration(cell: .gru(.resetAfter), inputSize: 16, hiddenSize: 64, head: Head(outputSize: 1)),
            Float.self, .reference)
        let summary = network.summary(for: Packing(sequences: 4, steps: 10_000), checkpointing: .automatic)
        let lines = summary.split(separator: "\n").filter { $0.hasPrefix("flops") || $0.hasPrefix("workspace") }
        #expect(
            lines.joined(separator: "\n") == """
                flops                               1,233,920,000  4,682,833,920
                workspace, bytes                       10,928,448        877,952
                """)
    }

    @Test func aProjectionWithoutBiases() {
        let network = Self.network(
            Configuration(
                cell: .lstm(.peephole), inputSize: 3, hiddenSize: 1024, direction: .backward, projectionSize: 2,
                biases: Biases.none),
            Double.self, .reference)
        #expect(
            network.summary() == """
                Double, lstm.peephole
                layer       input -> output  parameters  flops a step
                0 backward           3 -> 2      25,600        45,056
                total                            25,600        45,056

                """)
    }

    static let configurations =
        Direction.allCases.flatMap {
            Configuration.everyCell(
                inputSize: 3, hiddenSize: 47, layers: 2, direction: $0, head: Head(outputSize: 2, steps: .mean))
        } + Configuration.everyCell(inputSize: 3, hiddenSize: 47)

    /// The figures are those of the matrices that the passes do allocate.
    @Test(arguments: configurations, Backend.available)
    func memoryIsWhatIsAllocated(_ configuration: Configuration, _ backend: Backend) {
        let batches = [
            Packing(lengths: (0..<40).map { 1 + ($0 * 5) % 17 }), Packing(sequences: 1, steps: 3),
            Packing(sequences: 1, steps: 70),
        ]
        for (packing, threads) in batches.flatMap({ [($0, 1), ($0, 2)] }) {
            let network = Self.network(configuration, Float.self, threads: threads, backend)
            for (purpose, recording) in [(Purpose.inference, false), (.training, true), (.recording, true)] {
                let kind = PassKind(purpose: purpose)
                let workspace = Workspace<Float>(configuration, packing, kind)
                workspace.makeRoom(threads: threads)
                let fresh = Self.network(configuration, Float.self, backend)
                fresh.packed.prepare(
                    fresh.parameters, sequences: packing.sequenceCount, steps: packing.stepCount, recording: recording,
                    into: &workspace.weights)
                let held = Self.held(by: workspace)
                let count = PassLayout.count(configuration, packing, kind, threads: threads, scalar: Float.self)
                #expect(count == held)
                if purpose == .recording { continue }
                let costs = network.costs(packing, training: recording)
                #expect(costs.workspace == 4 * held && costs.packedWeights == 4 * fresh.packed.count)
            }
        }
    }

    /// The same of a trainer that keeps the states at the starts of segments, and of its evaluations.
    @Test(arguments: Configuration.everyCell(inputSize: 3, hiddenSize: 47, layers: 2, head: Head(outputSize: 2)))
    func memoryIsWhatIsAllocatedInSegments(_ configuration: Configuration) {
        let packing = Packing(lengths: (0..<40).map { 1 + ($0 * 5) % 17 })
        for checkpointing in [Checkpointing.automatic, .steps(6)] {
            let segmentation = Segmentation(checkpointing: checkpointing, chunkRows: 40)
            for purpose in [Purpose.training, .evaluation] {
                let kind = PassKind(purpose: purpose, segmentation: segmentation)
                let workspace = Workspace<Float>(configuration, packing, kind)
                workspace.makeRoom(threads: 2)
                func count(_ kind: PassKind) -> Int {
                    PassLayout.count(configuration, packing, kind, threads: 2, scalar: Float.self)
                }
                #expect(count(kind) == Self.held(by: workspace))
                #expect(count(kind) < count(PassKind(purpose: purpose)))
            }
        }
    }

    private static func held(by workspace: Workspace<Float>) -> Int {
        (workspace.rooms + [workspace.states]).reduce(0) { $0 + $1.capacity }
    }

    /// Two for each weight that a product reads, counted by hand: [3 -> 4], 2 gates' worth of everything.
    @Test func flopsOfAPass() {
        let network = Self.network(
            Configuration(cell: .rnn(.tanh), inputSize: 3, hiddenSize: 4, head: Head(outputSize: 2, steps: .last)),
            Double.self)
        let packing = Packing(lengths: [5, 2])
        let forward = 7 * 2 * (3 * 4 + 4 * 4) + 2 * 2 * (4 * 2)
        #expect(network.costs(packing, training: false).flops == forward)
        #expect(network.costs(packing, training: true).flops == 3 * forward - 7 * 2 * 3 * 4)
        // The first four of five steps go forward twice: rows 2 2 1 1 1.
        let segments = Segmentation(checkpointing: .steps(1), chunkRows: 1)
        let flops = network.costs(packing, training: true, segments).flops
        #expect(flops == 3 * forward - 7 * 2 * 3 * 4 + 6 * 2 * (3 * 4 + 4 * 4))
    }
}
