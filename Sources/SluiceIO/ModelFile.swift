import Foundation
import Sluice

/// A saved network before it is opened: what a file says of itself.
///
/// Weights have PyTorch's names and layout (`weight_ih_l0 [3H, I]`, ...), so that PyTorch reads them as they are. The
/// configuration stands as JSON in the metadata under `sluice.configuration`.
public struct ModelFile: Sendable {
    public let configuration: Configuration
    /// The scalar that the parameters were saved in.
    public let scalarType: ScalarType
    /// What else was saved with the network.
    public let metadata: [String: String]
    private let path: String
    private let file: Safetensors

    fileprivate static let configurationKey = "sluice.configuration"

    /// Reads a file and checks it: a configuration, and every parameter of it in its shape and one scalar.
    public init(contentsOf path: String) throws(FileError) {
        let file = try Safetensors(contentsOf: path)
        guard let text = file.metadata[Self.configurationKey] else {
            throw FileError(
                path: path, problem: "holds no network of Sluice: no \(Self.configurationKey) in its metadata")
        }
        guard let configuration = try? JSONDecoder().decode(Configuration.self, from: Data(text.utf8)),
            configuration.isValid
        else {
            throw FileError(path: path, problem: "its \(Self.configurationKey) cannot be understood: \(text)")
        }
        self.path = path
        self.file = file
        self.configuration = configuration
        metadata = file.metadata.filter { $0.key != Self.configurationKey }
        scalarType = try Self.check(file, ParameterLayout(configuration), path)
    }

    /// Compares the tensors with a layout; the first difference is the error.
    private static func check(_ file: Safetensors, _ layout: ParameterLayout, _ path: String) throws(FileError)
        -> ScalarType
    {
        var found: ScalarType?
        for entry in layout.entries {
            guard let tensor = file.tensors[entry.name] else {
                throw FileError(path: path, problem: "lacks the parameter \(entry.name)")
            }
            guard tensor.shape == entry.fileShape else {
                throw FileError(
                    path: path,
                    problem: "\(entry.name) has shape \(tensor.shape), its configuration says \(entry.fileShape)")
            }
            guard let type = ScalarType.allCases.first(where: { $0.safetensorsName == tensor.type }),
                found ?? type == type
            else {
                throw FileError(
                    path: path, problem: "\(entry.name) is of type \(tensor.type); all F32 or all F64 is expected")
            }
            found = type
        }
        if let stranger = file.tensors.keys.sorted().first(where: { layout[$0] == nil }) {
            throw FileError(path: path, problem: "holds a tensor that its configuration does not know: \(stranger)")
        }
        return found!
    }

    /// The parameters.
    fileprivate func parameters<S: Scalar>(_: S.Type) throws(FileError) -> Parameters<S> {
        guard scalarType == S.type else {
            throw FileError(path: path, problem: "holds a network in \(scalarType.rawValue), not \(S.type.rawValue)")
        }
        var parameters = Parameters<S>(ParameterLayout(configuration))
        for entry in parameters.layout.entries {
            let matrix = file.tensors[entry.name]!.matrix(S.self)!
            parameters[entry.name] = entry.isVector ? matrix : matrix.transposed
        }
        return parameters
    }
}

extension Network {
    /// Saves the configuration and the parameters, bit for bit.
    ///
    /// - Parameter metadata: text to keep with them.
    public func save(to path: String, metadata: [String: String] = [:]) throws(FileError) {
        var file = Safetensors()
        for entry in parameters.layout.entries {
            let matrix = parameters[entry.name]
            file.tensors[entry.name] = Safetensors.Tensor(
                entry.isVector ? matrix : matrix.transposed, shape: entry.fileShape)
        }
        file.metadata = metadata
        file.metadata[ModelFile.configurationKey] = configuration.json
        try file.write(to: path)
    }

    /// Opens a saved network of this scalar.
    public init(
        contentsOf path: String, backend: Backend = .default, level: KernelLevel = .best, workers: Workers = .single
    ) throws(FileError) {
        let file = try ModelFile(contentsOf: path)
        self.init(file.configuration, try file.parameters(S.self), backend: backend, level: level, workers: workers)
    }
}

extension Configuration {
    /// As JSON, keys in alphabetical order.
    fileprivate var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("names and sizes are always encodable")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Whether every size is one that a network can have; the limit keeps their products countable.
    fileprivate var isValid: Bool {
        let sizes = 1...1 << 24
        return sizes.contains(inputSize) && sizes.contains(hiddenSize) && (1...1 << 12).contains(layers)
            && sizes.contains(head?.outputSize ?? 1)
    }
}
