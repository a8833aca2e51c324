import Foundation
import Testing
import TestSupport

@testable import Sluice

/// What comes from outside is refused by an error in words, and the program goes on.
@Suite struct InvalidValueTests {
    /// The words of the error that is thrown; nil: none.
    private func problem(_ body: () throws(InvalidValue) -> Void) -> String? {
        do throws(InvalidValue) { try body() } catch { return error.description }
        return nil
    }

    // MARK: Batches

    @Test func lengths() throws {
        func words(_ lengths: [Int], _ steps: Int? = nil) -> String? {
            problem { () throws(InvalidValue) in _ = try Packing(checking: lengths, steps: steps) }
        }
        #expect(try Packing(checking: [2, 3, 1], steps: 3) == Packing(lengths: [2, 3, 1]))
        #expect(words([]) == "a batch of 0 sequences; at least 1 is needed")
        #expect(words([3, 4], 3) == "sequence 1 has length 4; at most 3 is possible")
        for length in [0, -1, Int.min] {
            #expect(words([1, 7, length]) == "sequence 2 has length \(length); at least 1 is needed")
        }
        for lengths in [
            [Int.max], [.max, .max], [1 << 31], [1 << 30, 1 << 30, 1], Array(repeating: 1 << 62, count: 9),
        ] {
            #expect(words(lengths)?.contains("have more than 2147483647 steps in all") == true, "\(lengths)")
        }
    }

    @Test func sizesOfABatch() throws {
        func words(_ sequences: Int, _ steps: Int) -> String? {
            problem { () throws(InvalidValue) in _ = try Packing(checkingSequences: sequences, steps: steps) }
        }
        #expect(try Packing(checkingSequences: 3, steps: 2) == Packing(sequences: 3, steps: 2))
        for (sequences, steps) in [(0, 1), (1, 0), (-1, 3), (3, .min)] {
            #expect(words(sequences, steps)?.contains("\(sequences) sequences of \(steps) steps; at least 1") == true)
        }
        for (sequences, steps) in [(Int.max, 1), (1, .max), (.max, .max), (1 << 16, 1 << 15), (46_341, 46_341)] {
            #expect(words(sequences, steps)?.contains("\(sequences) sequences of \(steps) steps; at most") == true)
        }
    }

    @Test func masksAndPaddedArrays() throws {
        let packing = try Packing(checkingMask: [[true, true, false], [true, false, false]])
        #expect(packing == Packing(lengths: [2, 1]))
        #expect(
            problem { () throws(InvalidValue) in _ = try Packing(checkingMask: [[true], [false, true]]) }
                == "the mask of sequence 1 has steps up to 0 and again from 1; steps that are there come first")
        #expect(
            problem { () throws(InvalidValue) in _ = try Packing(checkingMask: [[true], []]) }
                == "sequence 1 has length 0; at least 1 is needed")
        #expect(problem { () throws(InvalidValue) in _ = try Packing(checkingMask: []) } != nil)
        for rows in [0, 1, 2, 3, 5, 7] {
            #expect(
                problem { () throws(InvalidValue) in try packing.validate(padded: Matrix<Float>(rows: rows, columns: 2))
                }
                    == (rows % 2 == 0
                        ? "\(rows / 2) steps of padding for sequences of up to 2"
                        : "\(rows) rows of a padded array for 2 sequences: not a whole number of steps"))
        }
        try packing.validate(padded: Matrix<Float>(rows: 4, columns: 0))
    }

    // MARK: Matrices, threads

    @Test func matrices() throws {
        let elements: [Double] = [1, 2, 3, 4, 5, 6]
        #expect(try Matrix(checking: elements, rows: 2, columns: 3) == Matrix(rows: 2, columns: 3, elements))
        for (rows, columns) in [(1, 5), (7, 1), (6, 0), (-2, -3), (.max, 2), (1 << 32, 1 << 32), (.min, .min)] {
            let words = problem { () throws(InvalidValue) in
                _ = try Matrix(checking: elements, rows: rows, columns: columns)
            }
            #expect(words?.contains("a matrix of \(rows) x \(columns)") == true, "\(words ?? "")")
        }
        #expect(
            problem { () throws(InvalidValue) in
                _ = try Matrix(checking: EndlessZeros(), rows: 1 << 20, columns: 1 << 25)
            }
                == "no memory for a matrix of 1048576 x 33554432: 281474976710656 bytes")
    }

    /// Zeros that take no memory.
    private struct EndlessZeros: RandomAccessCollection {
        let startIndex = 0, endIndex = 1 << 45
        subscript(index: Int) -> Double { 0 }
    }

    @Test func threads() throws {
        #expect(try Workers(checking: 2).threads == 2)
        for threads in [0, -1, 4_097, Int.max, .min] {
            #expect(
                problem { () throws(InvalidValue) in _ = try Workers(checking: threads) }
                    == "\(threads) threads; 1 to 4096 are possible")
        }
    }

    /// A generator of zeros would draw for ever.
    @Test func aGeneratorOfZeros() throws {
        let random = Random(seed: 3)
        #expect(try JSONDecoder().decode(Random.self, from: JSONEncoder().encode(random)) == random)
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(Random.self, from: Data(#"{"s0":0,"s1":0,"s2":0,"s3":0}"#.utf8))
        }
        #expect("\(error!)".contains("s0, s1, s2 and s3"))
    }

    // MARK: Networks

    private static let configuration = Configuration(
        cell: .lstm, inputSize: 3, hiddenSize: 5, projectionSize: 2, head: Head(outputSize: 4))

    private static func network(_ configuration: Configuration = configuration) -> Network<Float> {
        var random = Random(seed: 1)
        return Network(configuration, .pyTorch, using: &random)
    }

    @Test func inputsAndStates() throws {
        let network = Self.network(), packing = Packing(lengths: [2, 1])
        try network.validate(Matrix(rows: 3, columns: 3), packing, from: State(Self.configuration, sequences: 2))
        for (rows, columns) in [(0, 0), (3, 2), (3, 4), (2, 3), (4, 3), (9, 1), (1, 9)] {
            #expect(
                problem { () throws(InvalidValue) in try network.validate(Matrix(rows: rows, columns: columns), packing)
                }
                    == "inputs of \(rows) x \(columns) for 3 rows of 3 inputs")
        }
        let fine = State<Float>(Self.configuration, sequences: 2)
        func words(_ change: (inout State<Float>) -> Void) -> String? {
            var state = fine
            change(&state)
            return problem { () throws(InvalidValue) in
                try network.validate(Matrix(rows: 3, columns: 3), packing, from: state)
            }
        }
        #expect(words { _ in } == nil)
        #expect(words { $0.hidden = [] } == "states of 0 hidden and 1 cell matrices for a network of 1 and 1")
        #expect(words { $0.cell += $0.cell } == "states of 1 hidden and 2 cell matrices for a network of 1 and 1")
        for (rows, columns) in [(0, 0), (2, 5), (1, 2), (3, 2), (5, 1)] {
            #expect(
                words { $0.hidden[0] = Matrix(rows: rows, columns: columns) }
                    == "hidden states of \(rows) x \(columns) for 2 sequences and 2 numbers each")
        }
        for (rows, columns) in [(0, 0), (2, 2), (1, 5), (3, 5), (5, 2)] {
            #expect(
                words { $0.cell[0] = Matrix(rows: rows, columns: columns) }
                    == "cell states of \(rows) x \(columns) for 2 sequences and 5 numbers each")
        }
    }

    @Test func streams() throws {
        let stream = try StreamingNetwork(checking: Self.network(), sequences: 2)
        try stream.validate(Matrix(rows: 2, columns: 3))
        try stream.validate(stream.state)
        #expect(
            problem { () throws(InvalidValue) in try stream.validate(Matrix(rows: 1, columns: 3)) }
                == "inputs of 1 x 3 for 2 sequences of 3 inputs")
        #expect(
            problem { () throws(InvalidValue) in try stream.validate(State(Self.configuration, sequences: 1)) }
                == "hidden states of 1 x 2 for 2 sequences and 2 numbers each")
        for sequences in [0, -1, Int.max, 1 << 31] {
            #expect(
                problem { () throws(InvalidValue) in
                    _ = try StreamingNetwork(checking: Self.network(), sequences: sequences)
                } == "a stream of \(sequences) sequences; 1 to 2147483647 are possible")
        }
        var backward = Self.configuration
        backward.direction = .backward
        #expect(
            problem { () throws(InvalidValue) in _ = try StreamingNetwork(checking: Self.network(backward)) }?
                .contains("whose direction is backward") == true)
    }

    @Test func networksAndParameters() throws {
        let network = Self.network()
        #expect(try Network(checking: Self.configuration, network.parameters).parameters == network.parameters)
        var changed = Self.configuration
        changed.layers = -7
        #expect(
            problem { () throws(InvalidValue) in _ = try Network(checking: changed, network.parameters) }
                == "layers -7; 1 to 4096 is possible")
        changed = Self.configuration
        changed.head?.outputSize = 3
        #expect(
            problem { () throws(InvalidValue) in _ = try Network(checking: changed, network.parameters) }
                == "parameters of another network: head.weight of 2 x 4 where there is head.weight of 2 x 3")
        for level in KernelLevel.allCases where !KernelLevel.available.contains(level) {
            #expect(
                problem { () throws(InvalidValue) in
                    _ = try Network(checking: Self.configuration, network.parameters, level: level)
                }?.contains("kernel level \(level.rawValue) on a processor") == true)
        }
        for backend in Backend.allCases where !backend.isAvailable {
            #expect(
                problem { () throws(InvalidValue) in
                    _ = try Network(checking: Self.configuration, network.parameters, backend: backend)
                }?.contains("is not in this build") == true)
        }

        let layout = network.parameters.layout
        #expect(try Parameters(checking: network.parameters.values, layout) == network.parameters)
        for (rows, columns) in [
            (0, layout.count), (1, layout.count - 1), (1, layout.count + 1), (layout.count, 1), (0, 0),
        ] {
            #expect(
                problem { () throws(InvalidValue) in
                    _ = try Parameters(checking: Matrix<Float>(rows: rows, columns: columns), layout)
                } == "values of \(rows) x \(columns) for parameters of 1 x \(layout.count)")
        }
        var parameters = network.parameters
        try parameters.set("head.bias", checking: Matrix(rows: 1, columns: 4, [1, 2, 3, 4]))
        #expect(parameters["head.bias"].elements == [1, 2, 3, 4])
        #expect(
            problem { () throws(InvalidValue) in try parameters.set("head.bias", checking: Matrix(rows: 4, columns: 1))
            }
                == "head.bias is 1 x 4, not 4 x 1")
        let name = String(repeating: "a", count: 1 << 20)
        let words = problem { () throws(InvalidValue) in try parameters.set(name, checking: Matrix(rows: 1, columns: 4))
        }
        #expect(words!.hasPrefix("no parameter aaa") && words!.count < 200)
    }

    @Test func regularisersAndInitialisers() throws {
        func words(_ regularization: Regularization, _ cell: Cell = .lstm) -> String? {
            problem { () throws(InvalidValue) in
                try regularization.validate(for: Configuration(cell: cell, inputSize: 2, hiddenSize: 3))
            }
        }
        #expect(words(Regularization(dropout: 0.99, recurrentDropout: 0.5, zoneout: 1, cellZoneout: 1)) == nil)
        for rate in [-0.1, 1, 1.5, Double.nan, .infinity, -.infinity] {
            #expect(
                words(Regularization(dropout: rate)) == "a dropout of \(rate): at least 0 and less than 1 is needed")
            #expect(words(Regularization(inputDropout: rate))?.contains("inputDropout of \(rate)") == true)
            #expect(words(Regularization(recurrentDropout: rate))?.contains("recurrentDropout of \(rate)") == true)
            if rate != 1 { #expect(words(Regularization(zoneout: rate)) == "a zoneout of \(rate): 0 to 1 is needed") }
            if rate != 1 {
                #expect(words(Regularization(cellZoneout: rate))?.contains("cellZoneout of \(rate)") == true)
            }
        }
        #expect(
            words(Regularization(cellZoneout: 0.1), .rnn(.tanh))?.contains("rnn.tanh, which has no cell state") == true)

        for deviation in [-1, Double.nan, .infinity, 1e39] {
            var initialization = Initialization.pyTorch
            initialization.headBias = .truncatedNormal(standardDeviation: deviation)
            #expect(
                problem { () throws(InvalidValue) in try initialization.validate() }
                    == "headBias with a standard deviation of \(deviation): 0 to 1e+38 is needed")
        }
        try Initialization(all: .truncatedNormal(standardDeviation: 0)).validate()

        for (checkpointing, direction, expected) in [
            (Checkpointing.steps(0), Direction.forward, "segments of 0 steps; at least 1"),
            (.steps(.min), .forward, "segments of -9223372036854775808 steps"),
            (.automatic, .bidirectional, "a network that runs bidirectional"),
        ] {
            let configuration = Configuration(cell: .lstm, inputSize: 1, hiddenSize: 1, direction: direction)
            #expect(
                problem { () throws(InvalidValue) in try checkpointing.validate(for: configuration) }?
                    .contains(expected) == true)
        }
    }
}
