import CFork
import Synchronization
import Testing

@testable import Sluice

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A child of `fork` has one thread: the resident threads and whoever was in a pass are not there, and what they held stays
/// as it was.
@Suite struct ForkTests {
    /// A network whose passes go through every lock and product there is: panels, shards over threads, threads that meet in
    /// products, weights' gradients too large for the small kernels.
    private final class Work: Sendable {
        let network: Network<Double>
        let packing = Packing(lengths: Array(repeating: 8, count: 48))
        let x: Matrix<Double>
        let threads: Int
        let isOver = Atomic<Bool>(false)

        init(threads: Int, seed: UInt64) {
            var random = Random(seed: seed)
            self.threads = threads
            let configuration = Configuration(cell: .gru(.resetAfter), inputSize: 61, hiddenSize: 67)
            network = Network(configuration, .pyTorch, using: &random, workers: Workers(threads: threads))
            let rows = packing.rowCount
            x = Matrix(rows: rows, columns: 61, (0..<rows * 61).map { _ in random.normal() })
        }

        /// Forward and back; a number of all the gradient's bits.
        func checksum() -> UInt64 {
            let recording = network.record(x, packing), outputs = recording.outputs
            let gradients = recording.backward(outputs: outputs)
            var sum: UInt64 = 0
            let values = gradients.parameters.values.view
            for column in 0..<values.columns { sum = sum &* 31 &+ values[0, column].bitPattern }
            return sum
        }
    }

    /// What a child does, and what it should find.
    private final class Child: Sendable {
        let work: Work
        let expected: UInt64
        init(_ work: Work, _ expected: UInt64) { (self.work, self.expected) = (work, expected) }
    }

    private static func forkChild(_ child: Child) -> Int32 {
        fork_child(
            { context in
                let child = Unmanaged<Child>.fromOpaque(context!).takeUnretainedValue()
                #if OpenBLAS
                if BLASThreads.count != 2 && BLASThreads.build != .serial { return 3 }
                #endif
                return child.work.checksum() == child.expected && child.work.checksum() == child.expected ? 0 : 4
            }, Unmanaged.passUnretained(child).toOpaque())
    }

    /// In a process of its own, as OpenBLAS's threads are the whole process's. Two threads are in passes over two threads each
    /// while a third forks.
    @Test func childOfForkComputesTheSameBits() async {
        await #expect(processExitsWith: .success) {
            #if OpenBLAS
            BLASThreads.count = 2
            #endif
            let shared = Work(threads: 2, seed: 1)
            let expected = shared.checksum()
            let child = Child(shared, expected)
            let codes = concurrently(3) { rank -> [Int32: Int] in
                var codes: [Int32: Int] = [:]
                if rank == 0 {
                    for _ in 0..<200 { codes[wait_for_child(ForkTests.forkChild(child), 10_000), default: 0] += 1 }
                    shared.isOver.store(true, ordering: .relaxed)
                }
                while !shared.isOver.load(ordering: .relaxed) { precondition(shared.checksum() == expected) }
                return codes
            }[0]
            print("exit codes of the children: \(codes)")
            exit(codes == [0: 200] ? 0 : 1)
        }
    }
}
