import CAllocationCount
import Testing
import TestSupport

@testable import Sluice

@Suite struct BatchesTests {
    /// Sequences that know their own number: every input of sequence k is k, and its targets are 100 k + step.
    static func examples(_ lengths: [Int], summedUp: Bool = false) -> Examples<Double> {
        Examples(
            inputs: lengths.enumerated().map { k, length in
                Matrix(rows: length, columns: 2, (0..<2 * length).map { _ in Double(k) })
            },
            targets: lengths.enumerated().map { k, length in
                let rows = summedUp ? 1 : length
                return Matrix(rows: rows, columns: 1, (0..<rows).map { Double(100 * k + $0) })
            })
    }

    static let ragged = (0..<23).map { 1 + ($0 * 7) % 10 }

    /// The numbers of a batch's sequences, after checking that every row is where the packing says.
    private func sequences(_ batch: Batch<Double>, _ examples: Examples<Double>) -> [Int] {
        batch.packing.lengths.enumerated().map { place, length in
            let number = Int(batch.x[batch.packing.row(sequence: place, step: 0), 0])
            #expect(length == examples.lengths[number])
            for step in 0..<length {
                let row = batch.packing.row(sequence: place, step: step)
                #expect(batch.x[row, 0] == Double(number) && batch.x[row, 1] == Double(number))
                if !examples.areSummedUp { #expect(batch.targets[row, 0] == Double(100 * number + step)) }
            }
            if examples.areSummedUp { #expect(batch.targets[place, 0] == Double(100 * number)) }
            return number
        }
    }

    private func epoch(_ batches: inout Batches<Double>, _ examples: Examples<Double>) -> [[Int]] {
        var epoch: [[Int]] = []
        while let batch = batches.next() { epoch.append(sequences(batch, examples)) }
        return epoch
    }

    @Test(arguments: [Bucketing.none, .windows(batches: 2), .windows(batches: 100), .all], [false, true])
    func everySequenceOnceAnEpoch(_ bucketing: Bucketing, summedUp: Bool) {
        let examples = Self.examples(Self.ragged, summedUp: summedUp)
        var batches = Batches(examples, Batching(size: 5, bucketing: bucketing), random: Random(seed: 3))
        #expect(batches.count == 5)
        var earlier: [[[Int]]] = []
        for _ in 0..<4 {
            let epoch = epoch(&batches, examples)
            #expect(epoch.map(\.count).sorted() == [3, 5, 5, 5, 5])
            #expect(epoch.flatMap { $0 }.sorted() == Array(0..<23))
            #expect(!earlier.contains(epoch))
            earlier.append(epoch)
        }
    }

    @Test func withoutShufflingTheOrderIsTheCallers() {
        let examples = Self.examples([3, 3, 3, 3, 3])
        var batches = Batches(examples, Batching(size: 2, shuffles: false))
        for _ in 0..<2 { #expect(epoch(&batches, examples) == [[0, 1], [2, 3], [4]]) }
    }

    @Test func theLastIsDropped() {
        let examples = Self.examples(Self.ragged)
        for bucketing in [Bucketing.none, .all] {
            var batches = Batches(
                examples, Batching(size: 5, bucketing: bucketing, dropsLast: true), random: Random(seed: 3))
            var seen: Set<Int> = []
            for _ in 0..<10 {
                let epoch = epoch(&batches, examples)
                #expect(epoch.map(\.count) == [5, 5, 5, 5])
                #expect(Set(epoch.flatMap { $0 }).count == 20)
                seen.formUnion(epoch.flatMap { $0 })
            }
            #expect(seen.count == 23, "others are dropped in each epoch")
        }
    }

    /// Sorted as a whole, the batches' lengths lie side by side; in windows, those of each window.
    @Test func bucketsHoldLikeLengths() {
        let examples = Self.examples(Self.ragged)
        func spread(_ bucketing: Bucketing) -> Int {
            var batches = Batches(examples, Batching(size: 4, bucketing: bucketing), random: Random(seed: 5))
            return epoch(&batches, examples).reduce(0) { sum, batch in
                let lengths = batch.map { Self.ragged[$0] }
                #expect(lengths == lengths.sorted(by: >))
                return sum + lengths.max()! - lengths.min()!
            }
        }
        #expect(spread(.all) == Self.leastSpread(4))
        #expect(spread(.windows(batches: 2)) < spread(.none) && spread(.all) < spread(.windows(batches: 2)))
        #expect(spread(.windows(batches: 6)) == spread(.all))
    }

    private static func leastSpread(_ size: Int) -> Int {
        let sorted = ragged.sorted(by: >)
        return stride(from: 0, to: sorted.count, by: size).reduce(0) { sum, start in
            sum + sorted[start] - sorted[min(start + size, sorted.count) - 1]
        }
    }

    @Test func batchesThatStay() {
        let examples = Self.examples(Self.ragged)
        let batches = examples.batches(of: 6)
        #expect(batches.map(\.packing.sequenceCount) == [6, 6, 6, 5])
        #expect(batches.flatMap { sequences($0, examples) }.map { Self.ragged[$0] } == Self.ragged.sorted(by: >))
    }

    /// One that is held does not change under its holder.
    @Test func aHeldBatchStays() {
        let examples = Self.examples([2, 2, 2])
        var batches = Batches(examples, Batching(size: 1, shuffles: false))
        let held = batches.next()!
        _ = batches.next()
        #expect(sequences(held, examples) == [0])
    }

    @Test func positionsGoOnAsTheRunWouldHave() throws {
        let examples = Self.examples(Self.ragged)
        let batching = Batching(size: 4, bucketing: .windows(batches: 2))
        var whole = Batches(examples, batching, random: Random(seed: 9))
        let path = (0..<30).map { _ in
            whole.advance()
            return sequences(whole.batch, examples)
        }
        for stop in [0, 1, 4, 6, 7, 13] {
            var first = Batches(examples, batching, random: Random(seed: 9))
            for _ in 0..<stop { first.advance() }
            var second = Batches(examples, batching, random: Random(seed: 1))
            try second.resume(from: first.position)
            for step in stop..<30 {
                second.advance()
                #expect(sequences(second.batch, examples) == path[step])
            }
        }
    }

    @Test func generatedBatches() throws {
        func generated() -> Batches<Double> {
            Batches(perEpoch: 3, random: Random(seed: 2)) { number, random in
                Batch(
                    x: Matrix(rows: 2, columns: 1, [Double(number), random.uniform()]),
                    targets: Matrix(rows: 2, columns: 1), packing: Packing(sequences: 1, steps: 2))
            }
        }
        var batches = generated(), seen: [Matrix<Double>] = []
        for _ in 0..<2 {
            var count = 0
            while let batch = batches.next() {
                seen.append(batch.x)
                count += 1
            }
            #expect(count == 3)
        }
        #expect(seen.map { $0[0, 0] } == [0, 1, 2, 3, 4, 5])
        #expect(Set(seen.map { $0[1, 0] }).count == 6)
        var first = generated()
        for _ in 0..<4 { first.advance() }
        var second = generated()
        try second.resume(from: first.position)
        second.advance()
        #expect(second.batch.x == seen[4])
    }

    @Test func aMistakeIsNamed() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Examples<Double>(
                inputs: Matrix(rows: 5, columns: 1), targets: Matrix(rows: 3, columns: 1), lengths: [2, 3])
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("targets of 3 rows for 5 steps of 2 sequences"))
    }

    /// Lengths that are new in every batch keep one batch's memory and small lists.
    @Test func everNewLengthsKeepLittle() {
        var random = Random(seed: 1)
        let examples = Self.examples((0..<400).map { _ in Int.random(in: 1...40, using: &random) })
        var batches = Batches(examples, Batching(size: 4)), largest = 0
        for _ in 0..<5_000 {
            batches.advance()
            largest = max(largest, batches.batch.packing.rowCount)
            #expect(batches.batch.x.rows == batches.batch.packing.rowCount)
        }
        #expect(batches.batch.x.capacity <= 2 * largest * 5 / 4)
        #expect(batches.packings.count <= 64)
    }

    /// Equal lengths; lengths that come again in every epoch; and a set that is one batch.
    @Test(.enabled(if: allocation_count_is_on())) func fillingAllocatesNothing() async {
        await #expect(processExitsWith: .success) {
            for (lengths, batching) in [
                (Array(repeating: 4, count: 23), Batching(size: 5)), (BatchesTests.ragged, Batching(size: 23)),
                (BatchesTests.ragged, Batching(size: 5, bucketing: .all)),
            ] {
                var batches = Batches(BatchesTests.examples(lengths), batching)
                func epoch() { while let batch = batches.next() { precondition(batch.x.columns == 2) } }
                epoch()
                let before = allocation_count()
                for _ in 0..<5 { epoch() }
                let allocations = allocation_count() - before
                precondition(allocations == 0, "\(allocations) in 5 epochs of \(batching)")
            }
        }
    }
}
