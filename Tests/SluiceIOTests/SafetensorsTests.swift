import Foundation
import Sluice
import Testing
import TestSupport

@testable import SluiceIO

@Suite struct SafetensorsTests {
    /// A file by the format's own library, with keys out of the order of their offsets.
    @Test func readsAFileOfTheFormatsOwnLibrary() throws {
        let fixture = try Fixture("pytorch-resetAfter-T5B3I4H6")
        #expect(fixture.file.metadata["variant"] == "resetAfter")
        #expect(fixture.shape("x") == [5, 3, 4])
    }

    @Test func everyTruncationAndEveryChangedHeaderByteIsAnErrorOrHarmless() throws {
        var file = Safetensors()
        file.metadata = ["a": "b"]
        file.tensors["m"] = .init(Matrix<Double>(rows: 2, columns: 1, [1, 2]))
        let bytes = file.bytes()
        #expect(try Safetensors(bytes, path: "test") == file)
        for count in 0..<bytes.count {
            #expect(throws: FileError.self) { try Safetensors(Array(bytes[..<count]), path: "test") }
        }
        let headerEnd = bytes.count - 16
        for place in 0..<headerEnd {
            for value in [UInt8(0), 0x20, 0x22, 0x2D, 0x39, 0x7F, 0xFF] {
                var changed = bytes
                changed[place] = value
                _ = try? Safetensors(changed, path: "test") // must not trap
            }
        }
    }

    @Test func bytesBehindTheLastTensorAreRefused() throws {
        var file = Safetensors()
        file.tensors["m"] = .init(Matrix<Double>(rows: 2, columns: 1, [1, 2]))
        #expect(throws: FileError.self) { try Safetensors(file.bytes() + [0], path: "test") }
    }

    @Test func overlapsAreRefused() throws {
        var file = Safetensors()
        for name in ["a", "b"] { file.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        var text = String(decoding: file.bytes(), as: UTF8.self)
        text.replace("[4,8]", with: "[0,4]")
        #expect(throws: FileError.self) { try Safetensors(Array(text.utf8), path: "test") }
    }

    @Test func sameContentsGiveTheSameBytes() {
        var a = Safetensors(), b = Safetensors()
        for name in ["x", "y", "z"] { a.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        for name in ["z", "x", "y"] { b.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        #expect(a.bytes() == b.bytes())
    }
}

@Suite struct FileTests {
    @Test func writingKeepsTheOldFileUntilTheNewOneIsWhole() throws {
        try withTemporaryFolder { folder in
            try writeAtomically("one", to: "\(folder)/a")
            try writeAtomically("two", to: "\(folder)/a")
            #expect(try readFile("\(folder)/a") == Array("two".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
            let error = #expect(throws: FileError.self) { try writeAtomically("x", to: "\(folder)/no/a") }
            #expect(error?.description.contains("No such file") == true)
            #expect(throws: FileError.self) { try readFile("\(folder)/b") }
            #expect(throws: FileError.self) { try readFile(folder) }
        }
    }
}
