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
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    static func error(_ text: String) { Output(.standardError).line(text) }
}
