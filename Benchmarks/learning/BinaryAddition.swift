import Sluice

/// Adding two numbers bit by bit, the lowest first: numbers of n bits, so T = n + 1 steps, the last for the carry.
///
/// A step's inputs are a bit of each number, its target the sum's bit. Outputs are logits: a bit is 1 where they are above 0.
enum BinaryAddition {
    /// Two numbers.
    struct Addends: Hashable, Sendable {
        let a: UInt64
        let b: UInt64

        /// a + b.
        var sum: Sum {
            let (low, carry) = a.addingReportingOverflow(b)
            return Sum(low: low, carry: carry)
        }

        /// The hardest sum that begins with a or a + 1, whichever is odd: 2^bits, its carry running over all bits.
        func withLongCarry(bits: Int) -> Addends {
            let a = a | 1
            return Addends(a: a, b: ((0 &- a) << UInt64(64 - bits)) >> UInt64(64 - bits))
        }

        /// Draws a, then b, each uniform in 0 ..< 2^bits, bits at most 64.
        static func random(bits: Int, using random: inout Random) -> Addends {
            let a = random.next() >> UInt64(64 - bits)
            return Addends(a: a, b: random.next() >> UInt64(64 - bits))
        }
    }

    /// The 65 bits of the sum of two numbers of 64.
    struct Sum: Hashable, Sendable {
        var low: UInt64 = 0
        var carry = false

        /// The bit at that place, 0...64.
        subscript(place: Int) -> Bool {
            get { place == 64 ? carry : low >> UInt64(place) & 1 == 1 }
            set {
                if place == 64 {
                    carry = newValue
                } else if newValue {
                    low |= 1 << UInt64(place)
                } else {
                    low &= ~(1 << UInt64(place))
                }
            }
        }
    }

    /// Room for sums of numbers of n bits.
    static func batch<S: Scalar>(sequences: Int, bits: Int) -> Batch<S> {
        let packing = Packing(sequences: sequences, steps: bits + 1)
        return Batch(
            x: Matrix(rows: packing.rowCount, columns: 2), targets: Matrix(rows: packing.rowCount, columns: 1),
            packing: packing)
    }

    /// Overwrites a batch with as many pairs.
    static func encode<S: Scalar>(_ pairs: [Addends], into batch: inout Batch<S>) {
        let steps = batch.packing.stepCount, sequences = batch.packing.sequenceCount
        precondition(pairs.count == sequences, "\(pairs.count) pairs for \(sequences) sequences")
        batch.targets.withMutableSpan { targets in
            batch.x.withMutableSpan { x in
                for (sequence, pair) in pairs.enumerated() {
                    let a = Sum(low: pair.a), b = Sum(low: pair.b), sum = pair.sum
                    for step in 0..<steps {
                        let row = step * sequences + sequence
                        x[2 * row] = a[step] ? 1 : 0
                        x[2 * row + 1] = b[step] ? 1 : 0
                        targets[row] = sum[step] ? 1 : 0
                    }
                }
            }
        }
    }

    /// The numbers that logits `[T * count, 1]` stand for.
    static func decode<S: Scalar>(_ logits: Matrix<S>, count: Int) -> [Sum] {
        precondition(
            logits.rows % count == 0 && logits.rows / count <= 65 && logits.columns == 1,
            "logits of \(logits.rows) x \(logits.columns) for \(count) sums of at most 65 bits")
        return logits.withSpan { span in
            (0..<count).map { sequence in
                var sum = Sum()
                for step in 0..<logits.rows / count { sum[step] = span[step * count + sequence] > 0 }
                return sum
            }
        }
    }

    /// How many of the pairs a network adds exactly.
    static func exactCount<S: Scalar>(_ network: Network<S>, _ pairs: [Addends], bits: Int) -> Int {
        var batch: Batch<S> = batch(sequences: pairs.count, bits: bits)
        encode(pairs, into: &batch)
        let sums = decode(network.forward(batch.x, batch.packing).outputs, count: pairs.count)
        return zip(pairs, sums).count { $0.sum == $1 }
    }
}
