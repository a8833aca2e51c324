import Foundation
import Testing
import TestSupport

@testable import Sluice

/// What no network can have, said by one property to all that ask.
@Suite struct ConfigurationTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        let field: String
        let value: Int
        let words: String
        let change: @Sendable (inout Configuration) -> Void

        var testDescription: String { "\(field) \(value)" }
    }

    private static let good = Configuration(
        cell: .lstm, inputSize: 3, hiddenSize: 5, layers: 2, direction: .bidirectional, projectionSize: 2,
        head: Head(outputSize: 2))

    static let wrong: [Wrong] =
        [0, -1, -3, Int.min, 1 << 24 + 1, Int.max].flatMap { value in
            [
                Wrong(field: "inputSize", value: value, words: "inputSize \(value); 1 to 16777216 is possible") {
                    $0.inputSize = value
                },
                Wrong(field: "hiddenSize", value: value, words: "hiddenSize \(value); 1 to 1048576 is possible") {
                    $0.hiddenSize = value
                },
                Wrong(field: "layers", value: value, words: "layers \(value); 1 to 4096 is possible") {
                    $0.layers = value
                },
                Wrong(
                    field: "head.outputSize", value: value,
                    words: "head.outputSize \(value); 1 to 16777216 is possible"
                ) { $0.head?.outputSize = value },
                Wrong(
                    field: "projectionSize", value: value,
                    words: "projectionSize \(value) of 5 hidden units; 1 to 4 is possible"
                ) { $0.projectionSize = value },
            ]
        } + [
            Wrong(field: "layers", value: 4_097, words: "layers 4097; 1 to 4096 is possible") { $0.layers = 4_097 },
            Wrong(field: "projectionSize", value: 5, words: "projectionSize 5 of 5 hidden units; 1 to 4 is possible") {
                $0.projectionSize = 5
            },
            Wrong(field: "projectionSize", value: 1, words: "projectionSize 1 of 1 hidden unit, which cannot") {
                ($0.hiddenSize, $0.projectionSize) = (1, 1)
            },
            Wrong(
                field: "projectionSize", value: 2,
                words: "projectionSize 2 of a gru.resetAfter, which has no projection"
            ) {
                $0.cell = .gru(.resetAfter)
            },
            Wrong(field: "hiddenSize", value: 1 << 20, words: "parameters (inputSize 3, hiddenSize 1048576, layers 2)")
            {
                ($0.hiddenSize, $0.projectionSize) = (1 << 20, nil)
            },
        ]

    /// The same words from the property, the throwing form and the decoder, whose error names the place.
    @Test(arguments: wrong)
    func isRefusedByAll(_ wrong: Wrong) throws {
        var configuration = Self.good
        #expect(configuration.problem == nil)
        wrong.change(&configuration)
        let words = try #require(configuration.problem)
        #expect(words.contains(wrong.words) && words.contains(wrong.field.split(separator: ".").last!), "\(words)")
        let error = #expect(throws: InvalidValue.self) { try configuration.validate() }
        #expect(error?.description == words)
        let data = try JSONEncoder().encode(["network": configuration])
        do {
            _ = try JSONDecoder().decode([String: Configuration].self, from: data)
            Issue.record("it was decoded")
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.debugDescription == words && context.underlyingError as? InvalidValue == error)
            #expect(context.codingPath.map(\.stringValue) == ["network"])
        }
    }

    /// What is asked of a configuration that no network has does not trap.
    @Test func sizesOfWhatNoNetworkHas() {
        var configuration = Self.good
        (configuration.layers, configuration.projectionSize) = (.max, .max)
        #expect(configuration.scanCount != 0 && configuration.layerOutputSize != 0 && configuration.problem != nil)
    }

    /// The count of the check is that of the layout, in every cell, direction and choice.
    @Test func parametersAreCountedAsTheyAreLaidOut() {
        for head in [nil, Head(outputSize: 3)] {
            for var configuration in Configuration.everyCell(inputSize: 4, hiddenSize: 7, layers: 3, head: head) {
                for direction in Direction.allCases {
                    for biases in [nil] + Biases.allCases {
                        (configuration.direction, configuration.biases) = (direction, biases)
                        #expect(configuration.parameterCount == ParameterLayout(configuration).count)
                    }
                }
            }
        }
    }

    /// The largest networks that are let through can be counted.
    @Test func theLargestSizes() {
        for (inputs, hidden, layers, direction) in [
            (1 << 24, 1 << 14, 1, Direction.forward), (1, 1 << 19, 1, .backward), (1 << 24, 1, 4_096, .bidirectional),
            (1, 1 << 12, 4_096, .bidirectionalSum),
        ] {
            let configuration = Configuration(
                cell: .rnn(.tanh), inputSize: inputs, hiddenSize: hidden, layers: layers, direction: direction,
                head: Head(outputSize: 1 << 16))
            #expect(ParameterLayout(configuration).count == configuration.parameterCount)
        }
    }
}
