import Sluice

/// A saved network before it is opened: what a file says of itself.
///
/// Weights have PyTorch's names and layout (`weight_ih_l0 [3H, I]`, ...), so that PyTorch reads them as they are. The
/// configuration stands as JSON in the metadata under `sluice.configuration`.
public struct ModelFile: Sendable {
    public let configuration: Configuration
    /// The scalar that the parameters were saved in.
    public var scalarType: ScalarType { tensors.scalarType }
    /// What else was saved with the network.
    public let metadata: [String: String]
    fileprivate let tensors: ParameterTensors

    static let configurationKey = "sluice.configuration"

    /// Reads a file and checks it: a configuration, and every parameter of it in its shape and one scalar.
    public init(contentsOf path: String) throws(FileError) {
        try self.init(try Safetensors(contentsOf: path), path: path)
    }

    /// The contents of a file; `path` is for errors.
    init(_ file: Safetensors, path: String) throws(FileError) {
        guard let text = file.metadata[Self.configurationKey] else {
            throw FileError(
                path: path, problem: "holds no network of Sluice: no \(Self.configurationKey) in its metadata")
        }
        configuration = try Configuration(json: text, path: path)
        metadata = file.metadata.filter { $0.key != Self.configurationKey }
        tensors = try ParameterTensors(file, configuration, path: path, name: \.name, isTheirs: { _ in true })
    }
}

extension Network {
    /// Saves the configuration and the parameters, bit for bit.
    ///
    /// What `nn.GRU`, `nn.LSTM` and `nn.RNN` of PyTorch know too, `load_state_dict` takes from the file as it is; the head is
    /// there as `head.weight` and `head.bias`.
    ///
    /// - Parameters:
    ///   - path: the file; one that is there is replaced.
    ///   - metadata: text to keep with them.
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
        self.init(
            file.configuration, try file.tensors.parameters(S.self), backend: backend, level: level, workers: workers)
    }

    /// Opens a network of a given configuration, from a PyTorch `state_dict` that was saved as safetensors, or from a
    /// network saved here.
    ///
    ///     # Python: save_file(model.state_dict(), "tagger.safetensors"), with model.rnn an nn.LSTM, model.fc an nn.Linear
    ///
    ///     let configuration = Configuration(cell: .lstm, inputSize: 3, hiddenSize: 5, head: Head(outputSize: 2))
    ///     let network = try Network<Float>(
    ///         contentsOf: "tagger.safetensors", as: configuration, prefix: "rnn.", headPrefix: "fc.")
    ///
    /// `nn.GRU` is `.gru(.resetAfter)`, `nn.RNN` an `.rnn`, `proj_size` the projection size; with `bias=False` the biases are
    /// `Biases.none`. Tensors of other modules are not looked at: those whose names do not begin with the
    /// prefix, or have a dot behind it.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - configuration: the sizes; the file must agree with them, and the error names the first difference.
    ///   - prefix: what stands before the recurrent module's names: `"rnn."` for one that is called so in a model.
    ///   - headPrefix: what stands before the head's `weight` and `bias`.
    ///   - backend: who computes; by default the fastest of this build.
    ///   - level: the instruction set of the fused kernels; by default the best of this processor.
    ///   - workers: the threads; by default only the caller's.
    public init(
        contentsOf path: String, as configuration: Configuration, prefix: String = "", headPrefix: String = "head.",
        backend: Backend = .default, level: KernelLevel = .best, workers: Workers = .single
    ) throws(FileError) {
        let file = try Safetensors(contentsOf: path)
        if prefix.isEmpty, let text = file.metadata[ModelFile.configurationKey],
            let difference = configuration.difference(fromFile: try Configuration(json: text, path: path))
        {
            throw FileError(path: path, problem: "holds another network: \(difference)")
        }
        let tensors = try ParameterTensors(
            file, configuration, path: path,
            name: { entry in
                switch entry.role {
                case .headWeight: headPrefix + "weight"
                case .headBias: headPrefix + "bias"
                default: prefix + entry.name
                }
            },
            isTheirs: { $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains(".") })
        self.init(
            configuration, try tensors.parameters(S.self), backend: backend, level: level, workers: workers)
    }
}
