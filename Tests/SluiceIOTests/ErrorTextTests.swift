import Foundation
import Sluice
import Testing

@testable import SluiceIO

/// An error is one line that a terminal shows as it is, whatever files are called and hold.
@Suite struct ErrorTextTests {
    @Test(arguments: [
        ("plain ünïcode 日本", "plain ünïcode 日本"), ("a\nb\tc", "a\\u{A}b\\u{9}c"),
        ("\u{1B}[2J\u{1B}]0;title\u{7}", "\\u{1B}[2J\\u{1B}]0;title\\u{7}"), ("\u{9B}31m\u{7F}", "\\u{9B}31m\\u{7F}"),
        ("model\u{202E}.tes", "model\\u{202E}.tes"), ("\u{2066}\u{200F}\u{FEFF}", "\\u{2066}\\u{200F}\\u{FEFF}"),
        ("a\u{2028}b\u{85}", "a\\u{2028}b\\u{85}"), ("\u{E0041}", "\\u{E0041}"),
    ]) func whatIsNotSeenIsEscaped(_ text: String, _ shown: String) {
        #expect(text.inOneLine() == shown)
    }

    @Test func longTextsAreCut() {
        #expect(String(repeating: "a", count: 80).inOneLine() == String(repeating: "a", count: 80))
        #expect(String(repeating: "a", count: 81).inOneLine() == String(repeating: "a", count: 77) + "...")
        #expect(String(repeating: "\u{1B}", count: 5_000_000).inOneLine(limit: 20).unicodeScalars.count == 20)
        #expect("folder/file".endInOneLine(limit: 11) == "folder/file")
        #expect("folder/file".endInOneLine(limit: 8) == ".../file".suffix(8))
    }

    private func expectOneLine(_ body: () throws -> Void, _ words: String) {
        let error = #expect(throws: FileError.self) { try body() }
        let text = error?.description ?? ""
        #expect(text.unicodeScalars.count <= 300 && text.unicodeScalars.allSatisfy(\.isVisible), "\(text)")
        #expect(text.contains(words), "\(text)")
    }

    /// Everything that comes from a file, at the places where it comes into a message.
    @Test func namesAndContentsOfFilesAreOneLine() throws {
        let evil = "\u{1B}[31m\n\u{202E}" + String(repeating: "x", count: 1 << 16)
        expectOneLine({ _ = try readFile(evil) }, "cannot be read")
        expectOneLine({ try writeAtomically("", to: "/nowhere/" + evil) }, "cannot be written")
        expectOneLine({ _ = try Configuration(json: #"{"cell":"\#(evil)"}"#, path: evil) }, "cannot be understood")
        expectOneLine(
            {
                _ = try Configuration(
                    json: #"{"cell":"lstm.standard","inputSize":0,"hiddenSize":1,"layers":1}"#, path: evil)
            },
            "inputSize 0")
        func file(_ header: String, _ count: Int = 0) throws -> SafetensorsFile {
            let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
            return try SafetensorsFile(length + Array(header.utf8) + [UInt8](repeating: 0, count: count), path: evil)
        }
        let name = String(decoding: try JSONEncoder().encode(evil), as: UTF8.self)
        expectOneLine({ _ = try file("{\(name):{},\(name):{}}") }, "lacks its type, shape or place")
        expectOneLine(
            { _ = try file(#"{\#(name):{"dtype":\#(name),"shape":[-1],"data_offsets":[0,0]}}"#) }, "expected")
        let sizes = "[" + [String](repeating: "1", count: 200).joined(separator: ",") + "]"
        expectOneLine(
            { _ = try file(#"{\#(name):{"dtype":"F32","shape":\#(sizes),"data_offsets":[0,0]}}"#) }, "it has 4")
        expectOneLine({ _ = try file(#"{"a":{"dtype":"F32","shape":[],"data_offsets":\#(sizes)}}"#) }, "at bytes")
        let stranger = try file(#"{\#(name):{"dtype":\#(name),"shape":\#(sizes),"data_offsets":[0,4]}}"#, 4)
        expectOneLine({ _ = try stranger.tensor(evil + "y") }, "holds no tensor")
        func open(_ file: SafetensorsFile, prefix: String = "") throws {
            _ = try Network<Float>(
                file, as: Configuration(cell: .lstm, inputSize: 1, hiddenSize: 1), prefix: prefix, headPrefix: "",
                converting: false, backend: .default, level: .best, workers: .single)
        }
        expectOneLine({ try open(stranger, prefix: evil) }, "lacks the parameter")
        expectOneLine(
            { try open(try file(#"{"weight_ih_l0":{"dtype":\#(name),"shape":\#(sizes),"data_offsets":[0,4]}}"#, 4)) },
            "has shape [1, 1, 1, 1, 1, 1, ...], its configuration says [4, 1]")
        expectOneLine(
            { try open(try file(#"{"weight_ih_l0":{"dtype":\#(name),"shape":[4,1],"data_offsets":[0,4]}}"#, 4)) },
            "F16, BF16, F32 or F64 is needed")
    }
}
