#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A regular file that is open for reading, any part at any time. Another file that takes its name meanwhile changes nothing.
final class OpenFile: Sendable {
    /// As the caller named it, for errors.
    let path: String
    /// The bytes when it was opened.
    let size: Int
    private let descriptor: Int32

    /// Opens a file. A pipe or device is an error at once: it is not waited for.
    init(_ path: String) throws(FileError) {
        if let problem = problem(ofPath: path) { throw FileError(path: path, problem: problem) }
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw .system(path, "cannot be read") }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = FileError.system(path, "cannot be read")
            close(descriptor)
            throw error
        }
        if let problem = problem(ofMode: status.st_mode) {
            close(descriptor)
            throw FileError(path: path, problem: problem)
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// The bytes of a part. Asked for more than the machine has memory, an error.
    func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        if let problem = Memory.problem(ofBytes: Double(range.count)) { throw FileError(path: path, problem: problem) }
        var cause: Int32?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            while count < range.count {
                let place = off_t(range.lowerBound + count)
                let received = unsafe pread(descriptor, buffer.baseAddress! + count, range.count - count, place)
                if received < 0 && errno == EINTR { continue }
                if received < 0 { cause = errno }
                if received <= 0 { break }
                count += received
            }
        }
        if let cause { throw .system(path, "cannot be read", cause) }
        guard bytes.count == range.count else {
            throw FileError(
                path: path, problem: "became shorter while it was read: \(bytes.count) of \(range.count) bytes")
        }
        return bytes
    }
}
