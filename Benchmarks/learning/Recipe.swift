import ArgumentParser
import Sluice

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A network by its usual name.
enum Architecture: String, Codable, CaseIterable, ExpressibleByArgument, Sendable {
    case gru, lstm, rnn

    var cell: Cell {
        switch self {
        case .gru: .gru(.resetAfter)
        case .lstm: .lstm
        case .rnn: .rnn(.tanh)
        }
    }
}

/// How a network is made and trained: all that decides the numbers of a run, but for the task and the test.
struct Recipe: Codable, Hashable, Sendable {
    var architecture: Architecture
    /// H, the hidden units.
    var hidden: Int
    /// M: the gates that keep the state (a GRU's z, an LSTM's f) begin with biases log u, u uniform in [1, M), so that units
    /// remember for 1 to M steps (Tallec and Ollivier 2018, arXiv 1804.11188); an LSTM's input gates with -log u. Other
    /// biases begin at 0, and these too where M is 1.
    var memory: Int
    /// B, the sequences of an update, drawn anew for each.
    var batch: Int
    var updates: Int
    /// Adam's step size where it is largest.
    var learningRate: Double
    /// The updates over which the rate rises from a tenth; from there it falls to 0 along half a cosine.
    var warmUp: Int
    /// The largest norm of a gradient.
    var clip: Double
    var seed: UInt64

    /// Adam as PyTorch has it, so that its runs are the same.
    var optimizer: Optimizer { .adam(learningRate: learningRate, form: .pyTorch) }

    var schedule: Schedule {
        .warmUp(updates: warmUp, start: 0.1, then: .cosine(updates: max(updates - warmUp, 1)))
    }

    /// The network at the start: Glorot uniform, orthogonal recurrent weights.
    func network<S: Scalar>(inputs: Int, head: Head, using random: inout Random, threads: Int) -> Network<S> {
        let configuration = Configuration(
            cell: architecture.cell, inputSize: inputs, hiddenSize: hidden, head: head)
        var network = Network<S>(configuration, .keras, using: &random, workers: Workers(threads: threads))
        var bias = network.parameters["bias_ih_l0"]
        for unit in 0..<(architecture == .rnn ? 0 : hidden) {
            let log = log(1 + random.uniform() * Double(memory - 1))
            // Gates stand in PyTorch's order, r z n and i f g o: the one that keeps the state is the second.
            bias[0, hidden + unit] = S(log)
            if architecture == .lstm { bias[0, unit] = S(-log) }
        }
        network.parameters["bias_ih_l0"] = bias
        return network
    }

    /// Refuses what no run can do, beside its recipe.
    static func check(testInterval: Int, threads: Int) throws {
        guard testInterval >= 1 else {
            throw ValidationError("--test-interval must be at least 1, not \(testInterval).")
        }
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 256, not \(threads).")
        }
    }

    /// Refuses numbers that no run can have.
    func validate() throws {
        for (name, value) in [("hidden", hidden), ("batch", batch), ("updates", updates)] where value < 1 {
            throw ValidationError("--\(name) must be at least 1, not \(value).")
        }
        guard memory >= 1 else { throw ValidationError("--memory must be at least 1, not \(memory).") }
        guard (0...updates).contains(warmUp) else {
            throw ValidationError("--warm-up must be from 0 to \(updates), the updates, not \(warmUp).")
        }
        for (name, value) in [("learning-rate", learningRate), ("clip", clip)] where !(value > 0) || !value.isFinite {
            throw ValidationError("--\(name) must be a positive number, not \(value).")
        }
    }
}
