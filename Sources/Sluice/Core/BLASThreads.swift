#if OpenBLAS
import COpenBLAS
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How many threads OpenBLAS takes for one product, held to one where the threads are ours.
///
/// Whose setting that is depends on how OpenBLAS was built. With POSIX threads it is the whole process's: it is changed only
/// while somebody holds it, and whoever else multiplies meanwhile has one thread too. With OpenMP it is the calling thread's:
/// each of ours has its own, and nobody else's is touched.
enum BLASThreads {
    /// What OpenBLAS makes threads with.
    enum Build: Int32 {
        case serial = 0
        case pthread = 1
        case openMP = 2
    }

    static let build = Build(rawValue: openblas_get_parallel()) ?? .pthread

    /// The serial build is made for one thread: it gives out its buffers without a lock, so that two products at a time may
    /// get the same one. There they take turns.
    static let serialLock = Lock()

    /// Holds OpenBLAS to one thread until ``endOne(_:)``, by the same thread. Holds may overlap.
    ///
    /// - Returns: what ``endOne(_:)`` is given.
    static func beginOne() -> Int32 {
        switch build {
        case .serial: return 1
        case .pthread:
            ProcessHold.begin()
            return 1
        case .openMP: return OpenMP.shared.setThreads(1)
        }
    }

    /// Gives back what was set before.
    static func endOne(_ previous: Int32) {
        switch build {
        case .serial: break
        case .pthread: ProcessHold.end()
        case .openMP: _ = OpenMP.shared.setThreads(previous)
        }
    }

    /// For a thread that is ours and stays so.
    static func keepOneOnThisThread() {
        if build == .openMP { _ = OpenMP.shared.setThreads(1) }
    }

    /// The threads that OpenBLAS may take for a product of this thread.
    static var count: Int {
        get { Int(build == .openMP ? OpenMP.shared.threads : openblas_get_num_threads()) }
        set { openblas_set_num_threads(Int32(newValue)) }
    }
}

/// The calls of the OpenMP library that OpenBLAS uses: looked up, as only one of its builds brings them along.
@safe
private struct OpenMP: @unchecked Sendable {
    static let shared = OpenMP()

    private let getThreads: (@convention(c) () -> Int32)?
    private let setThreads: (@convention(c) (Int32) -> Void)?

    private init() {
        unsafe getThreads = unsafeBitCast(dlsym(nil, "omp_get_max_threads"), to: (@convention(c) () -> Int32)?.self)
        unsafe setThreads = unsafeBitCast(dlsym(nil, "omp_set_num_threads"), to: (@convention(c) (Int32) -> Void)?.self)
    }

    var threads: Int32 { getThreads?() ?? 1 }

    /// Sets the calling thread's number; the one before.
    func setThreads(_ count: Int32) -> Int32 {
        let previous = threads
        if previous != count { setThreads?(count) }
        return previous
    }
}

/// Who holds the whole process's number at 1, and what it was before.
enum ProcessHold {
    /// How many hold it: the first sets, the last gives back. Negative: somebody is changing it.
    private static let holders = Atomic<Int>(0)
    /// What it was before the first; written by who changes it.
    private static let previous = Atomic<Int32>(1)

    private static let isChanging = -1

    /// Takes the right to change it, once nobody else has that.
    private static func take() -> Int {
        var found = isChanging
        spinUntil {
            found = holders.load(ordering: .relaxed)
            return found != isChanging
                && holders.weakCompareExchange(expected: found, desired: isChanging, ordering: .acquiring).exchanged
        }
        return found
    }

    static func begin() {
        var count = holders.load(ordering: .relaxed)
        while count > 0 {
            let (joined, seen) = holders.weakCompareExchange(
                expected: count, desired: count + 1, ordering: .acquiring)
            if joined { return }
            count = seen
        }
        _ = ForkSafety.isInstalled
        count = take()
        if count == 0 {
            let found = openblas_get_num_threads()
            previous.store(found, ordering: .relaxed)
            if found != 1 { openblas_set_num_threads(1) }
        }
        holders.store(count + 1, ordering: .releasing)
    }

    static func end() {
        var count = holders.load(ordering: .relaxed)
        while count > 1 {
            let (left, seen) = holders.weakCompareExchange(expected: count, desired: count - 1, ordering: .releasing)
            if left { return }
            count = seen
        }
        count = take()
        if count == 1 { giveBack() }
        holders.store(count - 1, ordering: .releasing)
    }

    /// Whoever set another number meanwhile meant it.
    private static func giveBack() {
        let previous = previous.load(ordering: .relaxed)
        if previous != 1 && openblas_get_num_threads() == 1 { openblas_set_num_threads(previous) }
    }

    // MARK: Fork

    /// Written between the two ends of a fork.
    private static let holdersAtFork = Atomic<Int>(0)

    /// Nobody is changing the number while the process forks: OpenBLAS has a lock of its own in there.
    static func prepareFork() { holdersAtFork.store(take(), ordering: .relaxed) }

    static func endForkInParent() { holders.store(holdersAtFork.load(ordering: .relaxed), ordering: .releasing) }

    /// Nobody who held it is in the child.
    static func endForkInChild() {
        if holdersAtFork.load(ordering: .relaxed) > 0 { giveBack() }
        holders.store(0, ordering: .releasing)
    }
}
#endif
