@testable import Sluice
import Testing
import TestSupport

/// What other engines are known to have got wrong.
@Suite struct KnownFailureTests {
    // MARK: The smallest of everything

    struct Smallest: Sendable, CustomStringConvertible {
        let configuration: Configuration
        let lengths: [Int]
        var description: String { "\(configuration.testDescription) \(lengths)" }
    }

    /// T = 1, B = 1, a ragged batch of one, I = 1, H = 1, and all of them at once.
    static let smallest = [
        (2, 3, [1, 1, 1]), (2, 3, [4]), (1, 3, [2, 4]), (2, 1, [2, 4]), (1, 1, [1]),
    ].flatMap { (inputs, hidden, lengths) in
        Direction.allCases.flatMap { direction in
            Configuration.everyCell(inputSize: inputs, hiddenSize: hidden, layers: 2, direction: direction).map {
                Smallest(configuration: $0, lengths: lengths)
            }
        }
    }

    /// Every backend agrees with the naive one; `GradientTests` holds that one to central differences. (One number normalised is
    /// always 0: there the gradients are nothing but rounding.)
    @Test(arguments: smallest, Backend.available)
    func theSmallestSizes(_ test: Smallest, _ backend: Backend) {
        let own = LawPass(test.configuration, test.lengths, backend)
        let reference = LawPass(test.configuration, test.lengths, .reference)
        var pairs = [(own.outputs, reference.outputs)] + zip(own.state.matrices, reference.state.matrices)
        let isNormalized = [.gru(.layerNormalized), .lstm(.layerNormalized)].contains(test.configuration.cell)
        if !isNormalized || test.configuration.hiddenSize > 1 {
            pairs +=
                [
                    (own.gradients.inputs!, reference.gradients.inputs!),
                    (own.gradients.parameters.values, reference.gradients.parameters.values),
                ] + zip(own.gradients.initialState.matrices, reference.gradients.initialState.matrices)
        }
        for (a, b) in pairs { #expect(relativeDifference(a, b) < 1e-12) }
    }

    /// One sequence out of a padded array is that sequence, however long the padding.
    @Test(
        arguments: Direction.allCases.flatMap {
            Configuration.everyCell(inputSize: 3, hiddenSize: 5, direction: $0)
        })
    func aRaggedBatchOfOne(_ configuration: Configuration) {
        var random = Random(seed: 1)
        let network = Network<Double>(configuration, .pyTorch, using: &random)
        let padded = Matrix<Double>.random(rows: 6, columns: 3, using: &random)
        let ragged = Packing(lengths: [4])
        let (outputs, state) = network.forward(ragged.pack(padded, order: .timeMajor), ragged)
        let alone = Matrix<Double>(rows: 4, columns: 3, padded.elements[..<12])
        let (whole, wholeState) = network.forward(alone, Packing(sequences: 1, steps: 4))
        #expect(outputs == whole && state == wholeState)
        let unpacked = ragged.unpack(outputs, order: .batchMajor, steps: 6, padding: -1)
        #expect((4..<6).allSatisfy { row in (0..<unpacked.columns).allSatisfy { unpacked[row, $0] == -1 } })
    }

    @Test(arguments: [[0], [3, 0, 2]]) func lengthZeroIsAClearError(_ lengths: [Int]) async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [lengths = lengths as [Int]] in
            _ = Packing(lengths: lengths)
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("has length 0; at least 1 is needed"))
    }

    // MARK: States

    @Test(
        arguments: Direction.allCases.flatMap {
            Configuration.everyCell(inputSize: 3, hiddenSize: 5, layers: 2, direction: $0)
        })
    func zerosGivenAreNoneGiven(_ configuration: Configuration) {
        var random = Random(seed: 2)
        let network = Network<Double>(configuration, .pyTorch, using: &random)
        let packing = Packing(lengths: [2, 5, 3])
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        let dy = Matrix<Double>.random(rows: packing.rowCount, columns: configuration.outputSize, using: &random)
        let zeros = State<Double>(configuration, sequences: 3)
        let (outputs, state) = network.forward(x, packing, from: zeros)
        let without = network.forward(x, packing)
        #expect(outputs == without.outputs && state == without.state)
        let gradients = network.record(x, packing, from: zeros).backward(outputs: dy, state: zeros)
        let gradientsWithout = network.record(x, packing).backward(outputs: dy)
        #expect(gradients.parameters == gradientsWithout.parameters)
        #expect(gradients.inputs == gradientsWithout.inputs)
        #expect(gradients.initialState == gradientsWithout.initialState)
    }

    /// h is as wide as the projection or the hidden units, c as the hidden units; neither as the inputs.
    @Test(
        arguments: Direction.allCases.flatMap {
            Configuration.everyCell(inputSize: 7, hiddenSize: 4, layers: 2, direction: $0)
        })
    func statesAreAsWideAsTheCell(_ configuration: Configuration) {
        let pass = LawPass(configuration, [3, 1], .default)
        for state in [pass.state, pass.gradients.initialState] {
            #expect(state.hidden.count == 2 * configuration.direction.count)
            #expect(state.hidden.allSatisfy { $0.columns == configuration.projectionSize ?? 4 })
            #expect(state.cell.count == (configuration.cell.hasCellState ? state.hidden.count : 0))
            #expect(state.cell.allSatisfy { $0.columns == 4 })
        }
    }

    @Test func statesOfTheInputsWidthAreRefused() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var random = Random(seed: 1)
            let configuration = Configuration(cell: .lstm, inputSize: 7, hiddenSize: 4, projectionSize: 2)
            let network = Network<Double>(configuration, .pyTorch, using: &random)
            var state = State<Double>(configuration, sequences: 2)
            state.hidden[0] = Matrix(rows: 2, columns: 7)
            _ = network.forward(Matrix(rows: 6, columns: 7), Packing(sequences: 2, steps: 3), from: state)
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("states of 2 x 7 for 2 sequences and 2 numbers each"))
    }

    // MARK: Layers

    /// Every parameter of every layer and direction counts: a change of it changes the outputs.
    @Test(
        arguments: Direction.allCases.flatMap {
            Configuration.everyCell(inputSize: 3, hiddenSize: 5, layers: 3, direction: $0, head: Head(outputSize: 2))
        })
    func everyLayerIsUsed(_ configuration: Configuration) {
        var random = Random(seed: 3)
        var network = Network<Double>(configuration, .pyTorch, using: &random)
        let packing = Packing(lengths: [4, 6])
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        let before = network.forward(x, packing).outputs, parameters = network.parameters
        for entry in parameters.layout.entries {
            var changed = parameters
            changed[entry.name] = .random(rows: entry.rows, columns: entry.columns, using: &random)
            network.parameters = changed
            #expect(network.forward(x, packing).outputs != before, "\(entry.name)")
        }
    }

    // MARK: Splits

    /// However a batch is cut, each sequence's results agree to what K numbers summed in another order can differ by, K eps
    /// with K = I + H: a step hands on the differences of the steps before it without enlarging them, as its gates are
    /// saturating functions.
    @Test(
        arguments: [Direction.forward, .bidirectional].flatMap {
            Configuration.everyCell(inputSize: 3, hiddenSize: 47, direction: $0)
        })
    func anySplitOfABatchAgrees(_ configuration: Configuration) {
        expectAgreement(configuration, Float.self)
        expectAgreement(configuration, Double.self)
    }

    private func expectAgreement<S: Scalar>(_ configuration: Configuration, _: S.Type) {
        var random = Random(seed: 4)
        let network = Network<S>(configuration, .pyTorch, using: &random)
        let lengths = (0..<40).map { 1 + ($0 * 5) % 17 }, packing = Packing(lengths: lengths)
        let x = Matrix<S>.random(rows: packing.rowCount, columns: 3, using: &random)
        let (outputs, state) = network.forward(x, packing)
        for size in [1, 3, 16, 25] {
            for start in stride(from: 0, to: 40, by: size) {
                let sequences = start..<min(start + size, 40)
                let part = Packing(lengths: Array(lengths[sequences]))
                /// The part's rows of a matrix of the whole batch.
                func rows(_ matrix: Matrix<S>) -> Matrix<S> {
                    var result = Matrix<S>(rows: part.rowCount, columns: matrix.columns)
                    for (place, sequence) in sequences.enumerated() {
                        for step in 0..<lengths[sequence] {
                            for column in 0..<matrix.columns {
                                result[part.row(sequence: place, step: step), column] =
                                    matrix[packing.row(sequence: sequence, step: step), column]
                            }
                        }
                    }
                    return result
                }
                let (partOutputs, partState) = network.forward(rows(x), part)
                let bound = S(3 + 47) * S.ulpOfOne
                #expect(relativeDifference(partOutputs, rows(outputs)) < bound)
                for (place, sequence) in sequences.enumerated() {
                    for (a, b) in zip(
                        partState.sequence(place).matrices, state.sequence(sequence).matrices)
                    {
                        #expect(relativeDifference(a, b) < bound)
                    }
                }
            }
        }
    }
}
