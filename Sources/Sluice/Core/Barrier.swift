import CSluiceKernels
import Synchronization

/// Where so many threads wait for each other. They spin briefly and then sleep, as there may be more of them than
/// cores.
final class Barrier: Sendable {
    private let count: Int
    private let lock = Lock()
    private let arrived = Atomic<Int>(0)
    /// The meetings so far.
    private let meetings = Atomic<Int>(0)

    private static let spins = 1_000

    init(_ count: Int) { self.count = count }

    /// Returns when all have called it.
    func wait() {
        let meeting = meetings.load(ordering: .relaxed)
        // What is written before is seen by all after.
        if arrived.add(1, ordering: .acquiringAndReleasing).newValue == count {
            arrived.store(0, ordering: .relaxed)
            lock.withLock {
                meetings.store(meeting + 1, ordering: .releasing)
                lock.wakeAll()
            }
            return
        }
        for _ in 0..<Self.spins {
            if meetings.load(ordering: .acquiring) != meeting { return }
            sluice_pause()
        }
        lock.withLock { while meetings.load(ordering: .acquiring) == meeting { lock.wait() } }
    }

    /// Not at the same time as another of the threads.
    func withLock(_ body: () -> Void) { lock.withLock(body) }
}
