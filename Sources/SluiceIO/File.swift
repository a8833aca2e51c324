#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What went wrong with a file: which one, where in it, and what would mend it.
public struct FileError: Error, Equatable, CustomStringConvertible {
    public let path: String
    public let problem: String

    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    public var description: String { "\(path): \(problem)" }

    /// The error that the system's last call reported.
    static func system(_ path: String, _ action: String) -> FileError {
        FileError(path: path, problem: "\(action): \(unsafe String(cString: strerror(errno)))")
    }
}

/// The bytes of a file.
public func readFile(_ path: String) throws(FileError) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { throw .system(path, "cannot be read") }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw .system(path, "cannot be read") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(path: path, problem: "is not a file") }
    let size = Int(status.st_size)
    var failure = false
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        while count < size {
            let received = unsafe read(file, buffer.baseAddress! + count, size - count)
            if received < 0 && errno == EINTR { continue }
            failure = received < 0
            if received <= 0 { break }
            count += received
        }
    }
    if failure { throw .system(path, "cannot be read") }
    return bytes
}

/// Writes a file so that nobody ever sees half of it: into a new file beside it, which then takes its name.
public func writeAtomically(_ bytes: [UInt8], to path: String) throws(FileError) {
    let temporary = "\(path).\(getpid()).partial"
    let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { throw .system(path, "cannot be written") }
    var written = 0
    while written < bytes.count {
        let sent = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress! + written, bytes.count - written) }
        if sent < 0 && errno == EINTR { continue }
        guard sent > 0 else { break }
        written += sent
    }
    let isComplete = written == bytes.count && fsync(file) == 0
    let error = FileError.system(path, "cannot be written")
    guard close(file) == 0, isComplete, unsafe rename(temporary, path) == 0 else {
        _ = unsafe unlink(temporary)
        throw isComplete ? .system(path, "cannot be written") : error
    }
}

/// Writes a text file as ``writeAtomically(_:to:)-([UInt8],_)`` does, in UTF-8.
public func writeAtomically(_ text: String, to path: String) throws(FileError) {
    try writeAtomically([UInt8](text.utf8), to: path)
}
