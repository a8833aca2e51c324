#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Time spent in training, between `start` and `stop`: testing does not count.
struct Stopwatch {
    /// By the clock on the wall.
    private(set) var seconds = 0.0
    /// Of the process, over its threads; other processes disturb it less.
    private(set) var cpuSeconds = 0.0
    private var started = (wall: 0.0, cpu: 0.0)

    mutating func start() { started = (Self.read(CLOCK_MONOTONIC), Self.read(CLOCK_PROCESS_CPUTIME_ID)) }

    mutating func stop() {
        seconds += Self.read(CLOCK_MONOTONIC) - started.wall
        cpuSeconds += Self.read(CLOCK_PROCESS_CPUTIME_ID) - started.cpu
    }

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}
