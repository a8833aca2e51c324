import Foundation
import Sluice
import SluiceIO

/// A golden file that a peer wrote: see Tests/Fixtures/README.md. Tensors are [T, B, columns], rows are t B + b.
public struct Fixture: Sendable {
    public let file: Safetensors

    public init(_ name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        file = try Safetensors(contentsOf: folder.appending(path: "Fixtures/\(name).safetensors").path)
    }

    /// A tensor as a matrix; its last size is the columns.
    public func matrix(_ name: String) throws -> Matrix<Double> {
        guard let matrix = file.tensors[name]?.matrix(Double.self) else {
            throw FileError(path: name, problem: "is not in this fixture")
        }
        return matrix
    }

    /// A parameter's tensor in the layout of the computation: weights transposed, biases as a row.
    public func parameter(_ name: String, _ entry: ParameterLayout.Entry) throws -> Matrix<Double> {
        let matrix = try matrix(name)
        guard !entry.isVector else { return Matrix(rows: 1, columns: entry.columns, matrix.elements) }
        let elements = (0..<entry.rows * entry.columns).map { matrix[$0 % entry.columns, $0 / entry.columns] }
        return Matrix(rows: entry.rows, columns: entry.columns, elements)
    }

    /// All parameters of a configuration, by their names behind a prefix.
    public func parameters(_ configuration: Configuration, prefix: String = "") throws -> Parameters<Double> {
        var parameters = Parameters<Double>(ParameterLayout(configuration))
        for entry in parameters.layout.entries {
            parameters[entry.name] = try parameter(prefix + entry.name, entry)
        }
        return parameters
    }

    /// [T, B, ...]
    public func shape(_ name: String) -> [Int] { file.tensors[name]?.shape ?? [] }

    /// A tensor of integers.
    public func integers(_ name: String) throws -> [Int] {
        guard let tensor = file.tensors[name], tensor.type == "I64" else {
            throw FileError(path: name, problem: "is not in this fixture as integers")
        }
        return stride(from: 0, to: tensor.bytes.count, by: 8).map { start in
            tensor.bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
    }
}
