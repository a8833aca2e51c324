/// The bytes of a file.
///
/// - Throws: where it cannot be read, is not a regular file, or is larger than the machine's memory.
public func readFile(_ path: String) throws(FileError) -> [UInt8] {
    let file = try OpenFile(path)
    return try file.read(0..<file.size)
}

/// Writes a file so that nobody ever sees half of it: into a new file in the same folder, which then takes its name.
///
/// Any number of threads and processes may write to one path; the last whole one stays. The file's permissions stay, and so does a
/// symbolic link: the file that it leads to is replaced. What a process that was killed left half written in the folder is removed.
///
/// - Throws: where the file or its folder cannot be written; then the old file is as it was. Only a regular file is replaced.
public func writeAtomically(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = try AtomicFile(replacing: path)
    try file.write(bytes)
    try AtomicFile.commit([file])
}

/// Writes a text file as ``writeAtomically(_:to:)-([UInt8],_)`` does, in UTF-8.
public func writeAtomically(_ text: String, to path: String) throws(FileError) {
    try writeAtomically([UInt8](text.utf8), to: path)
}
