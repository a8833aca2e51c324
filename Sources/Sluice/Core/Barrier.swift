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

    private let isBroken = Atomic<Bool>(false)

    private static let spins = 1_000

    init(_ count: Int) { self.count = count }

    /// How a wait ended.
    enum Outcome { case met, late, broken }

    /// Returns when all have called it; or so many seconds later, or once it is broken, with which it cannot be used any more.
    func wait(patience: Seconds) -> Outcome {
        // Those who come to it again must not stand for those who do not come.
        if isBroken.load(ordering: .acquiring) { return .broken }
        let meeting = meetings.load(ordering: .relaxed)
        // What is written before is seen by all after.
        if arrived.add(1, ordering: .acquiringAndReleasing).newValue == count {
            arrived.store(0, ordering: .relaxed)
            lock.withLock {
                meetings.store(meeting + 1, ordering: .releasing)
                lock.wakeAll()
            }
            return .met
        }
        for _ in 0..<Self.spins {
            if meetings.load(ordering: .acquiring) != meeting { return .met }
            sluice_pause()
        }
        let deadline = now() + patience
        return lock.withLock {
            while meetings.load(ordering: .acquiring) == meeting {
                if isBroken.load(ordering: .relaxed) { return .broken }
                if now() >= deadline { return .late }
                lock.wait(until: deadline)
            }
            return .met
        }
    }

    /// Nobody is to wait here any more: somebody does not come.
    func breakUp() {
        lock.withLock {
            isBroken.store(true, ordering: .releasing)
            lock.wakeAll()
        }
    }

    /// Not at the same time as another of the threads.
    func withLock<R>(_ body: () -> R) -> R { lock.withLock(body) }
}
