import Synchronization
import Testing

@testable import Sluice

@Suite struct WorkersTests {
    /// Counts the parts done, and the times that a part found its thread's number out of range or in use by another.
    private final class Counts: Sendable {
        let done = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        /// One bit for each thread's number.
        let inUse = Atomic<UInt64>(0)
    }

    private struct CountedWork: SharedWork {
        let counts: Counts
        let parts: Int

        func perform(_ index: Int, thread: Int) {
            let bit = UInt64(1) << UInt64(thread)
            let before = counts.inUse.bitwiseOr(bit, ordering: .sequentiallyConsistent).oldValue
            if thread >= parts || before & bit != 0 { counts.wrong.add(1, ordering: .relaxed) }
            spin(400 * (1 + index % 2))
            counts.inUse.bitwiseAnd(~bit, ordering: .sequentiallyConsistent)
            counts.done.add(1, ordering: .relaxed)
        }

        private func spin(_ count: Int) { for _ in 0..<count { _ = counts.wrong.load(ordering: .relaxed) } }
    }

    /// Job after job, of few parts, so that threads come late to one and early to the next.
    @Test(arguments: [2, 3, 4])
    func everyPartOnceAndNoNumberTwiceAtATime(_ threads: Int) {
        let workers = Workers(threads: threads)
        let counts = Counts()
        var expected = 0
        for job in 0..<20_000 {
            let parts = 2 + job % 3
            workers.run(parts, CountedWork(counts: counts, parts: parts))
            expected += parts
        }
        #expect(counts.done.load(ordering: .relaxed) == expected)
        #expect(counts.wrong.load(ordering: .relaxed) == 0)
    }
}
