import Sluice

/// A saved network before it is opened: what a file says of itself. Of its parameters only their names, types and shapes are read.
///
/// Weights have PyTorch's names and layout (`weight_ih_l0 [3H, I]`, ...), so that PyTorch reads them as they are. The
/// configuration stands as JSON in the metadata under `sluice.configuration`.
public struct ModelFile: Sendable {
    /// What the file's network computes, and every size.
    public let configuration: Configuration
    /// The scalar that the parameters were saved in; of files with F16 or BF16, the smallest that holds all of them exactly.
    public var scalarType: ScalarType { tensors.scalarType }
    /// What else was saved with the network.
    public let metadata: [String: String]
    fileprivate let tensors: ParameterTensors

    static let configurationKey = "sluice.configuration"

    /// Opens a file and checks it: a configuration, and every parameter of it in its shape.
    public init(contentsOf path: String) throws(FileError) {
        try self.init(try SafetensorsFile(contentsOf: path))
    }

    package init(_ file: SafetensorsFile) throws(FileError) {
        guard let text = file.metadata[Self.configurationKey] else {
            throw FileError(
                path: file.path, problem: "holds no network of Sluice: no \(Self.configurationKey) in its metadata")
        }
        configuration = try Configuration(json: text, path: file.path)
        metadata = file.metadata.filter { $0.key != Self.configurationKey }
        tensors = try ParameterTensors(file, configuration, name: \.name, isTheirs: { _ in true })
    }
}

// MARK: Opening

extension Network {
    /// Opens a saved network of this scalar.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - converting: whether numbers of other types are opened too, F16, BF16, F32 and F64: exact where this scalar holds them,
    ///     otherwise rounded to the nearest.
    ///   - backend: who computes; by default the fastest of this build.
    ///   - level: the instruction set of the fused kernels; by default the best of this processor.
    ///   - workers: the threads; by default only the caller's.
    /// - Throws: where the file is not one of a network, or a number is beyond this scalar's largest.
    public init(
        contentsOf path: String, converting: Bool = false, backend: Backend = .default, level: KernelLevel = .best,
        workers: Workers = .single
    ) throws(FileError) {
        try self.init(
            ModelFile(contentsOf: path), converting: converting, backend: backend, level: level, workers: workers)
    }

    /// Opens the network of a file that was looked at before.
    ///
    /// - Parameters:
    ///   - file: the file.
    ///   - converting: whether numbers of other types are opened too, F16, BF16, F32 and F64: exact where this scalar holds them,
    ///     otherwise rounded to the nearest.
    ///   - backend: who computes; by default the fastest of this build.
    ///   - level: the instruction set of the fused kernels; by default the best of this processor.
    ///   - workers: the threads; by default only the caller's.
    /// - Throws: where a number is beyond this scalar's largest, or the file was made shorter meanwhile.
    public init(
        _ file: ModelFile, converting: Bool = false, backend: Backend = .default, level: KernelLevel = .best,
        workers: Workers = .single
    ) throws(FileError) {
        self.init(
            file.configuration, try file.tensors.parameters(S.self, converting: converting), backend: backend,
            level: level, workers: workers)
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
    /// `Biases.none`. Tensors of other modules are not looked at, whatever their types are: those whose names do not
    /// begin with the prefix, or have a dot behind it.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - configuration: the sizes; the file must agree with them, and the error names the first difference.
    ///   - prefix: what stands before the recurrent module's names: `"rnn."` for one that is called so in a model.
    ///   - headPrefix: what stands before the head's `weight` and `bias`.
    ///   - converting: whether numbers of other types are opened too, F16, BF16, F32 and F64: exact where this scalar holds them,
    ///     otherwise rounded to the nearest.
    ///   - backend: who computes; by default the fastest of this build.
    ///   - level: the instruction set of the fused kernels; by default the best of this processor.
    ///   - workers: the threads; by default only the caller's.
    /// - Throws: where the file is another format's, lacks a parameter, or has another shape or type of one.
    public init(
        contentsOf path: String, as configuration: Configuration, prefix: String = "", headPrefix: String = "head.",
        converting: Bool = false, backend: Backend = .default, level: KernelLevel = .best, workers: Workers = .single
    ) throws(FileError) {
        try self.init(
            SafetensorsFile(contentsOf: path), as: configuration, prefix: prefix, headPrefix: headPrefix,
            converting: converting, backend: backend, level: level, workers: workers)
    }

    init(
        _ file: SafetensorsFile, as configuration: Configuration, prefix: String, headPrefix: String, converting: Bool,
        backend: Backend, level: KernelLevel, workers: Workers
    ) throws(FileError) {
        if let problem = configuration.problem {
            throw FileError(path: file.path, problem: "cannot hold \(problem)")
        }
        if prefix.isEmpty, let text = file.metadata[ModelFile.configurationKey],
            let difference = configuration.difference(fromFile: try Configuration(json: text, path: file.path))
        {
            throw FileError(path: file.path, problem: "holds another network: \(difference)")
        }
        let tensors = try ParameterTensors(
            file, configuration,
            name: { entry in
                switch entry.role {
                case .headWeight: headPrefix + "weight"
                case .headBias: headPrefix + "bias"
                default: prefix + entry.name
                }
            },
            isTheirs: { $0.hasPrefix(prefix) && !$0.dropFirst(prefix.count).contains(".") })
        self.init(
            configuration, try tensors.parameters(S.self, converting: converting), backend: backend, level: level,
            workers: workers)
    }
}
