import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Ctrl-C, SIGTERM and SIGHUP: the first asks the program to stop in order, the second stops it at once.
enum Interrupt {
    /// The number of the first that came.
    private static let received = Atomic<Int32>(0)
    /// Those that are watched, a bit each.
    private static let watched = Atomic<UInt64>(0)

    /// The signal that asked for the end since ``watch()``, if one has.
    static var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// From now on, the first of the signals only sets ``signal``. One that whoever started this program has it ignore (`nohup`,
    /// `trap '' INT`) stays ignored.
    static func watch() {
        // Both must be there before a signal can come.
        received.store(0, ordering: .relaxed)
        watched.store(0, ordering: .relaxed)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = setHandler(number, SIG_IGN)
            if isIgnored(before) { continue }
            watched.bitwiseOr(1 << UInt64(number), ordering: .relaxed)
            _ = setHandler(number) { number in Interrupt.receive(number) }
        }
    }

    /// Runs in the handler: only what POSIX allows there.
    private static func receive(_ number: Int32) {
        _ = received.compareExchange(expected: 0, desired: number, ordering: .relaxed)
        let mask = watched.load(ordering: .relaxed)
        for other in Int32(1)..<32 where mask >> UInt64(other) & 1 == 1 { _ = setHandler(other, SIG_DFL) }
        // Whoever reads the output may have been stopped too (`train | tee`); the result is still to be written.
        _ = setHandler(SIGPIPE, SIG_IGN)
    }

    private typealias Handler = @convention(c) (Int32) -> Void

    /// Says what is done at a signal; returns what was done before.
    private static func setHandler(_ number: Int32, _ handler: Handler?) -> Handler? { systemSignal(number, handler) }

    private static func isIgnored(_ handler: Handler?) -> Bool {
        unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// A signal as a shell calls it.
    static func name(of number: Int32) -> String {
        switch number {
        case SIGINT: "SIGINT"
        case SIGTERM: "SIGTERM"
        case SIGHUP: "SIGHUP"
        default: "signal \(number)"
        }
    }
}

/// The system's call, which has the name of a property here.
private func systemSignal(
    _ number: Int32, _ handler: (@convention(c) (Int32) -> Void)?
) -> (@convention(c) (Int32) -> Void)? {
    signal(number, handler)
}
