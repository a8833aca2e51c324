import Testing

@testable import Sluice

@Suite struct PackingTests {
    @Test func example() {
        let packing = Packing(lengths: [2, 3, 1])
        #expect(packing.order == [1, 0, 2])
        #expect(packing.rowCount == 6 && packing.stepCount == 3 && packing.sequenceCount == 3)
        #expect((0..<3).map { packing.rows(at: $0) } == [0..<3, 3..<5, 5..<6])
        #expect(packing.row(sequence: 1, step: 2) == 5 && packing.row(sequence: 0, step: 1) == 4)
        #expect(!packing.isEqualLength && Packing(sequences: 4, steps: 2).isEqualLength)
    }

    /// Over many batches: every step of every sequence has one row of its own, and no row is left.
    @Test func rowsAreABijection() {
        var random = Random(seed: 1)
        for count in 1...40 {
            let lengths = (0..<count).map { _ in Int.random(in: 1...9, using: &random) }
            let packing = Packing(lengths: lengths)
            var rows: [Int] = []
            for (sequence, length) in lengths.enumerated() {
                for step in 0..<length {
                    let row = packing.row(sequence: sequence, step: step)
                    #expect(packing.rows(at: step).contains(row))
                    rows.append(row)
                }
            }
            #expect(rows.sorted() == Array(0..<packing.rowCount))
        }
    }

    @Test(arguments: [1, 5, 31, 32, 33, 100, 1000])
    func shardsCoverTheBatch(_ sequences: Int) {
        let packing = Packing(lengths: (0..<sequences).map { 1 + $0 * 13 % 17 })
        let configuration = Configuration(cell: .gru(.resetAfter), inputSize: 64, hiddenSize: 64)
        let shards = configuration.shards(of: packing)
        #expect(shards.flatMap { Array($0.positions) } == Array(0..<sequences))
        #expect(shards.count == min(max(sequences / 16, 1), 16))
        var rows: [Int] = []
        for shard in shards {
            for step in 0..<shard.packing.stepCount {
                let batchRows = shard.batchRows(at: step)
                #expect(batchRows.count == shard.packing.aliveCount(at: step))
                rows += batchRows
            }
        }
        #expect(rows.sorted() == Array(0..<packing.rowCount))
    }

    /// Shards of a ragged batch have about as many rows each, so that threads are ready at about the same time.
    @Test func shardsOfARaggedBatchHaveEqualRows() {
        let packing = Packing(lengths: (0..<64).map { 10 + 90 * $0 / 63 })
        let shards = Configuration(cell: .lstm, inputSize: 64, hiddenSize: 64).shards(of: packing)
        #expect(shards.count == 4)
        for shard in shards { #expect(abs(shard.packing.rowCount - packing.rowCount / 4) <= 100) }
    }

    /// One sequence longer than all others together: every shard still has one.
    @Test func shardsOfAnyBatchHaveASequence() {
        let packing = Packing(lengths: [10_000] + [Int](repeating: 1, count: 47))
        let shards = Configuration(cell: .lstm, inputSize: 64, hiddenSize: 64).shards(of: packing)
        #expect(shards.count == 3 && shards.allSatisfy { !$0.positions.isEmpty })
        #expect(shards.flatMap { Array($0.positions) } == Array(0..<48))
    }

    @Test func shardsSuitTheNetwork() {
        func count(_ hidden: Int, _ inputs: Int, _ sequences: Int, _ steps: Int) -> Int {
            Configuration(cell: .gru(.resetAfter), inputSize: inputs, hiddenSize: hidden)
                .shards(of: Packing(sequences: sequences, steps: steps)).count
        }
        #expect(count(16, 2, 100, 5) == 2) // small products
        #expect(count(16, 2, 16, 1) == 1)
        #expect(count(256, 256, 32, 100) == 2) // few sequences
        #expect(count(128, 64, 1000, 100) == 16)
        #expect(count(1024, 1024, 128, 35) == 2) // large gradients
    }

    @Test(arguments: [1, 3, 10, 1000])
    func chunksCoverTheSteps(_ limit: Int) {
        let packing = Packing(lengths: [7, 3, 9, 1, 1])
        let chunks = packing.chunks(rowLimit: limit)
        #expect(chunks.flatMap { Array($0) } == Array(0..<9))
        #expect(chunks.allSatisfy { $0.count == 1 || packing.rows(of: $0).count <= limit })
    }

    @Test func equalWhereTheLengthsAre() {
        let a = Packing(lengths: [2, 3, 1])
        #expect(a == Packing(lengths: [2, 3, 1]) && a.hashValue == Packing(lengths: [2, 3, 1]).hashValue)
        for other in [[3, 2, 1], [2, 3], [2, 3, 2], [2, 3, 1, 1]] { #expect(a != Packing(lengths: other)) }
        #expect(Packing(sequences: 2, steps: 5) == Packing(lengths: [5, 5]))
        var hashes: Set<Int> = []
        for first in 1...30 {
            for second in 1...30 { hashes.insert(Packing(lengths: [first, second, 3]).hashValue) }
        }
        #expect(hashes.count == 900)
    }

    /// A shard's packing is that of its own lengths, made from the batch's.
    @Test(arguments: [[2, 3, 1], [3, 2, 1], [4, 4], (0..<100).map { 1 + ($0 * 7) % 23 }])
    func packingsOfShards(_ lengths: [Int]) {
        let batch = Packing(lengths: lengths)
        for start in lengths.indices {
            for end in start + 1...lengths.count where end - start < 5 || end == lengths.count {
                let part = Packing(batch, positions: start..<end)
                let expected = Packing(lengths: batch.order[start..<end].map { lengths[$0] })
                #expect(part.rowCount == expected.rowCount && part.stepCount == expected.stepCount)
                #expect((0..<part.stepCount).allSatisfy { part.rows(at: $0) == expected.rows(at: $0) })
                if start > 0 || end < lengths.count {
                    #expect(part == expected && part.order == expected.order && part.positions == expected.positions)
                }
            }
        }
    }

    @Test func wrongLengthsTrap() async {
        await #expect(processExitsWith: .failure) { _ = Packing(lengths: [2, 0]) }
        await #expect(processExitsWith: .failure) { _ = Packing(lengths: []) }
    }
}
