import Sluice

/// Which tensors of a file are a network's parameters, checked one by one: every parameter is there, in its shape, all of
/// one scalar. The first difference is the error.
struct ParameterTensors: Sendable {
    /// The scalar of all of them.
    let scalarType: ScalarType
    private let path: String
    private let layout: ParameterLayout
    /// In the order of the layout's entries.
    private let tensors: [Safetensors.Tensor]

    /// Finds a configuration's parameters.
    ///
    /// - Parameters:
    ///   - name: a parameter's name in the file.
    ///   - isTheirs: whether a tensor of that name must be one of the parameters.
    init(
        _ file: Safetensors, _ configuration: Configuration, path: String, name: (ParameterLayout.Entry) -> String,
        isTheirs: (String) -> Bool
    ) throws(FileError) {
        layout = ParameterLayout(configuration)
        self.path = path
        var tensors: [Safetensors.Tensor] = []
        var names: Set<String> = []
        var found: ScalarType?
        for entry in layout.entries {
            let name = name(entry)
            guard let tensor = file.tensors[name] else {
                throw FileError(path: path, problem: "lacks the parameter \(name)")
            }
            guard tensor.shape == entry.fileShape else {
                throw FileError(
                    path: path,
                    problem: "\(name) has shape \(tensor.shape), its configuration says \(entry.fileShape)")
            }
            guard let type = ScalarType.allCases.first(where: { $0.safetensorsName == tensor.type }),
                found ?? type == type
            else {
                throw FileError(
                    path: path, problem: "\(name) is of type \(tensor.type); all F32 or all F64 is expected")
            }
            found = type
            tensors.append(tensor)
            names.insert(name)
        }
        if let stranger = file.tensors.keys.sorted().first(where: { isTheirs($0) && !names.contains($0) }) {
            throw FileError(path: path, problem: "holds a tensor that its configuration does not know: \(stranger)")
        }
        scalarType = found! // every network has weights
        self.tensors = tensors
    }

    /// The parameters, bit for bit.
    func parameters<S: Scalar>(_: S.Type) throws(FileError) -> Parameters<S> {
        guard scalarType == S.type else {
            throw FileError(path: path, problem: "holds a network in \(scalarType.rawValue), not \(S.type.rawValue)")
        }
        var parameters = Parameters<S>(layout)
        for (entry, tensor) in zip(layout.entries, tensors) {
            let matrix = tensor.matrix(S.self)!
            parameters[entry.name] = entry.isVector ? matrix : matrix.transposed
        }
        return parameters
    }
}
