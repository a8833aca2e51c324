import Foundation
import Sluice
import SluiceIO

/// A file of whatever bytes: it is refused, or all that it says is read, written and read again as the same.
func fuzzSafetensors(_ bytes: UnsafeRawBufferPointer) {
    open(Array(bytes))
    // Almost every change of a header changes its length, which the fuzzer seldom mends: also with the length that fits.
    if let mended = FuzzedTensors.withFittingLength(Array(bytes)) { open(mended) }
}

private func open(_ bytes: [UInt8]) {
    let file: SafetensorsFile
    do throws(FileError) { file = try SafetensorsFile(bytes, path: "fuzzed") } catch {
        return check(error)
    }
    for name in file.names {
        guard let tensor = try? file.tensor(name) else { fatalError("\(name) cannot be read") }
        _ = tensor.matrix(Float.self)
        _ = try? tensor.matrix(converting: Float.self)
        _ = try? tensor.matrix(converting: Double.self)
    }
    do {
        let contents = try Safetensors(file)
        guard try Safetensors(SafetensorsFile(contents.bytes(), path: "again")) == contents else {
            fatalError("other contents after writing and reading")
        }
    } catch { fatalError("what was read cannot be written and read: \(error)") }
    do throws(FileError) {
        let model = try ModelFile(file)
        _ = try Network<Float>(model, converting: true)
        _ = try Network<Double>(model, converting: true)
        _ = try Network<Float>(model)
    } catch { check(error) }
}

/// An error is one line that a terminal shows as it is.
private func check(_ error: FileError) {
    guard error.description.unicodeScalars.count <= 300, error.description.unicodeScalars.allSatisfy(\.isVisible) else {
        fatalError("an error of more than a line")
    }
}

/// Files that the fuzzer begins from.
enum FuzzedTensors {
    static var seeds: [Data] {
        var random = Random(seed: 1)
        var configurations = [
            Configuration(cell: .gru(.resetAfter), inputSize: 1, hiddenSize: 1),
            Configuration(
                cell: .rnn(.tanh), inputSize: 2, hiddenSize: 1, biases: Biases.none, head: Head(outputSize: 1)),
        ]
        configurations.append(
            Configuration(cell: .lstm, inputSize: 1, hiddenSize: 2, direction: .bidirectional, projectionSize: 1))
        var files: [[UInt8]] = []
        for configuration in configurations {
            let float = Network<Float>(configuration, .pyTorch, using: &random)
            let double = Network<Double>(configuration, .pyTorch, using: &random)
            files += [saved(float), saved(double)]
        }
        files.append(
            file(
                #"{"__metadata__":null,"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"#
                    + #""\u00e4\ud83d\ude00":{"dtype":"BF16","shape":[],"data_offsets":[4,6]},"#
                    + #""f8":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[6,8]}}  "#, 8))
        return files.map { Data($0) }
    }

    private static func saved<S: Scalar>(_ network: Network<S>) -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appending(path: "sluice-fuzz-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            try network.save(to: path, metadata: ["note": "\"text\"\n"])
            return try readFile(path)
        } catch { fatalError("\(error)") }
    }

    private static func file(_ header: String, _ count: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) } + Array(header.utf8)
            + [UInt8](repeating: 0x3F, count: count)
    }

    /// The same bytes behind a length that ends where the header's last brace seems to be; nil if there is none.
    static func withFittingLength(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > 9 else { return nil }
        let brace = UInt8(ascii: "}")
        guard let end = bytes.indices.dropFirst(9).first(where: { bytes[$0] == brace && bytes[$0 - 1] == brace }) else {
            return nil
        }
        let length = end + 1 - 8
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + bytes[8...]
    }
}
