#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What went wrong with a file: which one, where in it, and what would mend it.
///
/// The text is one line of at most 300 characters, whatever the file is called and holds: what cannot be seen is escaped.
public struct FileError: Error, Equatable, CustomStringConvertible {
    /// The file, as the caller named it.
    public let path: String
    /// What is wrong with it, in one line.
    public let problem: String

    /// The most characters of a description.
    static let limit = 300

    /// An error of a file.
    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem.inOneLine(limit: Self.limit - 60)
    }

    /// The file and the problem; of a long path, its end.
    public var description: String {
        "\(path.endInOneLine(limit: Self.limit - 2 - problem.unicodeScalars.count)): \(problem)"
    }

    /// The error that the system's last call reported.
    static func system(_ path: String, _ action: String, _ cause: Int32 = errno) -> FileError {
        FileError(path: path, problem: "\(action): \(unsafe String(cString: strerror(cause)))")
    }
}

/// What keeps a path from being given to the system, which reads it up to the first zero.
func problem(ofPath path: String) -> String? {
    if path.isEmpty { return "an empty path names no file" }
    return path.utf8.contains(0) ? "its path holds a zero character" : nil
}

/// What a file is, if it is not a regular one; only those are read and replaced.
func problem(ofMode mode: mode_t) -> String? {
    switch mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "is a directory, not a file"
    case S_IFIFO: "is a pipe, not a file"
    case S_IFSOCK: "is a socket, not a file"
    case S_IFCHR, S_IFBLK: "is a device, not a file"
    default: "is not a file"
    }
}
