import Sluice

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Configurations as files hold them: read, checked, and compared.
extension Configuration {
    /// The configuration that a text says. Whatever it says, what comes back can be computed with; the error says why not.
    init(json: String, path: String) throws(FileError) {
        func refusal(_ problem: String) -> FileError {
            FileError(path: path, problem: "its \(ModelFile.configurationKey) \(problem)")
        }
        let bytes = Array(json.utf8)
        do {
            guard bytes.count <= 1 << 16 else { throw TextProblem("too long") }
            // The system's decoder takes a name that stands there twice, and other encodings.
            var strict = JSONScanner(bytes)
            try strict.skip()
            try strict.end()
            self = try JSONDecoder().decode(Configuration.self, from: Data(bytes))
        } catch DecodingError.dataCorrupted(let context) where context.underlyingError is InvalidValue {
            throw refusal("says \(context.debugDescription)")
        } catch { throw refusal("cannot be understood: \(json.inOneLine(limit: 160))") }
    }

    /// As JSON, keys in alphabetical order.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(self) else {
            stop("names and sizes are always encodable")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// The first thing in which a file's configuration is another than this; nil: the networks are of the same kind.
    func difference(fromFile other: Configuration) -> String? {
        func show(_ value: Any?) -> String { value.map { "\($0)" } ?? "none" }
        func parameters(_ configuration: Configuration) -> ParameterLayout {
            var bare = configuration
            bare.head = nil
            return ParameterLayout(bare)
        }
        let fields: [(String, Any?, Any?)] = [
            ("cell", cell, other.cell), ("inputSize", inputSize, other.inputSize),
            ("hiddenSize", hiddenSize, other.hiddenSize), ("layers", layers, other.layers),
            ("direction", direction, other.direction), ("projectionSize", projectionSize, other.projectionSize),
        ]
        for (name, expected, found) in fields where show(expected) != show(found) {
            return "its \(name) is \(show(found)), not \(show(expected))"
        }
        // Biases that are not named are the cell's own, so that only the parameters tell.
        if parameters(self) != parameters(other) {
            return "its biases are \(other.biases?.rawValue ?? "standard"), not \(biases?.rawValue ?? "standard")"
        }
        func show(_ head: Head?) -> String { head.map { "\($0.outputSize) outputs on \($0.steps)" } ?? "none" }
        return head == other.head ? nil : "its head is \(show(other.head)), not \(show(head))"
    }
}
