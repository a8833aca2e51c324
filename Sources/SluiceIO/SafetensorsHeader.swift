/// The header of a safetensors file: what tensors there are and where, and a few lines of text.
///
///     {"__metadata__": {"name": "text", ...}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
struct SafetensorsHeader: Equatable, Sendable {
    /// One tensor.
    struct Entry: Equatable, Sendable {
        let type: String
        let shape: [Int]
        /// Its bytes, counted from the end of the header.
        let range: Range<Int>
    }

    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]

    /// The bytes of the largest header: the limit of the format's own library. Both ways: what is longer is not written either.
    static let sizeLimit = 100_000_000

    /// The name that no tensor has.
    static let metadataName = "__metadata__"
}

// MARK: Reading

extension SafetensorsHeader {
    /// Reads a header, and checks it against the number of bytes behind it: every tensor lies there in its size, without gap or
    /// overlap, and nothing behind the last. A type that is not known may have any size.
    init(json bytes: [UInt8], dataCount: Int) throws(TextProblem) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw TextProblem("its header begins with a byte-order mark") }
        guard bytes.first == UInt8(ascii: "{") else { throw TextProblem("its header does not begin with {") }
        var json = JSONScanner(bytes)
        var entries: [String: Entry] = [:], metadata: [String: String] = [:]
        do {
            try json.object { (json: inout JSONScanner, name: String) throws(TextProblem) in
                if name == Self.metadataName {
                    metadata = try Self.metadata(&json)
                } else {
                    entries[name] = try Self.entry(&json, name, dataCount: dataCount)
                }
            }
            try json.end()
        } catch { throw TextProblem("its header is not the JSON object expected: \(error.description)") }
        self.entries = entries
        self.metadata = metadata
        try checkPlaces(dataCount: dataCount)
    }

    /// Texts by their names, or nothing.
    private static func metadata(_ json: inout JSONScanner) throws(TextProblem) -> [String: String] {
        if json.peek() == UInt8(ascii: "n") {
            try json.word("null")
            return [:]
        }
        var metadata: [String: String] = [:]
        try json.object { (json: inout JSONScanner, name: String) throws(TextProblem) in
            metadata[name] = try json.string()
        }
        return metadata
    }

    private static func entry(
        _ json: inout JSONScanner, _ name: String, dataCount: Int
    ) throws(TextProblem) -> Entry {
        var type: String?, shape: [Int]?, offsets: [Int]?
        try json.object { (json: inout JSONScanner, field: String) throws(TextProblem) in
            switch field {
            case "dtype": type = try json.string()
            case "shape": shape = try json.counts()
            case "data_offsets": offsets = try json.counts()
            default: try json.skip()
            }
        }
        guard let type, let shape, let offsets else {
            throw TextProblem("tensor \(name.inOneLine()) lacks its type, shape or place")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= dataCount else {
            throw TextProblem("tensor \(name.inOneLine()) at bytes \(shapeText(offsets)) of \(dataCount)")
        }
        let range = offsets[0]..<offsets[1]
        if let problem = ElementSize.problem(type, shape, byteCount: range.count) {
            throw TextProblem("tensor \(name.inOneLine()), \(problem)")
        }
        return Entry(type: type, shape: shape, range: range)
    }

    private func checkPlaces(dataCount: Int) throws(TextProblem) {
        var end = 0
        let places = entries.values.map(\.range)
        for place in places.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            guard place.lowerBound == end else { throw TextProblem("tensors with a gap or an overlap at byte \(end)") }
            end = place.upperBound
        }
        guard end == dataCount else { throw TextProblem("\(dataCount - end) bytes behind its last tensor") }
    }
}

// MARK: Writing

extension SafetensorsHeader {
    /// A header of tensors that follow one another in alphabetical order.
    init(_ tensors: [(name: String, type: String, shape: [Int], byteCount: Int)], metadata: [String: String]) {
        self.metadata = metadata
        var offset = 0
        for tensor in tensors.sorted(by: { $0.name < $1.name }) {
            entries[tensor.name] = Entry(
                type: tensor.type, shape: tensor.shape, range: offset..<offset + tensor.byteCount)
            offset += tensor.byteCount
        }
    }

    /// The names in the order of their bytes.
    var names: [String] { entries.keys.sorted() }

    /// What stands before the tensors' bytes: the length and the header, in names' alphabetical order, filled up with spaces so that
    /// the tensors begin at a multiple of 8 bytes.
    ///
    /// - Parameter path: the file that they are for.
    func bytes(for path: String) throws(FileError) -> [UInt8] {
        if entries[Self.metadataName] != nil {
            throw FileError(path: path, problem: "cannot hold a tensor that is called \(Self.metadataName)")
        }
        guard max(entries.count, metadata.count) < JSONScanner.nameLimit else {
            throw FileError(path: path, problem: "cannot hold more than \(JSONScanner.nameLimit) names")
        }
        if let (name, entry) = entries.first(where: { $0.value.shape.count > JSONScanner.countLimit }) {
            throw FileError(
                path: path,
                problem: "cannot hold \(name.inOneLine()) of \(entry.shape.count) sizes; "
                    + "\(JSONScanner.countLimit) are possible")
        }
        var json: [UInt8] = []
        json.reserveCapacity(96 * entries.count)
        let names = metadata.isEmpty ? names : (names + [Self.metadataName]).sorted()
        Self.write(names, to: &json) { name, json in
            guard let entry = entries[name] else {
                Self.write(metadata.keys.sorted(), to: &json) { Self.write(metadata[$0]!, to: &$1) }
                return
            }
            json += #"{"data_offsets":[\#(entry.range.lowerBound),\#(entry.range.upperBound)],"dtype":"#.utf8
            Self.write(entry.type, to: &json)
            json += #","shape":[\#(entry.shape.map(String.init).joined(separator: ","))]}"#.utf8
        }
        json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
        guard json.count <= Self.sizeLimit else {
            throw FileError(
                path: path, problem: "cannot hold a header of \(json.count) bytes; \(Self.sizeLimit) are possible")
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) } + json
    }

    /// Writes an object; `value` writes the value of each name.
    private static func write(
        _ names: [String], to json: inout [UInt8], value: (String, inout [UInt8]) -> Void
    ) {
        json.append(UInt8(ascii: "{"))
        for (index, name) in names.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            write(name, to: &json)
            json.append(UInt8(ascii: ":"))
            value(name, &json)
        }
        json.append(UInt8(ascii: "}"))
    }

    /// Writes a text.
    private static func write(_ text: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
            case 0x08: json += "\\b".utf8
            case 0x0C: json += "\\f".utf8
            case 0x0A: json += "\\n".utf8
            case 0x0D: json += "\\r".utf8
            case 0x09: json += "\\t".utf8
            case 0..<0x20: json += "\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: json.append(byte)
            }
        }
        json.append(UInt8(ascii: "\""))
    }
}
