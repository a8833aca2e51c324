import Testing
import TestSupport

@testable import Sluice

/// What is left out at random: how often, at which steps, on which path; and that nothing else depends on it.
@Suite struct RegularizationTests {
    static let everything = Regularization(dropout: 0.3, inputDropout: 0.2, recurrentDropout: 0.4, zoneout: 0.1)

    // MARK: Masks

    /// Over n elements the share that is struck has a deviation of sqrt(p (1-p) / n); five of them are allowed.
    @Test(arguments: [0.02, 0.25, 0.5, 0.9])
    func ratesAndScales(_ rate: Double) {
        let count = 1001, steps = 100
        let mask = Mask<Double>.dropout(.dropout, index: 1, rate: rate)!
        var values = Matrix<Double>(rows: steps, columns: count)
        let view = values.mutableView()
        for step in 0..<steps { mask.fill(view.row(step), seed: 5, step: step) }
        #expect(Set(values.elements) == [0, 1 / (1 - rate)])
        let share = Double(values.elements.count { $0 == 0 }) / Double(count * steps)
        #expect(abs(share - rate) < 5 * (rate * (1 - rate) / Double(count * steps)).squareRoot())
        let mean = values.elements.reduce(0, +) / Double(count * steps)
        #expect(abs(mean - 1) < 5 * (rate / (1 - rate) / Double(count * steps)).squareRoot())
    }

    /// Masks that differ in anything agree in no more elements than chance lets them: 5 deviations of half.
    @Test func masksOfEverySequenceKindLayerAndStepDiffer() {
        let count = 4096
        func mask(_ kind: Mask<Float>.Kind, _ index: Int, _ seed: UInt64, _ step: Int) -> [Float] {
            var row = Matrix<Float>(rows: 1, columns: count)
            Mask.zoneout(kind, index: index, rate: 0.5)!.fill(row.mutableView(), seed: seed, step: step)
            return row.elements
        }
        let masks = [
            mask(.zoneout, 0, 1, 0), mask(.cellZoneout, 0, 1, 0), mask(.zoneout, 1, 1, 0), mask(.zoneout, 0, 2, 0),
            mask(.zoneout, 0, 1, 1), mask(.zoneout, 0, 1, 2), mask(.zoneout, 1, 1, 1), mask(.zoneout, 0, 2, 1),
        ]
        #expect(masks[0] == mask(.zoneout, 0, 1, 0))
        for i in masks.indices {
            for j in 0..<i {
                let equal = zip(masks[i], masks[j]).count { $0 == $1 }
                #expect(abs(equal - count / 2) < 5 * 32, "\(i) and \(j)")
            }
        }
    }

    // MARK: Networks whose states show their masks

    /// Layers of relu(x W + h U) with W and U multiples of the identity.
    private func plain(_ size: Int, layers: Int = 1, input: Double, recurrent: Double) -> Network<Double> {
        let configuration = Configuration(cell: .rnn(.relu), inputSize: size, hiddenSize: size, layers: layers)
        var parameters = Parameters<Double>(ParameterLayout(configuration))
        for layer in 0..<layers {
            for (name, value) in [("weight_ih_l\(layer)", input), ("weight_hh_l\(layer)", recurrent)] {
                var weight = Matrix<Double>(rows: size, columns: size)
                for index in 0..<size { weight[index, index] = value }
                parameters[name] = weight
            }
        }
        return Network(configuration, parameters)
    }

    private func outputs(
        _ network: Network<Double>, _ packing: Packing, x: Double, h: Double, _ regularization: Regularization
    ) -> Matrix<Double> {
        let size = network.configuration.inputSize
        var random = Random(seed: 4)
        var state = State<Double>(network.configuration, sequences: packing.sequenceCount)
        state.hidden = state.hidden.map {
            Matrix(rows: $0.rows, columns: $0.columns, Array(repeating: h, count: $0.rows * $0.columns))
        }
        let inputs = Matrix(
            rows: packing.rowCount, columns: size, Array(repeating: x, count: packing.rowCount * size))
        return network.record(inputs, packing, from: state, regularization: regularization, using: &random).outputs
    }

    private func row(_ matrix: Matrix<Double>, _ packing: Packing, _ sequence: Int, _ step: Int) -> [Double] {
        let row = packing.row(sequence: sequence, step: step)
        return (0..<matrix.columns).map { matrix[row, $0] }
    }

    static let ragged = Packing(lengths: [2, 4, 3])

    @Test func inputDropoutIsTheSameAtAllSteps() {
        let packing = Self.ragged
        let y = outputs(
            plain(20, input: 1, recurrent: 0), packing, x: 1, h: 0, Regularization(inputDropout: 0.5))
        for (sequence, length) in packing.lengths.enumerated() {
            let first = row(y, packing, sequence, 0)
            #expect(Set(first) == [0, 2])
            for step in 1..<length { #expect(row(y, packing, sequence, step) == first) }
        }
        #expect(row(y, packing, 0, 0) != row(y, packing, 1, 0))
    }

    @Test func dropoutIsAfreshAtEveryStepAndNotOfTheLastLayer() {
        let packing = Self.ragged, rates = Regularization(dropout: 0.5)
        let y = outputs(plain(20, layers: 2, input: 1, recurrent: 0), packing, x: 1, h: 0, rates)
        #expect(Set(y.elements) == [0, 2])
        #expect(row(y, packing, 1, 0) != row(y, packing, 1, 1))
        let one = outputs(plain(20, input: 1, recurrent: 0), packing, x: 1, h: 0, rates)
        #expect(Set(one.elements) == [1])
    }

    @Test func recurrentDropoutIsTheSameAtAllSteps() {
        let packing = Self.ragged
        let y = outputs(
            plain(20, input: 0, recurrent: 1), packing, x: 0, h: 1, Regularization(recurrentDropout: 0.5))
        for (sequence, length) in packing.lengths.enumerated() {
            let first = row(y, packing, sequence, 0)
            #expect(Set(first) == [0, 2])
            for step in 1..<length {
                #expect(row(y, packing, sequence, step) == first.map { $0 == 0 ? 0 : Double(2 << step) })
            }
        }
    }

    /// Elements keep their value at some steps and double at the others.
    @Test func zoneoutIsAfreshAtEveryStep() {
        let packing = Self.ragged
        let y = outputs(plain(20, input: 0, recurrent: 2), packing, x: 0, h: 1, Regularization(zoneout: 0.5))
        #expect(Set(row(y, packing, 1, 0)) == [1, 2])
        let factors = zip(row(y, packing, 1, 0), row(y, packing, 1, 1)).map { $1 / $0 }
        #expect(Set(factors) == [1, 2] && factors != row(y, packing, 1, 0))
    }

    @Test(arguments: Configuration.everyCell(inputSize: 3, hiddenSize: 5, layers: 2, direction: .bidirectional))
    func zoneoutOfOneKeepsTheStates(_ configuration: Configuration) {
        var random = Random(seed: 1)
        let packing = Self.ragged
        let network = Network<Double>(configuration, .pyTorch, using: &random)
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        let initial = State<Double>.random(configuration, sequences: 3, using: &random)
        let dy = Matrix<Double>.random(rows: packing.rowCount, columns: configuration.outputSize, using: &random)
        let recording = network.record(
            x, packing, from: initial,
            regularization: Regularization(zoneout: 1, cellZoneout: configuration.hasCellState ? 1 : 0), using: &random)
        #expect(recording.state == initial)
        let gradients = recording.backward(outputs: dy)
        #expect(gradients.parameters.values.elements.allSatisfy { $0 == 0 })
        #expect(gradients.inputs!.elements.allSatisfy { $0 == 0 })
    }

    // MARK: Laws

    /// A sequence's masks follow from its seed alone: neither from its place nor from the others, so neither from shards.
    /// The products have other shapes, so that sums of some tens of them differ in the last places.
    @Test(arguments: Configuration.everyCell(inputSize: 12, hiddenSize: 32, layers: 2, direction: .bidirectional))
    func aSequenceAloneIsTheSame(_ configuration: Configuration) {
        var random = Random(seed: 1)
        let packing = Packing(lengths: (0..<50).map { 10 + $0 % 5 })
        #expect(configuration.shards(of: packing).count > 2)
        let network = Network<Double>(configuration, .pyTorch, using: &random)
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 12, using: &random)
        var masks = Random(seed: 9), alone = masks
        let all = network.record(x, packing, regularization: Self.everything, using: &masks).outputs
        for (sequence, length) in packing.lengths.enumerated() {
            func own(_ matrix: Matrix<Double>) -> Matrix<Double> {
                Matrix(
                    rows: length, columns: matrix.columns,
                    (0..<length).flatMap { row(matrix, packing, sequence, $0) })
            }
            let outputs = network.record(
                own(x), Packing(lengths: [length]), regularization: Self.everything, using: &alone
            ).outputs
            #expect(relativeDifference(outputs, own(all)) < 1e-12)
        }
        #expect(masks == alone)
    }

    static let threaded = [Cell.gru(.resetAfter), .gru(.resetBefore), .lstm(.layerNormalized), .rnn(.tanh)]

    private func trainer(_ cell: Cell, threads: Int = 1, _ regularization: Regularization) -> Trainer<Float> {
        var random = Random(seed: 1)
        let configuration = Configuration(
            cell: cell, inputSize: 12, hiddenSize: 32, layers: 2, direction: .bidirectional, head: Head(outputSize: 2))
        let network = Network<Float>(configuration, .keras, using: &random, workers: Workers(threads: threads))
        return Trainer(
            network, loss: .halfSquaredError, optimizer: .adam(), regularization: regularization,
            random: Random(seed: 6))
    }

    private func batch(_ packing: Packing) -> (x: Matrix<Float>, targets: Matrix<Float>) {
        var random = Random(seed: 2)
        return (
            // Enough inputs that none is a sequence of zeros, whose layer-normalised gradient grows at every step.
            .random(rows: packing.rowCount, columns: 12, using: &random),
            .random(rows: packing.rowCount, columns: 2, using: &random)
        )
    }

    @Test(arguments: threaded) func sameBitsForAnyNumberOfThreads(_ cell: Cell) {
        var rates = Self.everything
        if cell == .lstm(.layerNormalized) { rates.cellZoneout = 0.2 }
        let packing = Packing(lengths: (0..<50).map { 10 + $0 % 5 }), (x, targets) = batch(packing)
        let runs = [1, 2, 3].map { threads in
            var trainer = trainer(cell, threads: threads, rates)
            #expect(trainer.network.configuration.shards(of: packing).count > 2)
            let losses = (0..<3).map { _ in trainer.step(x, targets, packing) }
            return losses + trainer.network.parameters.values.elements
        }
        let areFinite = runs[0].allSatisfy(\.isFinite), areEqual = runs[0] == runs[1] && runs[0] == runs[2]
        #expect(areFinite && areEqual)
    }

    @Test func aRunRepeatsAndResumesByItsGenerator() {
        let packing = Self.ragged, (x, targets) = batch(packing)
        var first = trainer(.lstm, Self.everything), second = first
        let losses = (0..<4).map { _ in first.step(x, targets, packing) }
        #expect(losses == (0..<4).map { _ in second.step(x, targets, packing) })
        #expect(first.random == second.random && first.random != Random(seed: 6))

        let random = first.random
        var resumed = Trainer(
            first.network, loss: first.loss, optimizer: first.optimizer, regularization: first.regularization,
            random: random, resuming: first.optimizerState)
        let next = first.step(x, targets, packing)
        #expect(resumed.step(x, targets, packing) == next)
        var other = second
        other.random = Random(seed: 8)
        #expect(other.step(x, targets, packing) != next)
        second.random = random
        #expect(second.step(x, targets, packing) == next)
    }

    /// Masks are made where any rate is above 0; the others must not be seen. One layer has no inputs of a layer below.
    @Test(arguments: threaded) func ratesOfZeroAreNone(_ cell: Cell) {
        let configuration = Configuration(cell: cell, inputSize: 3, hiddenSize: 5)
        var random = Random(seed: 1)
        let packing = Self.ragged
        let network = Network<Double>(configuration, .pyTorch, using: &random)
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        let dy = Matrix<Double>.random(rows: packing.rowCount, columns: 5, using: &random)
        let plain = network.record(x, packing)
        let masked = network.record(x, packing, regularization: Regularization(dropout: 0.5), using: &random)
        #expect(plain.outputs == masked.outputs && plain.state == masked.state)
        let a = plain.backward(outputs: dy), b = masked.backward(outputs: dy)
        #expect(a.parameters.values == b.parameters.values && a.inputs == b.inputs)

        let before = random
        #expect(
            network.record(x, packing, regularization: .none, using: &random).outputs
                == network.forward(x, packing).outputs)
        #expect(random == before)
    }

    @Test func evaluationsLeaveNothingOut() {
        let packing = Self.ragged, (x, targets) = batch(packing)
        var regularised = trainer(.lstm, Self.everything), plain = trainer(.lstm, .none)
        let random = regularised.random
        #expect(regularised.evaluate(x, targets, packing) == plain.evaluate(x, targets, packing))
        #expect(regularised.random == random)
        #expect(regularised.step(x, targets, packing) != plain.step(x, targets, packing))
        #expect(plain.random == random && regularised.random != random)
        regularised.regularization = .none
        var fresh = plain
        plain = Trainer(regularised.network, loss: plain.loss, optimizer: plain.optimizer)
        #expect(regularised.step(x, targets, packing) == plain.step(x, targets, packing))
        fresh.regularization = Self.everything
        #expect(fresh.step(x, targets, packing).isFinite && fresh.random != random)
    }

    // MARK: Mistakes

    @Test func ratesOutOfRange() async {
        func check(_ regularization: Regularization, _ cell: Cell = .lstm) {
            regularization.check(Configuration(cell: cell, inputSize: 2, hiddenSize: 3))
        }
        check(Regularization(dropout: 0.99, inputDropout: 0, recurrentDropout: 0.5, zoneout: 1, cellZoneout: 1))
        await #expect(processExitsWith: .failure) {
            Regularization(dropout: 1).check(Configuration(cell: .lstm, inputSize: 2, hiddenSize: 3))
        }
        await #expect(processExitsWith: .failure) {
            Regularization(recurrentDropout: .nan).check(Configuration(cell: .lstm, inputSize: 2, hiddenSize: 3))
        }
        await #expect(processExitsWith: .failure) {
            Regularization(zoneout: -0.1).check(Configuration(cell: .lstm, inputSize: 2, hiddenSize: 3))
        }
        await #expect(processExitsWith: .failure) {
            Regularization(cellZoneout: 0.1).check(Configuration(cell: .rnn(.tanh), inputSize: 2, hiddenSize: 3))
        }
    }

    @Test func workspacesOfAnotherKindOfPass() async {
        let network = plain(3, input: 1, recurrent: 1), packing = Self.ragged
        let x = Matrix<Double>(rows: packing.rowCount, columns: 3)
        var random = Random(seed: 1)
        let workspace = Workspace<Double>(
            network.configuration, packing, recording: true, regularization: Self.everything)
        #expect(network.record(x, in: workspace, using: &random).outputs.rows == packing.rowCount)
        await #expect(processExitsWith: .failure) {
            let configuration = Configuration(cell: .rnn(.relu), inputSize: 3, hiddenSize: 3)
            var random = Random(seed: 1)
            let network = Network<Double>(configuration, .pyTorch, using: &random)
            let workspace = Workspace<Double>(
                configuration, Self.ragged, recording: true, regularization: Self.everything)
            _ = network.record(Matrix(rows: 9, columns: 3), in: workspace)
        }
        await #expect(processExitsWith: .failure) {
            _ = Workspace<Double>(
                Configuration(cell: .rnn(.relu), inputSize: 3, hiddenSize: 3), Self.ragged, recording: false,
                regularization: Self.everything)
        }
    }
}
