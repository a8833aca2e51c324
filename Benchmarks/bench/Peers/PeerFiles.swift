import Sluice

#if canImport(FoundationEssentials)
import FoundationEssentials
private typealias Bytes = FoundationEssentials.Data
#else
import Foundation
private typealias Bytes = Foundation.Data
#endif

/// The input files `NAME.double.bin` and `NAME.float.bin`: numbers without a header, parameters with PyTorch's names and layout.
struct PeerFiles<S: Scalar> {
    let folder: String
    let scalar: ScalarType

    func numbers(_ name: String, _ count: Int) throws -> [S] {
        let path = "\(folder)/\(name).\(scalar.rawValue).bin"
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw PeerFailure(description: "\(path) cannot be read")
        }
        guard bytes.count == count * MemoryLayout<S>.stride else {
            throw PeerFailure(description: "\(path) holds \(bytes.count) bytes, not \(count) numbers")
        }
        return unsafe [S](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> Matrix<S> {
        Matrix(rows: rows, columns: columns, try numbers(name, rows * columns))
    }

    func parameters(_ configuration: Configuration) throws -> Parameters<S> {
        var parameters = Parameters<S>(ParameterLayout(configuration))
        for entry in parameters.layout.entries {
            let elements = transposed(try numbers(entry.name, entry.rows * entry.columns), entry.columns, entry.rows)
            parameters[entry.name] = Matrix(rows: entry.rows, columns: entry.columns, elements)
        }
        return parameters
    }

    func write(_ results: [String: [S]], _ prefix: String) throws -> [String: String] {
        for (name, numbers) in results {
            let path = "\(prefix).\(name).bin"
            let bytes = unsafe numbers.withUnsafeBytes { unsafe Bytes($0) }
            guard FileManager.default.createFile(atPath: path, contents: bytes) else {
                throw PeerFailure(description: "\(path) cannot be written")
            }
        }
        return results.mapValues { _ in scalar == .double ? "<f8" : "<f4" }
    }
}

/// The transpose of a matrix of rows x columns, row after row.
func transposed<S>(_ elements: [S], _ rows: Int, _ columns: Int) -> [S] {
    (0..<rows * columns).map { elements[$0 % rows * columns + $0 / rows] }
}
