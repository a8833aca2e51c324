import Sluice
import Testing

@testable import train

@Suite struct AdditionTaskTests {
    @Test(arguments: [3, 5, 20, 63, 64]) func numbersStayInTheirRange(bits: Int) {
        var random = Random(seed: 1)
        let pairs = Addends.random(2_000, bits: bits, using: &random)
        // The end of numpy's randint is excluded, so the largest number is two below the power.
        let largest: UInt64 = (1 << UInt64(bits - 1)) - 2
        #expect(pairs.allSatisfy { $0.a <= largest && $0.b <= largest })
        #expect(pairs.allSatisfy { ($0.sum >> UInt64(bits - 1)) >> 1 == 0 })
        if bits <= 5 {
            #expect(Set(pairs.map(\.a)) == Set(0...largest))
            #expect(Set(pairs.map(\.b)) == Set(0...largest))
        } else {
            // The upper half is drawn too, half of the time.
            let upper = pairs.count { $0.a > largest / 2 }
            #expect((850...1150).contains(upper))
        }
    }

    @Test func sameSeedSamePairs() {
        var first = Random(seed: 7), second = Random(seed: 7), other = Random(seed: 8)
        let pairs = Addends.random(20, bits: 20, using: &first)
        #expect(pairs == Addends.random(20, bits: 20, using: &second))
        #expect(pairs != Addends.random(20, bits: 20, using: &other))
    }

    @Test func batchHoldsTheLowestBitFirst() {
        // 6 = 011 and 3 = 110 read from the lowest bit; 9 = 1001.
        let batch = Batch<Double>([Addends(a: 6, b: 3), Addends(a: 1, b: 0)], bits: 4)
        #expect(batch.x.rows == 8 && batch.x.columns == 2)
        #expect(batch.targets.rows == 8 && batch.targets.columns == 1)
        #expect(batch.packing == Packing(sequences: 2, steps: 4))
        #expect(batch.x.elements == [0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(batch.targets.elements == [1, 1, 0, 0, 0, 0, 1, 0])
    }

    @Test func batchHasAllBitsOfTheWidest() {
        let pair = Addends(a: 1 << 62 | 1, b: 1 << 62)
        let batch = Batch<Float>([pair], bits: 64)
        #expect(batch.targets.elements == [1] + [Float](repeating: 0, count: 62) + [1])
    }

    @Test func refillingLeavesNothingBehind() {
        var batch = Batch<Float>([Addends(a: 7, b: 7)], bits: 4)
        batch.fill([Addends(a: 0, b: 1)])
        #expect(batch.x.elements == [0, 1, 0, 0, 0, 0, 0, 0])
        #expect(batch.targets.elements == [1, 0, 0, 0])
    }
}

@Suite struct MiniBatchesTests {
    private let pairs = (0..<10).map { Addends(a: UInt64($0), b: 1) }

    @Test func anEpochMeetsEveryPairOnce() {
        var batches = MiniBatches<Double>(pairs, size: 4, bits: 5)
        var random = Random(seed: 3)
        #expect(batches.count == 3)
        for _ in 0..<3 {
            batches.shuffle(using: &random)
            var sizes: [Int] = [], numbers: [UInt64] = []
            for index in 0..<batches.count {
                batches.load(index)
                let batch = batches.batch
                sizes.append(batch.packing.sequenceCount)
                numbers += Network<Double>.numbers(from: batch.targets, count: batch.packing.sequenceCount)
            }
            #expect(sizes == [4, 4, 2])
            #expect(numbers.sorted() == pairs.map(\.sum))
            #expect(numbers != pairs.map(\.sum))
        }
    }

    @Test func theWholeSetKeepsItsOrder() {
        var batches = MiniBatches<Double>(pairs, size: 10, bits: 5)
        var random = Random(seed: 3), untouched = Random(seed: 3)
        batches.shuffle(using: &random)
        batches.load(0)
        #expect(Network<Double>.numbers(from: batches.batch.targets, count: 10) == pairs.map(\.sum))
        #expect(random.next() == untouched.next())
    }
}
