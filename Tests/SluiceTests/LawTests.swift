@testable import Sluice
import Testing
import TestSupport

/// What must hold whatever the numbers are.
@Suite struct LawTests {
    static let heads: [Head?] = [nil] + Head.Steps.allCases.map { Head(outputSize: 2, steps: $0) }
    static let forwardConfigurations = [nil, Head(outputSize: 2), Head(outputSize: 2, steps: .last)].flatMap {
        Configuration.everyCell(inputSize: 3, hiddenSize: 17, head: $0)
            + Configuration.everyCell(inputSize: 3, hiddenSize: 8, layers: 3, head: $0)
    }
    static let configurations =
        heads.flatMap { Configuration.everyCell(inputSize: 3, hiddenSize: 5, direction: .bidirectional, head: $0) }
        + Direction.allCases.flatMap {
            Configuration.everyCell(inputSize: 3, hiddenSize: 8, layers: 2, direction: $0)
        } + Configuration.everyCell(inputSize: 3, hiddenSize: 17, head: Head(outputSize: 2, steps: .mean))
    /// Products of other row counts may sum in another order: a few units in the last place a step.
    static let tolerance = 1e-13

    @Test(arguments: configurations, Backend.available)
    func batchEqualsItsSequences(_ configuration: Configuration, _ backend: Backend) {
        var random = Random(seed: 3)
        let packing = Packing(lengths: [4, 1, 7, 4, 2])
        let network = Network<Double>(configuration, .pyTorch, using: &random, backend: backend)
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        let initial = State<Double>.random(configuration, sequences: 5, using: &random)
        let (outputs, state) = network.forward(x, packing, from: initial)

        for (sequence, length) in packing.lengths.enumerated() {
            var alone = Matrix<Double>(rows: length, columns: 3)
            for step in 0..<length {
                for column in 0..<3 { alone[step, column] = x[packing.row(sequence: sequence, step: step), column] }
            }
            let (aloneOutputs, aloneState) = network.forward(
                alone, Packing(sequences: 1, steps: length), from: initial.sequence(sequence))
            for (inBatch, alone) in zip(state.sequence(sequence).matrices, aloneState.matrices) {
                #expect(relativeDifference(inBatch, alone) < Self.tolerance)
            }
            for step in 0..<aloneOutputs.rows {
                let batchRow = configuration.isSummedUp ? sequence : packing.row(sequence: sequence, step: step)
                #expect(relativeDifference(row(batchRow, of: outputs), row(step, of: aloneOutputs)) < Self.tolerance)
            }
        }
    }

    @Test(arguments: forwardConfigurations, Backend.available)
    func splitSequenceWithCarriedStateEqualsWhole(_ configuration: Configuration, _ backend: Backend) {
        var random = Random(seed: 4)
        let network = Network<Double>(configuration, .pyTorch, using: &random, backend: backend)
        let x = Matrix<Double>.random(rows: 9 * 3, columns: 3, using: &random)
        let initial = State<Double>.random(configuration, sequences: 3, using: &random)
        let (outputs, state) = network.forward(x, Packing(sequences: 3, steps: 9), from: initial)

        let first = Matrix<Double>(rows: 4 * 3, columns: 3, x.elements[..<(4 * 9)])
        let second = Matrix<Double>(rows: 5 * 3, columns: 3, x.elements[(4 * 9)...])
        let (firstOutputs, middle) = network.forward(first, Packing(sequences: 3, steps: 4), from: initial)
        let (secondOutputs, final) = network.forward(second, Packing(sequences: 3, steps: 5), from: middle)
        #expect(zip(state.matrices, final.matrices).allSatisfy { relativeDifference($0, $1) < Self.tolerance })
        if configuration.head?.steps == .last {
            #expect(relativeDifference(outputs, secondOutputs) < Self.tolerance)
        } else {
            let joined = Matrix<Double>(
                rows: outputs.rows, columns: outputs.columns, firstOutputs.elements + secondOutputs.elements)
            #expect(relativeDifference(outputs, joined) < Self.tolerance)
        }
    }

    @Test(
        arguments: Configuration.everyCell(inputSize: 3, hiddenSize: 6)
            + Configuration.everyCell(inputSize: 3, hiddenSize: 6, direction: .bidirectional))
    func permutedBatchPermutesItsResults(_ configuration: Configuration) {
        var random = Random(seed: 5)
        let lengths = [2, 5, 3, 5], permutation = [3, 0, 2, 1]
        let network = Network<Double>(configuration, .keras, using: &random)
        let packing = Packing(lengths: lengths), permuted = Packing(lengths: permutation.map { lengths[$0] })
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        var y = x
        for (place, sequence) in permutation.enumerated() {
            for step in 0..<lengths[sequence] {
                for column in 0..<3 {
                    y[permuted.row(sequence: place, step: step), column] =
                        x[packing.row(sequence: sequence, step: step), column]
                }
            }
        }
        let state = network.forward(x, packing).state, other = network.forward(y, permuted).state
        for (place, sequence) in permutation.enumerated() {
            for (a, b) in zip(other.sequence(place).matrices, state.sequence(sequence).matrices) {
                #expect(relativeDifference(a, b) < Self.tolerance)
            }
        }
    }

    /// The shards of a batch, and the sum of their gradients, do not depend on the threads.
    @Test(
        arguments: Configuration.everyCell(inputSize: 3, hiddenSize: 33, head: Head(outputSize: 1))
            + Configuration.everyCell(
                inputSize: 3, hiddenSize: 33, layers: 2, direction: .bidirectional, head: Head(outputSize: 1)))
    func anyNumberOfThreadsGivesTheSameBits(_ configuration: Configuration) {
        let packing = Packing(lengths: (0..<70).map { 1 + ($0 * 7) % 11 })
        #expect(configuration.shards(of: packing).count >= 2)
        let results = [1, 2, 3, 8].map { threads in
            var random = Random(seed: 6)
            let network = Network<Double>(configuration, .pyTorch, using: &random, workers: Workers(threads: threads))
            let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
            let targets = Matrix<Double>.random(rows: packing.rowCount, columns: 1, using: &random)
            var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
            for _ in 0..<5 { _ = trainer.step(x, targets, packing) }
            return trainer.network.parameters.values
        }
        #expect(results.dropFirst().allSatisfy { $0 == results[0] })
    }

    /// Nor do large products of a batch of one shard, which are shared out themselves.
    /// One long sequence and a small batch read panels, a short sequence the parameters as they are.
    @Test(arguments: [
        Packing(sequences: 1, steps: 70), Packing(sequences: 9, steps: 4), Packing(sequences: 1, steps: 5),
    ])
    func anyNumberOfThreadsGivesTheSameBitsOfLargeProducts(_ packing: Packing) {
        let configuration = Configuration(cell: .gru(.resetBefore), inputSize: 200, hiddenSize: 520)
        #expect(configuration.shards(of: packing).count == 1)
        let results = [1, 2, 3].map { threads in
            var random = Random(seed: 6)
            let network = Network<Float>(configuration, .pyTorch, using: &random, workers: Workers(threads: threads))
            let x = Matrix<Float>.random(rows: packing.rowCount, columns: 200, using: &random)
            let recording = network.record(x, packing)
            let outputs = recording.outputs
            return [outputs, recording.backward(outputs: outputs).parameters.values]
        }
        #expect(results.dropFirst().allSatisfy { $0 == results[0] })
    }

    /// Nor do a loss's normaliser, counted for the whole batch, and the norm that a gradient is clipped to.
    @Test func anyNumberOfThreadsGivesTheSameBitsOfEveryPart() {
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 33, head: Head(outputSize: 4))
        let packing = Packing(lengths: (0..<70).map { 1 + ($0 * 7) % 11 })
        let results = [1, 2, 3].map { threads in
            var random = Random(seed: 6)
            let network = Network<Float>(configuration, .pyTorch, using: &random, workers: Workers(threads: threads))
            let x = Matrix<Float>.random(rows: packing.rowCount, columns: 3, using: &random)
            let classes = Matrix<Float>(
                rows: packing.rowCount, columns: 1, (0..<packing.rowCount).map { Float($0 * 7 % 4) })
            var trainer = Trainer(
                network, loss: .crossEntropy(classWeights: [1, 0.3, 0.7, 2], ignoredClass: 1),
                optimizer: .rmsProp(momentum: 0.9), clipping: .norm(0.01))
            for _ in 0..<5 { _ = trainer.step(x, classes, packing) }
            return trainer.network.parameters.values
        }
        #expect(results.dropFirst().allSatisfy { $0 == results[0] })
    }

    /// A batch of many shards has the gradient that its sequences have one by one.
    @Test(
        arguments: Configuration.everyCell(inputSize: 2, hiddenSize: 31)
            + Configuration.everyCell(inputSize: 2, hiddenSize: 31, direction: .bidirectional),
        [nil, Head(outputSize: 2, steps: .first), Head(outputSize: 2, steps: .max)])
    func shardedGradientEqualsSumOverSequences(_ plain: Configuration, _ head: Head?) {
        var configuration = plain
        configuration.head = head
        var random = Random(seed: 8)
        let lengths = (0..<33).map { 1 + ($0 * 5) % 47 }
        let packing = Packing(lengths: lengths)
        #expect(configuration.shards(of: packing).count == 2 || configuration.cellShape.gateCount == 1)
        let network = Network<Double>(configuration, .pyTorch, using: &random)
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 2, using: &random)
        let dy = Matrix<Double>.random(
            rows: configuration.outputRowCount(packing), columns: configuration.outputSize, using: &random)
        let dState = State<Double>.random(configuration, sequences: lengths.count, using: &random)
        let gradients = network.record(x, packing).backward(outputs: dy, state: dState)

        var sum = Parameters<Double>(network.parameters.layout)
        for (sequence, length) in lengths.enumerated() {
            func alone(_ matrix: Matrix<Double>) -> Matrix<Double> {
                let rows =
                    configuration.isSummedUp && matrix == dy
                    ? [sequence] : (0..<length).map { packing.row(sequence: sequence, step: $0) }
                return Matrix(rows: rows.count, columns: matrix.columns, rows.flatMap { row($0, of: matrix).elements })
            }
            let part = network.record(alone(x), Packing(sequences: 1, steps: length))
                .backward(outputs: alone(dy), state: dState.sequence(sequence))
            sum.values = Matrix(
                rows: 1, columns: sum.values.columns, zip(sum.values.elements, part.parameters.values.elements).map(+))
            #expect(relativeDifference(part.inputs!, alone(gradients.inputs!)) < 1e-12)
        }
        #expect(relativeDifference(gradients.parameters.values, sum.values) < 1e-12)
    }

    private func row(_ index: Int, of matrix: Matrix<Double>) -> Matrix<Double> {
        Matrix(rows: 1, columns: matrix.columns, (0..<matrix.columns).map { matrix[index, $0] })
    }
}
