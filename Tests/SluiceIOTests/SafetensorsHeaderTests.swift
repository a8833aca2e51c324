import Foundation
import Sluice
import Testing
import TestSupport

@testable import SluiceIO

/// The header's parser and writer, beside the system's JSON.
@Suite struct SafetensorsHeaderTests {
    private func header(_ text: String, _ count: Int = 0) throws -> SafetensorsHeader {
        try SafetensorsHeader(json: Array(text.utf8), dataCount: count)
    }

    private static let names = [
        "weight_ih_l0", "weight_ih_l10", "", "a/b", "\"quoted\" \\", "tab\there\nline\u{1}\u{1F}\u{7F}", "über", "日本語",
        "👩🏽‍🚀", "\u{0}", "__meta__", "dtype", "\u{FFFF}", "\u{2028}", "é̄", "{}[]:,",
    ]

    private func randomHeader(_ random: inout Random) -> SafetensorsHeader {
        var tensors: [(name: String, type: String, shape: [Int], byteCount: Int)] = []
        for name in Self.names where random.next() % 2 == 0 {
            let shape = (0..<Int(random.next() % 4)).map { _ in Int(random.next() % 5) }
            let type = ["F32", "F64", "I8", "NEW"][Int(random.next() % 4)]
            let count = shape.reduce(1, *)
            tensors.append((name, type, shape, count * (["F32": 4, "F64": 8][type] ?? 1)))
        }
        let metadata = Self.names.filter { _ in random.next() % 3 == 0 }.map { ($0, $0 + "!") }
        return SafetensorsHeader(tensors, metadata: Dictionary(uniqueKeysWithValues: metadata))
    }

    private static func dataCount(_ header: SafetensorsHeader) -> Int {
        header.entries.values.map(\.range.upperBound).max() ?? 0
    }

    /// What was written until now, the system's encoder wrote: the same bytes.
    @Test func writesWhatTheSystemsEncoderWrote() throws {
        struct Tensor: Encodable { let data_offsets: [Int], dtype: String, shape: [Int] }
        enum Member: Encodable {
            case tensor(Tensor), metadata([String: String])
            func encode(to encoder: any Encoder) throws {
                switch self {
                case .tensor(let tensor): try tensor.encode(to: encoder)
                case .metadata(let texts): try texts.encode(to: encoder)
                }
            }
        }
        var random = Random(seed: 5)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for _ in 0..<200 {
            let header = randomHeader(&random)
            var members = header.entries.mapValues {
                Member.tensor(
                    Tensor(data_offsets: [$0.range.lowerBound, $0.range.upperBound], dtype: $0.type, shape: $0.shape))
            }
            if !header.metadata.isEmpty { members["__metadata__"] = .metadata(header.metadata) }
            var expected = [UInt8](try encoder.encode(members))
            expected += [UInt8](repeating: 0x20, count: (8 - expected.count % 8) % 8)
            let bytes = try header.bytes(for: "test")
            #expect(Array(bytes.dropFirst(8)) == expected)
            #expect(try SafetensorsHeader(json: expected, dataCount: Self.dataCount(header)) == header)
        }
    }

    /// The same header in another form of JSON: white space, escapes, another order, fields that are not known.
    private func text(_ object: Any, _ random: inout Random) -> String {
        func space() -> String { ["", "", " ", "\n\t", "\r\n  "][Int(random.next() % 5)] }
        func string(_ text: String) -> String {
            "\""
                + text.utf16.map { unit in
                    let isPlain = unit >= 0x20 && unit < 0x7F && unit != 0x22 && unit != 0x5C
                    if isPlain && random.next() % 4 > 0 { return String(UnicodeScalar(UInt8(unit))) }
                    return "\\u" + String(format: random.next() % 2 == 0 ? "%04x" : "%04X", unit)
                }.joined() + "\""
        }
        switch object {
        case let text as String: return string(text)
        case let number as Int: return "\(number)"
        case let array as [Any]:
            return "[" + array.map { space() + text($0, &random) + space() }.joined(separator: ",") + "]"
        case let members as [String: Any]:
            let all = members.map {
                space() + string($0.key) + space() + ":" + space() + text($0.value, &random) + space()
            }
            return "{" + all.joined(separator: ",") + "}"
        default: return "null"
        }
    }

    /// On what both accept, both say the same, and what this accepts the system's parser accepts.
    @Test func readsWhatTheSystemsParserReads() throws {
        var random = Random(seed: 6)
        var accepted = 0
        for _ in 0..<300 {
            let header = randomHeader(&random)
            var members: [String: Any] = header.entries.mapValues { entry -> Any in
                var members: [String: Any] = [
                    "dtype": entry.type, "shape": entry.shape,
                    "data_offsets": [entry.range.lowerBound, entry.range.upperBound],
                ]
                if random.next() % 4 == 0 { members["more"] = ["a": [1, NSNull(), ["b": "c"]]] as [String: Any] }
                return members
            }
            members["__metadata__"] = header.metadata.isEmpty ? NSNull() : header.metadata
            let bytes = Array(text(members, &random).utf8), count = Self.dataCount(header)
            #expect(try SafetensorsHeader(json: bytes, dataCount: count) == header)
            for _ in 0..<40 {
                var changed = bytes
                for _ in 0...random.next() % 2 {
                    let place = Int(random.next() % UInt64(changed.count))
                    switch random.next() % 3 {
                    case 0: changed[place] = UInt8(truncatingIfNeeded: random.next())
                    case 1: changed[place] = Self.meaningful[Int(random.next() % UInt64(Self.meaningful.count))]
                    default: changed.remove(at: place)
                    }
                }
                guard let read = try? SafetensorsHeader(json: changed, dataCount: count) else { continue }
                accepted += 1
                let peer = try? JSONSerialization.jsonObject(with: Data(changed)) as? [String: Any]
                #expect(peer.map { Self.same(read, $0) } == true, "\(String(decoding: changed, as: UTF8.self))")
            }
        }
        #expect(accepted > 500)
    }

    /// The bytes that JSON is made of.
    private static let meaningful = Array(#"{}[]",:\u0123-.eE tfn"#.utf8)

    private static func same(_ header: SafetensorsHeader, _ peer: [String: Any]) -> Bool {
        let metadata = peer["__metadata__"] as? [String: String] ?? [:]
        let tensors = peer.filter { $0.key != "__metadata__" }
        guard header.metadata == metadata, tensors.count == header.entries.count else { return false }
        return tensors.allSatisfy { name, value in
            guard let fields = value as? [String: Any], let entry = header.entries[name] else { return false }
            return fields["dtype"] as? String == entry.type && fields["shape"] as? [Int] == entry.shape
                && fields["data_offsets"] as? [Int] == [entry.range.lowerBound, entry.range.upperBound]
        }
    }

    @Test(arguments: [
        (
            #"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#,
            "the name a stands there twice"
        ),
        (#"{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, "the name dtype stands there twice"),
        (#"{"\u0061":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{}}"#, "the name a stands there twice"),
        (#"{"__metadata__":{"k":"1","k":"2"}}"#, "the name k stands there twice"),
        (#"{"__metadata__":null,"__metadata__":null}"#, "the name __metadata__ stands there twice"),
        ("\u{FEFF}{}", "byte-order mark"), (" {}", "does not begin with {"), ("[]", "does not begin with {"),
        ("", "does not begin with {"), (#"{"__metadata__":{"k":1}}"#, "a text is expected at byte 21"),
        (#"{"__metadata__":[]}"#, "{ is expected"), (#"{"a":{}}"#, "tensor a lacks its type, shape or place"),
        (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "a whole number is expected at byte 29"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "a whole number"),
        (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, "a whole number"),
        (#"{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}"#, "a whole number"),
        (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, "too large"),
        (#"{"a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,4]}}"#, "cannot be counted"),
        (#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, "12 bits, which are not whole bytes"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "F32 [2], in 4 bytes: it has 8"),
        (#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,4]}}"#, "at bytes [0, 4, 4] of 4"),
        (#"{"a":{"dtype":"F32","shape":[],"data_offsets":[4,0]}}"#, "at bytes [4, 0] of 4"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#, "at bytes [1, 5] of 4"),
        (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "1 bytes behind its last tensor"),
        (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}"#, "a gap or an overlap at byte 0"),
        (#"{}{}"#, "the end is expected at byte 2"), (#"{"a":{"dtype":"F32\u0"}}"#, "four hexadecimal digits"),
        (#"{"\ud800":{}}"#, "the second half of a character"), ("{\"\u{1}\":{}}", "without control characters"),
        (#"{"a":{"x":\#(String(repeating: "[", count: 100_000))"#, "more than 64"), (#"{"a"#, "the end of a text"),
        (#"{"é":null}"#, "{ is expected"), (#"{,}"#, "a text is expected"), (#"{"a":{},}"#, "lacks"),
    ]) func whatTheFormatDoesNotKnowIsRefused(_ text: String, _ words: String) {
        let error = #expect(throws: TextProblem.self) { try header(text, 4) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    /// What is kept of a header stays within a few times its bytes.
    @Test func countsAreLimited() {
        let sizes = [String](repeating: "1", count: 257).joined(separator: ",")
        let shape = #expect(throws: TextProblem.self) {
            try header(#"{"a":{"dtype":"U8","shape":[\#(sizes)],"data_offsets":[0,1]}}"#, 1)
        }
        #expect(shape?.description.contains("more than 256 numbers in an array") == true)
        let members = (0..<(1 << 20) + 1).map { "\"\($0)\":\"\"" }.joined(separator: ",")
        let names = #expect(throws: TextProblem.self) { try header(#"{"__metadata__":{\#(members)}}"#) }
        #expect(names?.description.contains("more than 1048576 names in an object") == true)
    }

    /// Other encodings, and bytes that are none.
    @Test func onlyUTF8IsRead() {
        let text = #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#
        #expect(throws: Never.self) { try header(text, 4) }
        for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian, .utf16, .utf32] {
            let bytes = [UInt8](text.data(using: encoding)!)
            #expect(throws: TextProblem.self) { try SafetensorsHeader(json: bytes, dataCount: 4) }
        }
        for bad in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC3]] as [[UInt8]] {
            let bytes = Array(#"{"__metadata__":{"k":""#.utf8) + bad + Array(#""}}"#.utf8)
            let error = #expect(throws: TextProblem.self) { try SafetensorsHeader(json: bytes, dataCount: 0) }
            #expect(error?.description.contains("is not UTF-8") == true)
        }
    }

    /// Two names that show the same: nobody could ask for one of them.
    @Test func namesThatShowTheSameAreRefused() {
        let one = #""\u00e9":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#
        let two = #""e\u0301":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#
        #expect(throws: Never.self) { try header("{\(two)}") }
        let error = #expect(throws: TextProblem.self) { try header("{\(one),\(two)}") }
        #expect(error?.description.contains("stands there twice") == true)
    }

    @Test func newerTypesAndNoMetadataAreRead() throws {
        let read = try header(
            #"{"__metadata__":null,"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},"#
                + #""b":{"dtype":"F4","shape":[4],"data_offsets":[3,5]},"c":{"dtype":"C64","shape":[1],"data_offsets":[5,13]},"#
                + #""d":{"dtype":"F1_NEXT","shape":[1000],"data_offsets":[13,14]},"e":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[14,17]}}  "#,
            17)
        #expect(read.metadata.isEmpty && read.entries.count == 5 && read.entries["d"]?.range == 13..<14)
    }
}
