#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A mutex and a condition of the system's thread library, free in a child of `fork` whoever held it. (The thread sanitizer
/// sees these; it does not see `Mutex`.)
@safe
final class Lock: @unchecked Sendable {
    private let parts = UnsafeMutablePointer<LockParts>.allocate(capacity: 1)

    init() {
        unsafe parts.initialize(to: LockParts())
        unsafe parts.pointee.initialize()
        unsafe Locks.shared.add(parts)
    }

    deinit {
        unsafe Locks.shared.remove(parts)
        unsafe pthread_cond_destroy(parts.pointee.condition)
        unsafe pthread_mutex_destroy(parts.pointee.mutex)
        unsafe parts.pointee.condition.deallocate()
        unsafe parts.pointee.mutex.deallocate()
        unsafe parts.deallocate()
    }

    func withLock<R>(_ body: () -> R) -> R {
        unsafe pthread_mutex_lock(parts.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(parts.pointee.mutex) }
        return body()
    }

    /// Inside ``withLock(_:)``: sleeps until somebody wakes the waiting; may wake by itself.
    func wait() { unsafe pthread_cond_wait(parts.pointee.condition, parts.pointee.mutex) }

    /// The same, until a moment of the monotonic clock at the latest.
    func wait(until deadline: Seconds) {
        var time = timespec(tv_sec: Int(deadline), tv_nsec: Int((deadline - deadline.rounded(.down)) * 1e9))
        unsafe pthread_cond_timedwait(parts.pointee.condition, parts.pointee.mutex, &time)
    }

    /// Inside ``withLock(_:)``: wakes all that wait.
    func wakeAll() { unsafe pthread_cond_broadcast(parts.pointee.condition) }
}

/// What the system keeps of a lock, and its neighbours among all locks.
@safe
struct LockParts {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    var previous: UnsafeMutablePointer<LockParts>?
    var next: UnsafeMutablePointer<LockParts>?

    func initialize() {
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }
}

/// Seconds of the monotonic clock.
typealias Seconds = Double

/// Now, on the monotonic clock.
func now() -> Seconds {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Seconds(time.tv_sec) + Seconds(time.tv_nsec) * 1e-9
}

/// Every lock that there is, so that a child of `fork` can make them anew: whoever held or awaited them is not there.
@safe
final class Locks: @unchecked Sendable {
    static let shared = Locks()

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var first: UnsafeMutablePointer<LockParts>?

    private init() { unsafe pthread_mutex_init(mutex, nil) }

    func add(_ lock: UnsafeMutablePointer<LockParts>) {
        _ = ForkSafety.isInstalled
        unsafe pthread_mutex_lock(mutex)
        unsafe lock.pointee.next = unsafe first
        unsafe first?.pointee.previous = unsafe lock
        unsafe first = unsafe lock
        unsafe pthread_mutex_unlock(mutex)
    }

    func remove(_ lock: UnsafeMutablePointer<LockParts>) {
        unsafe pthread_mutex_lock(mutex)
        let previous = unsafe lock.pointee.previous, next = unsafe lock.pointee.next
        unsafe next?.pointee.previous = unsafe previous
        if let previous = unsafe previous {
            unsafe previous.pointee.next = unsafe next
        } else {
            unsafe first = unsafe next
        }
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Nobody changes the list while the process forks.
    func prepareFork() { unsafe pthread_mutex_lock(mutex) }

    func endForkInParent() { unsafe pthread_mutex_unlock(mutex) }

    func endForkInChild() {
        var lock = unsafe first
        while let current = unsafe lock {
            unsafe current.pointee.initialize()
            unsafe lock = unsafe current.pointee.next
        }
        unsafe pthread_mutex_init(mutex, nil)
    }
}
