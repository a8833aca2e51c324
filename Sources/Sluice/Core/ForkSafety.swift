import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a child of `fork` needs of us: it has one thread, the one that forked; whoever held a lock is not there, nor are the
/// resident threads.
enum ForkSafety {
    /// How many forks this process is away from the first that used this module. Threads started in another generation are not
    /// in this process.
    static let generation = Atomic<Int>(0)

    /// Asked for before anything is made that a fork could break.
    static let isInstalled: Bool = {
        // Made before the first fork, not in the child.
        _ = generation.load(ordering: .relaxed)
        let failure = pthread_atfork(
            { ForkSafety.prepare() }, { ForkSafety.endInParent() }, { ForkSafety.endInChild() })
        return failure == 0
    }()

    private static func prepare() {
        #if OpenBLAS
        ProcessHold.prepareFork()
        #endif
        Locks.shared.prepareFork()
    }

    private static func endInParent() {
        Locks.shared.endForkInParent()
        #if OpenBLAS
        ProcessHold.endForkInParent()
        #endif
    }

    private static func endInChild() {
        generation.add(1, ordering: .relaxed)
        Locks.shared.endForkInChild()
        #if OpenBLAS
        ProcessHold.endForkInChild()
        #endif
    }
}
