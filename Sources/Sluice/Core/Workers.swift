import CSluiceKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Threads that stay, to share out the shards of a pass.
///
/// A pass of a small network lasts 20 to 100 us, so a waiting thread first spins briefly (handing work over then costs
/// about a microsecond) and parks after that, so that no core burns while nothing is asked. Several threads may use the
/// same workers: one gets them, the others compute alone meanwhile. Results do not depend on it.
public final class Workers: Sendable {
    /// Only the caller's thread.
    public static let single = Workers(threads: 1)

    /// The number of threads, the caller's included.
    public let threads: Int
    private let team: Team

    /// - Parameter threads: how many threads work, the caller's included.
    /// - Precondition: 1 to 4,096. For a number from outside the program there is ``init(checking:)``.
    public init(threads: Int) {
        require(noProblem: Self.problem(threads: threads))
        self.threads = threads
        team = Team(threads: threads)
        let failure = team.startThreads()
        require(failure == 0, "no thread could be started: error \(failure)")
    }

    /// - Parameter threads: how many threads work, the caller's included: a number from outside the program.
    /// - Throws: where it is not 1 to 4,096.
    public convenience init(checking threads: Int) throws(InvalidValue) {
        try InvalidValue.throwing(Self.problem(threads: threads))
        self.init(threads: threads)
    }

    private static func problem(threads: Int) -> String? {
        threads >= 1 && threads <= 4_096 ? nil : "\(threads) threads; 1 to 4096 are possible"
    }

    deinit { team.stop() }

    /// Performs every part below `count`, each once, over the threads, begun in their order; returns when all are done.
    /// Allocates nothing.
    func run(_ count: Int, _ work: some SharedWork) {
        guard threads > 1, count > 1, team.take() else {
            for index in 0..<count { work.perform(index, thread: 0) }
            return
        }
        unsafe withUnsafePointer(to: work) { unsafe team.run(count, BorrowedWork(work: $0)) }
        team.giveBack()
    }
}

/// Work in numbered parts that may be done at the same time. (A type instead of a closure: a closure would be allocated
/// anew for every pass.)
protocol SharedWork: Sendable {
    /// - Parameter thread: who performs it: no two at a time have the same number, and numbers stay below that of the
    ///   threads and that of the parts.
    func perform(_ index: Int, thread: Int)
}

/// Work that lives on the stack of the thread that waits for it.
@safe
private struct BorrowedWork<Work: SharedWork>: SharedWork, @unchecked Sendable {
    let work: UnsafePointer<Work>

    func perform(_ index: Int, thread: Int) { unsafe work.pointee.perform(index, thread: thread) }
}

/// Waits for what another thread is about to do: spins, and after a while lets others have the core.
func spinUntil(_ isDone: () -> Bool) {
    var spins = 0
    while !isDone() {
        sluice_pause()
        spins += 1
        if spins > 2_000 { sched_yield() }
    }
}

/// What the threads of one `Workers` share.
@safe
private final class Team: @unchecked Sendable {
    /// The job's number in the upper half, the calls that nobody has claimed yet in the lower: one word, so that a late
    /// thread cannot claim from a job that it did not see.
    private let ticket = Atomic<UInt64>(0)
    private let finished = Atomic<Int>(0)
    private let isTaken = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)
    private let parked = Atomic<Int>(0)
    /// Written before a job's ticket, read only by who has claimed from it.
    private var work: (any SharedWork)?
    private var count = 0
    /// The threads that have claimed a part of the job, the caller's included: they are numbered in that order.
    private let joined = Atomic<Int>(0)
    private let lock = Lock()
    private let threads: Int
    /// The generation of processes (``ForkSafety``) that the threads were started in.
    private let generation = Atomic<Int>(ForkSafety.generation.load(ordering: .relaxed))

    /// Pauses before a waiting thread parks: some 40 us.
    private static let spins = 2_000

    init(threads: Int) { self.threads = threads }

    /// Starts all but the caller's; the system's error, or 0.
    func startThreads() -> Int32 {
        for _ in 1..<threads {
            let context = unsafe Unmanaged.passRetained(self).toOpaque()
            var thread = pthread_t()
            let failure = unsafe pthread_create(&thread, nil, { unsafe Team.main($0) }, context)
            if failure != 0 {
                unsafe Unmanaged<Team>.fromOpaque(context).release()
                return failure
            }
            pthread_detach(thread)
        }
        return 0
    }

    func take() -> Bool {
        let current = ForkSafety.generation.load(ordering: .relaxed)
        if generation.load(ordering: .acquiring) != current { return takeInChild(current) }
        return isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    /// In a child of `fork`, where the threads are not, nor whoever had them: starts others, once. Where the system has none
    /// to give, the caller does all the parts.
    private func takeInChild(_ current: Int) -> Bool {
        let born = generation.load(ordering: .relaxed)
        guard
            born != Self.isRestarting,
            generation.compareExchange(expected: born, desired: Self.isRestarting, ordering: .acquiring).exchanged
        else { return false }
        isTaken.store(true, ordering: .relaxed)
        parked.store(0, ordering: .relaxed)
        ticket.store(ticket.load(ordering: .relaxed) & ~0xFFFF_FFFF, ordering: .relaxed) // nothing left to claim
        _ = startThreads()
        generation.store(current, ordering: .releasing)
        return true
    }

    private static let isRestarting = -1

    func giveBack() { isTaken.store(false, ordering: .releasing) }

    func run(_ count: Int, _ work: any SharedWork) {
        self.work = work
        self.count = count
        joined.store(0, ordering: .relaxed)
        finished.store(0, ordering: .relaxed)
        let job = (ticket.load(ordering: .relaxed) >> 32) + 1
        ticket.store(job << 32 | UInt64(count), ordering: .sequentiallyConsistent)
        wakeParked()
        perform(job)
        spinUntil { finished.load(ordering: .acquiring) == count }
        self.work = nil
    }

    func stop() {
        guard generation.load(ordering: .acquiring) == ForkSafety.generation.load(ordering: .relaxed) else { return }
        isStopping.store(true, ordering: .sequentiallyConsistent)
        wakeParked()
    }

    /// Claims parts of a job until none is left, or until another job has begun: a thread is numbered anew in each.
    private func perform(_ job: UInt64) {
        var thread = -1
        var current = ticket.load(ordering: .acquiring)
        while current >> 32 == job && current & 0xFFFF_FFFF > 0 {
            let (claimed, seen) = ticket.weakCompareExchange(
                expected: current, desired: current - 1, ordering: .acquiringAndReleasing)
            if claimed {
                if thread < 0 { thread = joined.add(1, ordering: .relaxed).oldValue }
                work!.perform(count - Int(current & 0xFFFF_FFFF), thread: thread)
                finished.add(1, ordering: .releasing)
                current = ticket.load(ordering: .acquiring)
            } else {
                current = seen
            }
        }
    }

    private func hasWork(since job: UInt64) -> Bool {
        ticket.load(ordering: .sequentiallyConsistent) >> 32 != job
            || isStopping.load(ordering: .sequentiallyConsistent)
    }

    private func wakeParked() {
        guard parked.load(ordering: .sequentiallyConsistent) > 0 else { return }
        lock.withLock { lock.wakeAll() }
    }

    private func waitForWork(since job: UInt64) {
        for _ in 0..<Self.spins {
            if hasWork(since: job) { return }
            sluice_pause()
        }
        lock.withLock {
            parked.add(1, ordering: .sequentiallyConsistent)
            while !hasWork(since: job) { lock.wait() }
            parked.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    /// The life of a thread.
    static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        let team = unsafe Unmanaged<Team>.fromOpaque(context!).takeRetainedValue()
        #if OpenBLAS
        BLASThreads.keepOneOnThisThread()
        #endif
        var job: UInt64 = 0
        while true {
            team.waitForWork(since: job)
            if team.isStopping.load(ordering: .acquiring) { return nil }
            job = team.ticket.load(ordering: .acquiring) >> 32
            team.perform(job)
        }
    }
}
