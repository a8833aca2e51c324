import Foundation
import Sluice

/// A configuration of whatever a file holds: it is refused, or small ones compute a step.
func fuzzConfiguration(_ bytes: UnsafeRawBufferPointer) {
    guard let configuration = try? JSONDecoder().decode(Configuration.self, from: Data(bytes)) else { return }
    let layout = ParameterLayout(configuration)
    guard layout.count <= 1 << 14, configuration.layers <= 16 else { return }
    let network = Network<Float>(configuration, Parameters(layout))
    let x = Matrix<Float>(rows: 3, columns: configuration.inputSize)
    _ = network.forward(x, Packing(lengths: [2, 1]))
}

/// Configurations that the fuzzer begins from.
enum FuzzedConfiguration {
    static var seeds: [Data] {
        let configurations = [
            Configuration(cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 3),
            Configuration(
                cell: .lstm, inputSize: 2, hiddenSize: 3, layers: 2, direction: .bidirectional, projectionSize: 2,
                biases: .both, head: Head(outputSize: 2, steps: .max)),
            Configuration(cell: .rnn(.relu), inputSize: 1, hiddenSize: 1, biases: Biases.none),
        ]
        return configurations.compactMap { try? JSONEncoder().encode($0) }
    }
}
