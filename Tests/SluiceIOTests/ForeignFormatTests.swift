import Foundation
import Testing

@testable import SluiceIO

/// A file of another format is named, with the way to convert it, in one line.
@Suite struct ForeignFormatTests {
    /// The beginnings of files as these programs write them.
    static let beginnings: [(String, [UInt8], words: String, mend: String)] = [
        ("torch.save", member("archive/data.pkl"), "a PyTorch file", "torch.load"),
        ("torch.save to a name", member("model/data.pkl"), "a PyTorch file", "safetensors.torch.save_file"),
        (
            "torch.save before 1.6", [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20], "a PyTorch file",
            "torch.load"
        ),
        ("torch.onnx.export", [0x08, 0x0A, 0x12, 0x07] + Array("pytorch".utf8), "an ONNX model", "onnx.load"),
        ("onnx.save", [0x08, 0x0B, 0x3A, 0x91, 0x03, 0x0A], "an ONNX model", "numpy_helper"),
        ("keras .h5", [0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A, 0, 0], "an HDF5 file", "keras.saving.load_model"),
        ("keras .keras", member("metadata.json"), "a Keras file", "keras.saving.load_model"),
        ("zip", member("readme.txt"), "a zip archive", "unpack"),
        ("an empty zip", [0x50, 0x4B, 0x05, 0x06] + [UInt8](repeating: 0, count: 18), "a zip archive", "unpack"),
        ("gzip", [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3], "a gzip file", "gunzip"),
        ("numpy.save", [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0], "a NumPy array", "numpy.load"),
        ("numpy.savez", member("arr_0.npy"), "a file of NumPy arrays", "numpy.load"),
        ("llama.cpp", Array("GGUF".utf8) + [3, 0, 0, 0, 1], "a GGUF file", "gguf"),
        (
            "git lfs", Array("version https://git-lfs.github.com/spec/v1\noid".utf8), "a pointer of Git LFS",
            "git lfs pull"
        ),
        ("a page", Array("<!DOCTYPE html>\n<html>".utf8), "a web page", "download"),
    ]

    /// A zip archive whose first member has this name.
    private static func member(_ name: String) -> [UInt8] {
        [0x50, 0x4B, 0x03, 0x04] + [UInt8](repeating: 0, count: 22) + [UInt8(name.utf8.count), 0, 0, 0]
            + Array(name.utf8) + [0x80, 0x02]
    }

    @Test(arguments: beginnings.indices) func theFormatIsNamed(_ index: Int) {
        let (_, bytes, words, mend) = Self.beginnings[index]
        let error = #expect(throws: FileError.self) { try SafetensorsFile(bytes, path: "model") }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("model: is \(words)") && text.contains("not") && text.contains(mend), "\(text)")
        #expect(!text.hasSuffix("...") && text.unicodeScalars.count < 300, "\(text)")
        // However few of the bytes there are, there are words.
        for count in bytes.indices {
            #expect(throws: FileError.self) { try SafetensorsFile(Array(bytes[..<count]), path: "m") }
        }
    }

    @Test(arguments: [
        ([], "it has 0 bytes"), (Array("hello, world".utf8), "a header of"), ([UInt8](repeating: 0, count: 8), "{"),
        ([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D, 0x20], "1 bytes behind"),
    ]) func whatIsNotKnownIsDamaged(_ bytes: [UInt8], _ words: String) {
        let error = #expect(throws: FileError.self) { try SafetensorsFile(bytes, path: "model") }
        #expect(error?.problem.hasPrefix("is not a safetensors file, or damaged: ") == true)
        #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
    }
}
