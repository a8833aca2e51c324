import Sluice

/// The contents of a safetensors file: named tensors and a few lines of text.
///
/// The format (https://huggingface.co/docs/safetensors): 8 bytes, the header's length as a little-endian integer; the
/// header, a JSON object of `name: {"dtype", "shape", "data_offsets"}` and `"__metadata__"`; then the tensors' bytes,
/// little-endian, row-major, without gaps. To read a few tensors of a large file, open it as a ``SafetensorsFile``.
public struct Safetensors: Equatable, Sendable {
    /// One tensor. Its bytes always fit its shape; a changed one is made anew.
    public struct Tensor: Equatable, Sendable {
        /// The type of the elements as the format spells it: `F64`, `F32`, `I64`, ...
        public let type: String
        /// The sizes, the slowest first.
        public let shape: [Int]
        /// The elements' bytes, little-endian, row-major.
        public let bytes: [UInt8]

        /// A tensor of given bytes.
        ///
        /// - Throws: where the bytes are not as many as the type and the shape say. Those of a type that the format did not have when
        ///   this was written are not counted.
        public init(type: String, shape: [Int], bytes: [UInt8]) throws(InvalidValue) {
            try InvalidValue.throwing(
                ElementSize.problem(type, shape, byteCount: bytes.count).map { "a tensor \($0)" })
            self.init(fitting: bytes, type, shape)
        }

        /// Bytes that were compared with their shape before.
        init(fitting bytes: [UInt8], _ type: String, _ shape: [Int]) {
            (self.type, self.shape, self.bytes) = (type, shape, bytes)
        }
    }

    /// The tensors by their names.
    public var tensors: [String: Tensor] = [:]
    /// The lines of text by their keys.
    public var metadata: [String: String] = [:]

    /// No tensor and no text.
    public init() {}
}

// MARK: Reading

extension Safetensors {
    /// Reads a file with all its tensors. Every length and offset is checked before it is used.
    public init(contentsOf path: String) throws(FileError) {
        try self.init(SafetensorsFile(contentsOf: path))
    }

    /// Reads all of an open file.
    package init(_ file: SafetensorsFile) throws(FileError) {
        if let problem = Memory.problem(ofBytes: Double(file.dataCount)) {
            throw FileError(path: file.path, problem: problem)
        }
        metadata = file.metadata
        tensors.reserveCapacity(file.header.entries.count)
        var reader = SequentialReader(file)
        for (name, entry) in file.header.entries.sorted(by: { $0.value.range.lowerBound < $1.value.range.lowerBound }) {
            tensors[name] = Tensor(fitting: try reader.read(entry.range), entry.type, entry.shape)
        }
    }
}

// MARK: Writing

extension Safetensors {
    /// Writes a file, names in alphabetical order: the same contents give the same bytes.
    public func write(to path: String) throws(FileError) {
        let header = header
        let file = try AtomicFile(replacing: path)
        try file.write(header.bytes(for: path))
        for name in header.names { try file.write(tensors[name]!.bytes) }
        try AtomicFile.commit([file])
    }

    /// The file's bytes.
    package func bytes() throws(FileError) -> [UInt8] {
        let header = header
        return header.names.reduce(into: try header.bytes(for: "a file")) { $0 += tensors[$1]!.bytes }
    }

    private var header: SafetensorsHeader {
        SafetensorsHeader(
            tensors.map { ($0.key, $0.value.type, $0.value.shape, $0.value.bytes.count) }, metadata: metadata)
    }
}
