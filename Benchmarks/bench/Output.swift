#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Lines to one of the standard streams, each at once, so that a long run can be watched through a pipe.
struct Output {
    enum Stream: Int32 {
        case standardOutput = 1
        case standardError = 2
    }

    private let stream: Stream

    init(_ stream: Stream) { self.stream = stream }

    func line(_ text: String) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe write(stream.rawValue, $0.baseAddress, $0.count) }
            if count >= 0 {
                bytes = bytes.dropFirst(count)
            } else if errno != EINTR {
                // Half a document must not look like a run that went well.
                if stream == .standardOutput { Self.fail(errno) }
                return
            }
        }
    }

    private static func fail(_ cause: Int32) -> Never {
        error("bench: standard output cannot be written: \(unsafe String(cString: strerror(cause)))")
        exit(74) // EX_IOERR
    }

    static func error(_ text: String) { Output(.standardError).line(text) }
}
