#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A mutex and a condition of the system's thread library. (The thread sanitizer sees these; it does not see `Mutex`.)
@safe
final class Lock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func withLock<R>(_ body: () -> R) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Inside ``withLock(_:)``: sleeps until somebody wakes the waiting; may wake by itself.
    func wait() { unsafe pthread_cond_wait(condition, mutex) }

    /// Inside ``withLock(_:)``: wakes all that wait.
    func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}
