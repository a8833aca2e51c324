import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Ctrl-C: the first asks the program to stop in order, the second stops it at once.
enum Interrupt {
    private static let flag = Atomic<Bool>(false)

    /// Whether Ctrl-C was pressed since ``watch()``.
    static var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// From now on, Ctrl-C only sets ``isRequested``.
    static func watch() {
        // The flag must be there before a signal can come.
        flag.store(false, ordering: .relaxed)
        signal(SIGINT) { _ in
            Interrupt.flag.store(true, ordering: .relaxed)
            signal(SIGINT, SIG_DFL)
        }
    }

    /// What is said after Ctrl-C.
    static let failure = Failure("interrupted; no file was written", exitCode: Failure.interrupted)
}
