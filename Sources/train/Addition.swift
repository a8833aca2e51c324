import Sluice

/// One addition by a network, right or wrong.
struct Addition: Hashable, Sendable {
    let addends: Addends
    /// What the network computed.
    let computed: UInt64

    var isExact: Bool { computed == addends.sum }

    /// `1024 + 16 = 1040`, and the truth beside it where the network is wrong.
    var text: String {
        "\(addends.a) + \(addends.b) = \(computed)" + (isExact ? "" : " (should be \(addends.sum))")
    }
}

extension Network {
    /// Adds pairs of numbers, all in one batch: a bit is 1 where the output is above 0.5.
    ///
    /// - Parameter bits: T, enough for every sum, at most 64.
    func add(_ pairs: [Addends], bits: Int) -> [Addition] {
        let batch = Batch<S>(pairs, bits: bits)
        let outputs = forward(batch.x, batch.packing).outputs
        return zip(pairs, Self.numbers(from: outputs, count: pairs.count)).map { Addition(addends: $0, computed: $1) }
    }

    /// Puts numbers together from outputs `[T * count, 1]`, the lowest bit first.
    static func numbers(from outputs: Matrix<S>, count: Int) -> [UInt64] {
        require(
            outputs.rows % count == 0 && outputs.rows / count <= 64 && outputs.columns == 1,
            "outputs of \(outputs.rows) x \(outputs.columns) for \(count) numbers of at most 64 bits")
        return outputs.withSpan { span in
            (0..<count).map { sequence in
                var number: UInt64 = 0
                for step in 0..<outputs.rows / count where span[step * count + sequence] > 0.5 {
                    number |= 1 << UInt64(step)
                }
                return number
            }
        }
    }
}

/// How well a network adds.
struct Evaluation: Hashable, Sendable {
    /// The share of exact sums among random pairs of one width.
    struct Share: Hashable, Sendable {
        let bits: Int
        let exact: Int
        let pairs: Int
    }

    /// 1024 + 16 as 20 bits.
    let manual: Addition
    /// One for each of ``widths``.
    let shares: [Share]

    /// The widths that are tried, in bits.
    static let widths = [5, 20, 64]
    /// The random pairs at each width.
    static let pairs = 1_000

    /// - Parameter seed: the run's; the pairs come from a generator of their own.
    init<S>(of network: Network<S>, seed: UInt64) {
        manual = network.add([Addends(a: 1024, b: 16)], bits: 20)[0]
        var random = Random(seed: seed ^ 0x6576_616C_7561_7465)
        shares = Self.widths.map { bits in
            let pairs = Addends.random(Self.pairs, bits: bits, using: &random)
            return Share(bits: bits, exact: network.add(pairs, bits: bits).count(where: \.isExact), pairs: pairs.count)
        }
    }
}
