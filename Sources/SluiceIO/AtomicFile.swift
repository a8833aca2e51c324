#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file that is written beside the one it will replace, part by part. Until ``commit(_:)`` nothing is seen of it; dropped before,
/// it leaves nothing behind.
package final class AtomicFile {
    /// The file that it becomes, as the caller named it.
    private let path: String
    private let folder: Folder
    /// The file's name in its folder, and that of the temporary one.
    private let name: String
    private let temporary: String
    private let descriptor: Int32
    /// The permissions of the file that is replaced, and whose it is; nil where there is none.
    private let old: stat?
    private var isCommitted = false
    /// What was given and is not yet written: small parts go out together.
    private var pending: [UInt8] = []

    /// Begins a file.
    ///
    /// - Throws: where it cannot be written: also where a pipe, a device or a folder has its name.
    package init(replacing path: String) throws(FileError) {
        self.path = path
        let target = try Self.target(of: path)
        name = target.name
        folder = try Folder(target.folder, for: path)
        old = try Self.status(of: name, in: folder, for: path)
        folder.removeAbandoned()
        (temporary, descriptor) = try Self.create(in: folder, isNew: old == nil, for: path)
    }

    deinit {
        if !isCommitted { _ = unsafe unlinkat(folder.descriptor, temporary, 0) }
        close(descriptor)
    }

    package func write(_ bytes: [UInt8]) throws(FileError) { try write(elements: bytes) }

    /// Writes elements as they lie in memory.
    func write<S: BitwiseCopyable>(elements: [S]) throws(FileError) {
        unsafe elements.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
        if pending.count >= 1 << 16 { try writePending() }
    }

    /// Gives files their names, after all of them are safe on the disk: where one cannot be, none is replaced.
    package static func commit(_ files: [AtomicFile]) throws(FileError) {
        for file in files { try file.finish() }
        for file in files { try file.rename() }
        for file in files where !file.folder.synchronize() { throw .system(file.path, "cannot be made durable") }
    }

    private func writePending() throws(FileError) {
        let isComplete = unsafe pending.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
                let sent = unsafe systemWrite(descriptor, rest.baseAddress, rest.count)
                if sent < 0 && errno == EINTR { continue }
                guard sent > 0 else { return false }
                written += sent
            }
            return true
        }
        if !isComplete { throw .system(path, "cannot be written") }
        pending.removeAll(keepingCapacity: true)
    }

    private func finish() throws(FileError) {
        try writePending()
        if let old {
            // The owner first, as a change of it may change the permissions; whoever may not give files away keeps this one.
            _ = fchown(descriptor, old.st_uid, old.st_gid)
            guard fchmod(descriptor, old.st_mode & 0o777) == 0 else { throw .system(path, "cannot be written") }
        }
        guard fsync(descriptor) == 0 else { throw .system(path, "cannot be written") }
    }

    private func rename() throws(FileError) {
        guard unsafe renameat(folder.descriptor, temporary, folder.descriptor, name) == 0 else {
            throw .system(path, "cannot be written")
        }
        isCommitted = true
    }
}

// MARK: Where it is written

extension AtomicFile {
    /// The folder and name of the file that a path leads to, over symbolic links, whose own place stays as it is.
    private static func target(of path: String) throws(FileError) -> (folder: String, name: String) {
        if let problem = problem(ofPath: path) { throw FileError(path: path, problem: problem) }
        var target = path
        // As many as the system itself follows.
        for _ in 0..<40 {
            let (folder, name) = parts(of: target)
            guard let link = link(at: target) else { return (folder, name) }
            target = link.hasPrefix("/") ? link : "\(folder)/\(link)"
        }
        throw .system(path, "cannot be written", ELOOP)
    }

    private static func parts(of path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }

    /// Where a symbolic link leads; nil if there is none at this path.
    private static func link(at path: String) -> String? {
        let capacity = Int(PATH_MAX) + 1
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                count = unsafe max(0, readlink(path, text.baseAddress!, capacity))
            }
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// What has the name now; nil if nothing has.
    private static func status(of name: String, in folder: Folder, for path: String) throws(FileError) -> stat? {
        // What ends in a slash, or in dots, is a folder.
        guard !name.isEmpty else { throw FileError(path: path, problem: "is a directory, not a file") }
        var status = stat()
        guard unsafe fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw .system(path, "cannot be written")
        }
        if let problem = problem(ofMode: status.st_mode) { throw FileError(path: path, problem: problem) }
        return status
    }

    /// A new empty file under a name of its own, locked for as long as it is open.
    private static func create(
        in folder: Folder, isNew: Bool, for path: String
    ) throws(FileError) -> (name: String, descriptor: Int32) {
        for _ in 0..<100 {
            let name = Folder.temporaryName()
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            let file = unsafe openat(folder.descriptor, name, flags, isNew ? 0o666 : 0o600)
            if file < 0 && (errno == EEXIST || errno == EINTR) { continue }
            guard file >= 0 else { throw .system(path, "cannot be written") }
            while flock(file, LOCK_EX) != 0 && errno == EINTR {}
            // Somebody who cleans up may have found it before it was locked.
            var status = stat()
            if unsafe fstat(file, &status) == 0 && status.st_nlink > 0 { return (name, file) }
            close(file)
        }
        throw .system(path, "cannot be written", EEXIST)
    }
}

/// The system's call, which has the name of a method here.
private func systemWrite(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(file, bytes, count)
}
