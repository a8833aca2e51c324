import Testing
import TestSupport

@testable import Sluice

/// Training steps from carried states, and long sequences in windows.
@Suite struct TruncationTests {
    static let configurations = Configuration.everyCell(
        inputSize: 3, hiddenSize: 6, layers: 2, head: Head(outputSize: 2))
    static let lengths = [[9, 9, 9], [3, 9, 1, 6]]

    /// A batch, and a trainer of a network with parameters that no two gates share.
    private struct Job {
        let packing: Packing
        let x: Matrix<Double>
        let targets: Matrix<Double>
        let initial: State<Double>
        var trainer: Trainer<Double>

        init(_ configuration: Configuration, _ lengths: [Int], _ checkpointing: Checkpointing = .none) {
            var random = Random(seed: 9)
            packing = Packing(lengths: lengths)
            x = .random(rows: packing.rowCount, columns: configuration.inputSize, using: &random)
            targets = .random(
                rows: configuration.outputRowCount(packing), columns: configuration.outputSize, using: &random)
            initial = .random(configuration, sequences: lengths.count, using: &random)
            var parameters = Parameters<Double>(ParameterLayout(configuration))
            parameters.values = .random(rows: 1, columns: parameters.layout.count, scale: 0.5, using: &random)
            trainer = Trainer(
                Network(configuration, parameters), loss: .meanSquaredError, optimizer: .adam(learningRate: 0.01),
                checkpointing: checkpointing)
        }

        /// Some steps of the sequences that have them, cut out by hand, in the caller's order.
        func window(_ steps: Range<Int>) -> (sequences: [Int], packing: Packing, x: Matrix<Double>, y: Matrix<Double>) {
            let sequences = packing.lengths.indices.filter { packing.lengths[$0] > steps.lowerBound }
            let window = Packing(
                lengths: sequences.map { min(packing.lengths[$0], steps.upperBound) - steps.lowerBound })
            func cut(_ matrix: Matrix<Double>) -> Matrix<Double> {
                var part = Matrix<Double>(rows: window.rowCount, columns: matrix.columns)
                for (index, sequence) in sequences.enumerated() {
                    for step in 0..<window.lengths[index] {
                        let to = window.row(sequence: index, step: step)
                        let from = packing.row(sequence: sequence, step: steps.lowerBound + step)
                        for column in 0..<matrix.columns { part[to, column] = matrix[from, column] }
                    }
                }
                return part
            }
            return (sequences, window, cut(x), cut(targets))
        }
    }

    @Test(arguments: configurations, lengths)
    func aStepLeavesTheStatesOfAForwardPass(_ configuration: Configuration, _ lengths: [Int]) {
        var job = Job(configuration, lengths)
        let (outputs, final) = job.trainer.network.forward(job.x, job.packing, from: job.initial)
        var state = job.initial
        let loss = job.trainer.step(job.x, job.targets, job.packing, state: &state)
        #expect(state == final)
        let expected = Loss.meanSquaredError.evaluate(outputs, job.targets, sequences: lengths.count).value
        #expect(abs(loss - expected) < 1e-12 * expected)

        // From zeros it is the step without states.
        var zeros = Job(configuration, lengths), plain = zeros
        state = State(configuration, sequences: lengths.count)
        #expect(
            zeros.trainer.step(job.x, job.targets, job.packing, state: &state)
                == plain.trainer.step(job.x, job.targets, job.packing))
        #expect(zeros.trainer.network.parameters == plain.trainer.network.parameters)
        #expect(zeros.trainer.network.parameters != job.trainer.network.parameters)
    }

    @Test(arguments: configurations, lengths)
    func oneWindowIsAStep(_ configuration: Configuration, _ lengths: [Int]) {
        for window in [9, 100] {
            var job = Job(configuration, lengths), plain = job
            var state = job.initial, plainState = job.initial
            let losses = job.trainer.truncatedSteps(job.x, job.targets, job.packing, window: window, state: &state)
            let loss = plain.trainer.step(job.x, job.targets, job.packing, state: &plainState)
            #expect(losses == [loss])
            #expect(state == plainState)
            #expect(job.trainer.gradient == plain.trainer.gradient)
            #expect(job.trainer.network.parameters == plain.trainer.network.parameters)
        }
    }

    /// The same as windows cut out by hand, whose states are carried by hand. The hand's batches are in the caller's order
    /// and sums over sequences so in another, but for equal lengths.
    @Test(arguments: configurations, lengths)
    func windowsAreStepsOneAfterAnother(_ configuration: Configuration, _ lengths: [Int]) {
        var job = Job(configuration, lengths), byHand = job
        var state = job.initial, carried = job.initial
        let losses = job.trainer.truncatedSteps(job.x, job.targets, job.packing, window: 4, state: &state)
        #expect(losses.count == 3)
        for (index, steps) in [0..<4, 4..<8, 8..<9].enumerated() {
            let window = byHand.window(steps)
            var part = carried.rows(window.sequences[...])
            // Carried states equal a forward pass's.
            let final = byHand.trainer.network.forward(window.x, window.packing, from: part).state
            let loss = byHand.trainer.step(window.x, window.y, window.packing, state: &part)
            #expect(part == final)
            #expect(abs(losses[index] - loss) <= 1e-12 * loss)
            carried.setRows(window.sequences[...], part)
        }
        for (matrix, expected) in zip(state.matrices, carried.matrices) {
            #expect(relativeDifference(matrix, expected) < 1e-11)
        }
        let difference = relativeDifference(
            job.trainer.network.parameters.values, byHand.trainer.network.parameters.values)
        #expect(difference < 1e-11)
    }

    /// Of a sequence that ends in the first window, the states stay while the others go on.
    @Test func sequencesThatHaveEndedKeepTheirStates() {
        var job = Job(Self.configurations[0], [3, 9, 1, 6])
        var state = job.initial
        let window = job.window(0..<4)
        let first = job.trainer.network.forward(window.x, window.packing, from: job.initial).state
        _ = job.trainer.truncatedSteps(job.x, job.targets, job.packing, window: 4, state: &state)
        #expect(state.sequence(0) == first.sequence(0) && state.sequence(2) == first.sequence(2))
        #expect(state.sequence(1) != first.sequence(1) && state.sequence(3) != first.sequence(3))
    }

    /// No gradient passes through the carried states: they are numbers.
    @Test(arguments: configurations)
    func gradientOfAWindow(_ configuration: Configuration) {
        var job = Job(configuration, [5, 3])
        let network = job.trainer.network
        var state = job.initial
        _ = job.trainer.step(job.x, job.targets, job.packing, state: &state)
        func loss(_ values: Matrix<Double>) -> Double {
            var changed = network
            changed.parameters.values = values
            let outputs = changed.forward(job.x, job.packing, from: job.initial).outputs
            return Loss.meanSquaredError.evaluate(outputs, job.targets, sequences: 2).value
        }
        let step = 1e-5, point = network.parameters.values
        var numeric = point
        for column in 0..<point.columns {
            var above = point, below = point
            above[0, column] += step
            below[0, column] -= step
            numeric[0, column] = (loss(above) - loss(below)) / (2 * step)
        }
        #expect(relativeDifference(job.trainer.gradient.values, numeric) < 1e-7)
    }

    @Test func checkpointedFromStates() {
        let configuration = Configuration(cell: .lstm, inputSize: 3, hiddenSize: 6, layers: 2)
        var plain = Job(configuration, [30, 12, 25]), kept = Job(configuration, [30, 12, 25], .steps(1))
        plain.trainer.segmentation.chunkRows = 9
        kept.trainer.segmentation.chunkRows = 9
        var state = plain.initial, keptState = plain.initial
        for _ in 0..<3 {
            let loss = plain.trainer.step(plain.x, plain.targets, plain.packing, state: &state)
            #expect(kept.trainer.step(plain.x, plain.targets, plain.packing, state: &keptState) == loss)
            #expect(state == keptState && plain.trainer.gradient == kept.trainer.gradient)
        }
        #expect(plain.trainer.network.parameters == kept.trainer.network.parameters)
    }

    @Test func nonFiniteLossLeavesTheStates() {
        let configuration = Configuration(cell: .lstm, inputSize: 3, hiddenSize: 6)
        var job = Job(configuration, [9, 9])
        var x = job.x, state = job.initial
        x[12, 0] = .nan // in the second window of three
        var part = job.window(0..<4), expected = job
        part.packing = Packing(sequences: 2, steps: 4)
        var first = job.initial
        _ = expected.trainer.step(part.x, part.y, part.packing, state: &first)
        let losses = job.trainer.truncatedSteps(x, job.targets, job.packing, window: 4, state: &state)
        #expect(losses.count == 2 && losses[0].isFinite && losses[1].isNaN)
        #expect(state == first)
        #expect(job.trainer.network.parameters == expected.trainer.network.parameters)
        #expect(job.trainer.step(x, job.targets, job.packing, state: &state).isNaN)
        #expect(state == first)
    }

    @Test func resettingASequence() {
        var random = Random(seed: 2)
        let configuration = Configuration(cell: .lstm, inputSize: 3, hiddenSize: 6, layers: 2)
        let before = State<Double>.random(configuration, sequences: 3, using: &random)
        var state = before
        state.reset(sequence: 1)
        #expect(state.sequence(1) == State(configuration, sequences: 1))
        #expect(state.sequence(0) == before.sequence(0) && state.sequence(2) == before.sequence(2))
    }

    @Test func mistakes() async {
        await #expect(processExitsWith: .failure) { Self.cut(head: Head(outputSize: 1, steps: .last)) }
        await #expect(processExitsWith: .failure) { Self.cut(direction: .bidirectional) }
        await #expect(processExitsWith: .failure) { Self.cut(window: 0) }
        await #expect(processExitsWith: .failure) { Self.cut(sequences: 3) }
        await #expect(processExitsWith: .failure) { Self.cut(rows: 7) }
        Self.cut()
    }

    private static func cut(
        head: Head? = nil, direction: Direction = .forward, window: Int = 2, sequences: Int = 2, rows: Int = 8
    ) {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: .lstm, inputSize: 1, hiddenSize: 2, direction: direction, head: head)
        var trainer = Trainer(
            Network<Double>(configuration, .pyTorch, using: &random), loss: .halfSquaredError, optimizer: .adam())
        var state = State<Double>(configuration, sequences: sequences)
        let targets = Matrix<Double>(rows: rows, columns: configuration.outputSize)
        let packing = Packing(sequences: 2, steps: 4)
        _ = trainer.truncatedSteps(Matrix(rows: 8, columns: 1), targets, packing, window: window, state: &state)
    }
}
