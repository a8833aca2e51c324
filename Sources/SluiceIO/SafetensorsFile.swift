import Sluice

/// A safetensors file that is open: its header has been read and checked, and each tensor is read when it is asked for.
///
///     let file = try SafetensorsFile(contentsOf: "model.safetensors")     // of 60 GB, say
///     let tensor = try file.tensor("rnn.weight_ih_l0")                    // reads that one
public struct SafetensorsFile: Sendable {
    /// Texts that were saved with the tensors.
    public var metadata: [String: String] { header.metadata }
    /// The names of the tensors, in alphabetical order.
    public var names: [String] { header.names }

    /// The file, as the caller named it.
    let path: String
    let header: SafetensorsHeader
    private let source: Source
    /// The bytes before those of the tensors.
    private let start: Int
    /// The bytes of the tensors.
    let dataCount: Int

    private enum Source: Sendable {
        case file(OpenFile)
        case bytes([UInt8])

        func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
            switch self {
            case .file(let file): try file.read(range)
            case .bytes(let bytes): Array(bytes[range])
            }
        }
    }

    /// Opens a file and reads its header.
    ///
    /// - Throws: where the file cannot be read, is another format's, which the error then names, or is damaged.
    public init(contentsOf path: String) throws(FileError) {
        let file = try OpenFile(path)
        try self.init(.file(file), size: file.size, path)
    }

    /// The bytes of a file; `path` is for errors.
    package init(_ bytes: [UInt8], path: String) throws(FileError) {
        try self.init(.bytes(bytes), size: bytes.count, path)
    }

    private init(_ source: Source, size: Int, _ path: String) throws(FileError) {
        let beginning = try source.read(0..<min(size, ForeignFormat.recognized))
        func damaged(_ problem: String) -> FileError {
            let foreign = beginning.dropFirst(8).first == UInt8(ascii: "{") ? nil : ForeignFormat.problem(beginning)
            return FileError(
                path: path, problem: foreign ?? "is not a safetensors file, or damaged: \(problem)")
        }
        guard size >= 8 else { throw damaged("it has \(size) bytes") }
        let length = beginning[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(size - 8) else { throw damaged("a header of \(length) bytes in a file of \(size)") }
        guard length <= UInt64(SafetensorsHeader.sizeLimit) else {
            throw damaged("a header of \(length) bytes; \(SafetensorsHeader.sizeLimit) are possible")
        }
        start = 8 + Int(length)
        dataCount = size - start
        self.path = path
        self.source = source
        let text = try source.read(8..<start)
        do { header = try SafetensorsHeader(json: text, dataCount: dataCount) } catch {
            throw damaged(error.description)
        }
    }

    /// Reads a tensor.
    ///
    /// - Throws: where the file has none of this name, or has been made shorter meanwhile.
    public func tensor(_ name: String) throws(FileError) -> Safetensors.Tensor {
        guard let entry = header.entries[name] else {
            throw FileError(path: path, problem: "holds no tensor \(name.inOneLine())")
        }
        return Safetensors.Tensor(fitting: try read(entry.range), entry.type, entry.shape)
    }

    /// A part of the tensors' bytes, counted from the end of the header.
    func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        try source.read(start + range.lowerBound..<start + range.upperBound)
    }
}

/// Reads parts of a file that follow one another: many small ones at once.
struct SequentialReader {
    private let file: SafetensorsFile
    /// What was read last, and where it lies.
    private var bytes: [UInt8] = []
    private var window = 0..<0

    /// The bytes of small parts that are read at once.
    private static let size = 1 << 16

    init(_ file: SafetensorsFile) { self.file = file }

    mutating func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        if range.count >= Self.size { return try file.read(range) }
        if range.lowerBound < window.lowerBound || range.upperBound > window.upperBound {
            window = range.lowerBound..<min(range.lowerBound + Self.size, file.dataCount)
            bytes = try file.read(window)
        }
        return Array(bytes[range.lowerBound - window.lowerBound..<range.upperBound - window.lowerBound])
    }
}
