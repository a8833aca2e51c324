import Sluice

/// Two numbers to add.
struct Addends: Hashable, Sendable {
    let a: UInt64
    let b: UInt64

    /// a + b, for numbers whose sum fits in 64 bits.
    var sum: UInt64 { a + b }
}

extension Addends {
    /// Draws numbers for sums of `bits` bits: a, then b, uniform in 0 ..< 2^(bits-1) - 1, as the original draws them.
    ///
    /// - Parameter bits: 3...64.
    static func random(bits: Int, using random: inout Random) -> Addends {
        let a = number(bits: bits - 1, using: &random)
        return Addends(a: a, b: number(bits: bits - 1, using: &random))
    }

    /// Draws `count` pairs.
    static func random(_ count: Int, bits: Int, using random: inout Random) -> [Addends] {
        (0..<count).map { _ in Self.random(bits: bits, using: &random) }
    }

    /// Uniform in 0 ..< 2^bits - 1: that many random bits, redrawn while all are ones.
    private static func number(bits: Int, using random: inout Random) -> UInt64 {
        let end: UInt64 = (1 << UInt64(bits)) - 1
        while true {
            let value = random.next() >> UInt64(64 - bits)
            if value < end { return value }
        }
    }
}

/// Pairs of numbers as a network reads them: a sequence is a sum, a step is a bit, the lowest first.
///
/// All sequences have T bits, so rows are plain time-major: bit t of pair s is row t * B + s.
extension Batch {
    /// A batch of the given pairs: `x` `[T * B, 2]` has the bits of a and of b, `targets` `[T * B, 1]` those of a + b.
    init(_ pairs: some Collection<Addends>, bits: Int) {
        let packing = Packing(sequences: pairs.count, steps: bits)
        self.init(
            x: Matrix(rows: packing.rowCount, columns: 2), targets: Matrix(rows: packing.rowCount, columns: 1),
            packing: packing)
        fill(pairs)
    }

    /// Overwrites the batch with as many other pairs.
    mutating func fill(_ pairs: some Collection<Addends>) {
        require(
            pairs.count == packing.sequenceCount, "\(pairs.count) pairs for \(packing.sequenceCount) sequences")
        let steps = packing.stepCount, sequences = packing.sequenceCount
        x.withMutableSpan { span in
            for (sequence, pair) in pairs.enumerated() {
                for step in 0..<steps {
                    let row = step * sequences + sequence
                    span[2 * row] = Self.bit(step, of: pair.a)
                    span[2 * row + 1] = Self.bit(step, of: pair.b)
                }
            }
        }
        targets.withMutableSpan { span in
            for (sequence, pair) in pairs.enumerated() {
                let sum = pair.sum
                for step in 0..<steps { span[step * sequences + sequence] = Self.bit(step, of: sum) }
            }
        }
    }

    private static func bit(_ step: Int, of number: UInt64) -> S { number >> UInt64(step) & 1 == 1 ? 1 : 0 }
}
