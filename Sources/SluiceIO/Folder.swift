#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The folder that files are written in, held open: it stays the same one, whatever happens to its name.
final class Folder {
    let descriptor: Int32

    /// - Throws: an error about `path`, the file that is to be written in it.
    init(_ folder: String, for path: String) throws(FileError) {
        var descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        #if os(Linux)
        // One that may be written in, but not listed.
        if descriptor < 0 && errno == EACCES {
            descriptor = unsafe open(folder, Self.pathOnly | O_DIRECTORY | O_CLOEXEC)
        }
        #endif
        guard descriptor >= 0 else { throw .system(path, "cannot be written") }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    #if os(Linux)
    /// `O_PATH`, which Glibc defines in a form that Swift does not import.
    private static let pathOnly: Int32 = 0o10_000_000
    #endif

    /// Makes the names in it as durable as what is in the files; not every file system can.
    func synchronize() -> Bool { fsync(descriptor) == 0 || errno == EINVAL || errno == EBADF || errno == ENOTSUP }

    // MARK: Temporary files

    /// What the names of files begin and end with that are not yet whole; between them stand 16 hexadecimal digits.
    private static let prefix = ".sluice-", suffix = ".partial"

    /// A name that nobody guesses, of 32 bytes, whatever the file is called that it is for.
    static func temporaryName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits + suffix
    }

    private static func isTemporary(_ name: String) -> Bool {
        guard name.utf8.count == 32, name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
        return name.utf8.dropFirst(prefix.utf8.count).prefix(16).allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
        }
    }

    /// Removes the temporary files whose writers are gone. A living writer holds a lock on its file, which the system takes back from
    /// one that was killed.
    func removeAbandoned() {
        for name in names() where Self.isTemporary(name) {
            let file = unsafe openat(descriptor, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
            guard file >= 0 else { continue }
            var status = stat()
            if unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, flock(file, LOCK_EX | LOCK_NB) == 0
            {
                _ = unsafe unlinkat(descriptor, name, 0)
            }
            close(file)
        }
    }

    /// What it holds; nothing where it may not be listed.
    private func names() -> [String] {
        // A descriptor of its own, whose place in the list nobody shares.
        let list = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard list >= 0 else { return [] }
        guard let directory = unsafe fdopendir(list) else {
            close(list)
            return []
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let capacity = unsafe MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: capacity) { unsafe String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }
}
