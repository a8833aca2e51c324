import Foundation
import Sluice
import SluiceIO

/// A golden file that a peer wrote: see Tests/Fixtures/README.md. Tensors are [T, B, columns], rows are t B + b.
public struct Fixture: Sendable {
    public let file: Safetensors

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures")

    public init(_ name: String) throws {
        file = try Safetensors(contentsOf: Self.folder.appending(path: "\(name).safetensors").path)
    }

    /// The names of the files that a test wants, in alphabetical order.
    public static func names(where isWanted: (Safetensors) -> Bool) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(12)) }.sorted()
            .filter { (try? Fixture($0)).map { isWanted($0.file) } ?? false }
    }

    /// Tensors [layers and directions, B, columns] of hidden and, where the cell has them, cell states.
    public func state(
        _ hidden: String, _ cell: String, _ configuration: Configuration, _ sequences: Int
    ) throws -> State<Double> {
        var state = State<Double>(configuration, sequences: sequences)
        func scans(_ name: String) throws -> [Matrix<Double>] {
            let all = try matrix(name), size = sequences * all.columns
            return (0..<configuration.scanCount).map {
                Matrix(
                    rows: sequences, columns: all.columns, all.elements[$0 * size..<($0 + 1) * size])
            }
        }
        state.hidden = try scans(hidden)
        if configuration.hasCellState { state.cell = try scans(cell) }
        return state
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
