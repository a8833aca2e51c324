#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Standard output and standard error, unbuffered: a line is seen when it is written, in a pipe too.
enum Console {
    /// Writes to standard output. If nobody can read it, the program ends: there is nothing left to work for.
    static func out(_ text: String) {
        if send(text, to: STDOUT_FILENO) { return }
        let cause = errno
        // A terminal that is gone sends a signal too, which may take a moment; then the result is still to be written.
        if cause == EIO && Interrupt.signal == nil { usleep(200_000) }
        if Interrupt.signal != nil { return }
        if cause != EPIPE { error("standard output cannot be written: \(message(of: cause))") }
        exit(Failure.outputBroken)
    }

    /// Writes one line to standard error, under the program's name.
    static func error(_ message: String) { _ = send("train: \(message)\n", to: STDERR_FILENO) }

    /// What the system calls an `errno`.
    static func message(of cause: Int32) -> String { unsafe String(cString: strerror(cause)) }

    /// Whether standard output is a terminal that can redraw a line.
    static var isTerminal: Bool {
        guard isatty(STDOUT_FILENO) == 1, let kind = unsafe getenv("TERM") else { return false }
        return unsafe String(cString: kind) != "dumb"
    }

    /// The columns of the terminal; 80 if it does not say.
    static var columns: Int {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func send(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                usleep(1_000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
