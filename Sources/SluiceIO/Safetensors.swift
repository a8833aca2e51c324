import Foundation

/// The contents of a safetensors file: named tensors and a few lines of text.
///
/// The format (https://huggingface.co/docs/safetensors): 8 bytes, the header's length as a little-endian integer; the
/// header, a JSON object of `name: {"dtype", "shape", "data_offsets"}` and `"__metadata__"`; then the tensors' bytes,
/// little-endian, row-major, without gaps.
public struct Safetensors: Equatable, Sendable {
    /// One tensor.
    public struct Tensor: Equatable, Sendable {
        /// The type of the elements as the format spells it: `F64`, `F32`, `I64`, ...
        public var type: String
        public var shape: [Int]
        /// The elements' bytes, little-endian, row-major.
        public var bytes: [UInt8]
    }

    public var tensors: [String: Tensor] = [:]
    public var metadata: [String: String] = [:]

    public init() {}
}

// MARK: Reading

extension Safetensors {
    /// Reads a file. Every length and offset is checked before it is used.
    public init(contentsOf path: String) throws(FileError) {
        try self.init(try readFile(path), path: path)
    }

    /// Reads the bytes of a file; `path` is for errors.
    init(_ file: [UInt8], path: String) throws(FileError) {
        func damaged(_ problem: String) -> FileError {
            FileError(path: path, problem: "is not a safetensors file, or damaged: \(problem)")
        }
        guard file.count >= 8 else { throw damaged("it has \(file.count) bytes") }
        let length = file[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(file.count - 8) else {
            throw damaged("a header of \(length) bytes in a file of \(file.count)")
        }
        let start = 8 + Int(length)
        let header: [String: HeaderEntry]
        do {
            header = try JSONDecoder().decode([String: HeaderEntry].self, from: Data(file[8..<start]))
        } catch {
            throw damaged("its header is not the JSON object expected")
        }
        var places: [Range<Int>] = []
        for (name, entry) in header {
            switch entry {
            case .metadata(let metadata):
                guard name == "__metadata__" else { throw damaged("tensor \(name) lacks its type, shape or place") }
                self.metadata = metadata
            case .tensor(let type, let shape, let offsets):
                guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= file.count - start
                else {
                    throw damaged("tensor \(name) at bytes \(offsets) of \(file.count - start)")
                }
                guard let size = Self.byteCount(type, shape), size == offsets[1] - offsets[0] else {
                    throw damaged("tensor \(name), \(type) \(shape), in \(offsets[1] - offsets[0]) bytes")
                }
                tensors[name] = Tensor(
                    type: type, shape: shape, bytes: Array(file[start + offsets[0]..<start + offsets[1]]))
                places.append(offsets[0]..<offsets[1])
            }
        }
        // The format knows no gap, no overlap and nothing behind the last tensor.
        var end = 0
        for place in places.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            guard place.lowerBound == end else { throw damaged("tensors with a gap or an overlap at byte \(end)") }
            end = place.upperBound
        }
        guard end == file.count - start else {
            throw damaged("\(file.count - start - end) bytes behind its last tensor")
        }
    }

    /// The bytes of a tensor; nil for a type that is not known, a negative size, or too many to count.
    private static func byteCount(_ type: String, _ shape: [Int]) -> Int? {
        let sizes = [
            "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
            "I8": 1, "U8": 1, "BOOL": 1,
        ]
        guard var count = sizes[type] else { return nil }
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            if size < 0 || overflow { return nil }
            count = product
        }
        return count
    }
}

// MARK: Writing

extension Safetensors {
    /// Writes a file, names in alphabetical order: the same contents give the same bytes.
    public func write(to path: String) throws(FileError) {
        try writeAtomically(bytes(), to: path)
    }

    /// The file's bytes.
    func bytes() -> [UInt8] {
        let names = tensors.keys.sorted()
        var entries: [String: HeaderEntry] = [:]
        if !metadata.isEmpty { entries["__metadata__"] = .metadata(metadata) }
        var offset = 0
        for name in names {
            let tensor = tensors[name]!
            entries[name] = .tensor(tensor.type, tensor.shape, [offset, offset + tensor.bytes.count])
            offset += tensor.bytes.count
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var header = try? [UInt8](encoder.encode(entries)) else {
            preconditionFailure("names, shapes and offsets are always encodable")
        }
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return names.reduce(into: length + header) { $0 += tensors[$1]!.bytes }
    }
}

/// One entry of the header.
private enum HeaderEntry: Codable {
    case tensor(_ type: String, _ shape: [Int], _ offsets: [Int])
    case metadata([String: String])

    private enum Key: String, CodingKey {
        case type = "dtype"
        case shape
        case offsets = "data_offsets"
    }

    init(from decoder: any Decoder) throws {
        if let metadata = try? [String: String](from: decoder) {
            self = .metadata(metadata)
        } else {
            let entry = try decoder.container(keyedBy: Key.self)
            self = .tensor(
                try entry.decode(String.self, forKey: .type), try entry.decode([Int].self, forKey: .shape),
                try entry.decode([Int].self, forKey: .offsets))
        }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .metadata(let metadata): try metadata.encode(to: encoder)
        case .tensor(let type, let shape, let offsets):
            var entry = encoder.container(keyedBy: Key.self)
            try entry.encode(type, forKey: .type)
            try entry.encode(shape, forKey: .shape)
            try entry.encode(offsets, forKey: .offsets)
        }
    }
}
