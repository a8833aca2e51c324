#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Work whose parts wait for each other, and so need a thread each: a pool may have fewer.
final class OwnThreads<R: Sendable, E: Error>: @unchecked Sendable {
    private let body: @Sendable (Int) throws(E) -> R
    /// Called once, by the last thread.
    private let onEnd: @Sendable (OwnThreads) -> Void
    private let lock = Lock()
    private var results: [R?]
    private var firstError: E?
    private var left: Int

    private init(
        _ count: Int, _ body: @escaping @Sendable (Int) throws(E) -> R, onEnd: @escaping @Sendable (OwnThreads) -> Void
    ) {
        self.body = body
        self.onEnd = onEnd
        results = Array(repeating: nil, count: count)
        left = count
    }

    /// Does every part in a thread of its own; when all have ended, the results, or the error that was thrown first.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) throws(E) -> R) throws(E) -> [R] {
        let threads = OwnThreads(count, body) { threads in threads.lock.withLock { threads.lock.wakeAll() } }
        threads.start()
        threads.lock.withLock { while threads.left > 0 { threads.lock.wait() } }
        return try threads.outcome()
    }

    /// The same, without a thread that waits.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) throws(E) -> R) async throws(E) -> [R] {
        let threads = await withCheckedContinuation { continuation in
            OwnThreads(count, body) { continuation.resume(returning: $0) }.start()
        }
        return try threads.outcome()
    }

    private func outcome() throws(E) -> [R] {
        if let firstError { throw firstError }
        return results.map { $0! }
    }

    private func start() {
        for index in results.indices { startThread { self.perform(index) } }
    }

    private func perform(_ index: Int) {
        var result: R?, failure: E?
        do throws(E) { result = try body(index) } catch { failure = error }
        let isLast = lock.withLock {
            results[index] = result
            firstError = firstError ?? failure
            left -= 1
            return left == 0
        }
        if isLast { onEnd(self) }
    }
}

/// What a thread does, for as long as it lives.
private final class ThreadBody: Sendable {
    let perform: @Sendable () -> Void

    init(_ perform: @escaping @Sendable () -> Void) { self.perform = perform }
}

private func startThread(_ body: @escaping @Sendable () -> Void) {
    let context = unsafe Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    var thread = pthread_t()
    let failure = unsafe pthread_create(
        &thread, nil,
        { context in
            unsafe Unmanaged<ThreadBody>.fromOpaque(context!).takeRetainedValue().perform()
            return nil
        }, context)
    require(failure == 0, "no thread could be started: error \(failure)")
    pthread_detach(thread)
}
