import Foundation
import Sluice
import Testing
import TestSupport

@testable import SluiceIO

@Suite struct SafetensorsTests {
    private static func read(_ bytes: [UInt8]) throws -> Safetensors {
        try Safetensors(SafetensorsFile(bytes, path: "test"))
    }

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
        let bytes = try file.bytes()
        #expect(try Self.read(bytes) == file)
        for count in 0..<bytes.count {
            #expect(throws: FileError.self) { try Self.read(Array(bytes[..<count])) }
        }
        let headerEnd = bytes.count - 16
        for place in 0..<headerEnd {
            for value in [UInt8(0), 0x20, 0x22, 0x2D, 0x39, 0x7F, 0xFF] {
                var changed = bytes
                changed[place] = value
                _ = try? Self.read(changed) // must not trap
            }
        }
    }

    @Test func bytesBehindTheLastTensorAreRefused() throws {
        var file = Safetensors()
        file.tensors["m"] = .init(Matrix<Double>(rows: 2, columns: 1, [1, 2]))
        #expect(throws: FileError.self) { try Self.read(file.bytes() + [0]) }
    }

    @Test func overlapsAreRefused() throws {
        var file = Safetensors()
        for name in ["a", "b"] { file.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        var text = String(decoding: try file.bytes(), as: UTF8.self)
        text.replace("[4,8]", with: "[0,4]")
        #expect(throws: FileError.self) { try Self.read(Array(text.utf8)) }
    }

    @Test func sameContentsGiveTheSameBytes() throws {
        var a = Safetensors(), b = Safetensors()
        for name in ["x", "y", "z"] { a.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        for name in ["z", "x", "y"] { b.tensors[name] = .init(Matrix<Float>(rows: 1, columns: 1, [1])) }
        #expect(try a.bytes() == b.bytes())
    }

    /// A tensor's bytes always fit its shape, so that no matrix of it can be written past its end.
    @Test(
        arguments: [
            ("F32", [2, 3], 23, "a tensor F32 [2, 3], in 23 bytes: it has 24"),
            ("F64", [1 << 40, 1 << 40], 8, "they cannot be counted"), ("F32", [-1, -1], 4, "a size is negative"),
            ("F32", [0, -4], 0, "a size is negative"), ("F4", [1], 1, "not whole bytes"), ("BOOL", [], 0, "it has 1"),
        ] as [(String, [Int], Int, String)])
    func bytesFitTheirShape(_ type: String, _ shape: [Int], _ count: Int, _ words: String) {
        let error = #expect(throws: InvalidValue.self) {
            try Safetensors.Tensor(type: type, shape: shape, bytes: [UInt8](repeating: 0, count: count))
        }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func aMatrixOfAnotherShapeStops() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Safetensors.Tensor(Matrix<Float>(rows: 2, columns: 3), shape: [7])
        }
        #expect(result.says("a 2 x 3 matrix as a tensor F32 [7], in 24 bytes: it has 28"))
        let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Safetensors.Tensor(Matrix<Float>(rows: 2, columns: 3), shape: [-2, -3])
        }
        #expect(negative.says("a size is negative"))
    }

    @Test func emptyTensorsAreMatrices() throws {
        for shape in [[0], [0, 3], [3, 0], [0, 1 << 40], [1 << 40, 0]] {
            let tensor = try Safetensors.Tensor(type: "F32", shape: shape, bytes: [])
            let matrix: Matrix<Float> = try #require(tensor.matrix())
            #expect(matrix.elements.isEmpty && matrix.columns == shape.last)
        }
        let scalar = try Safetensors.Tensor(type: "F32", shape: [], bytes: [0, 0, 0x80, 0x3F])
        #expect(scalar.matrix(Float.self) == Matrix(rows: 1, columns: 1, [1]))
        #expect(scalar.matrix(Double.self) == nil)
    }

    /// What could not be read again is not written.
    @Test func whatIsWrittenIsRead() throws {
        try withTemporaryFolder { folder in
            var file = Safetensors()
            file.tensors["__metadata__"] = .init(Matrix<Float>(rows: 1, columns: 1))
            let error = #expect(throws: FileError.self) { try file.write(to: "\(folder)/a") }
            #expect(error?.problem == "cannot hold a tensor that is called __metadata__")
            file.tensors = ["deep": try .init(type: "U8", shape: [Int](repeating: 1, count: 257), bytes: [1])]
            let deep = #expect(throws: FileError.self) { try file.write(to: "\(folder)/a") }
            #expect(deep?.problem == "cannot hold deep of 257 sizes; 256 are possible")
            file = Safetensors()
            file.metadata["long"] = String(repeating: "x", count: 100_000_000)
            let long = #expect(throws: FileError.self) { try file.write(to: "\(folder)/a") }
            #expect(long?.problem == "cannot hold a header of 100000032 bytes; 100000000 are possible")
            let left = try names(in: folder)
            #expect(left == [])
        }
    }
}
