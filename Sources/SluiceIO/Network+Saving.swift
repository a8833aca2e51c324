import Sluice

extension Network {
    /// Saves the configuration and the parameters, bit for bit.
    ///
    /// What `nn.GRU`, `nn.LSTM` and `nn.RNN` of PyTorch know too, `load_state_dict` takes from the file as it is; the head is
    /// there as `head.weight` and `head.bias`.
    ///
    /// - Parameters:
    ///   - path: the file; one that is there is replaced.
    ///   - metadata: text to keep with them.
    /// - Throws: where the file cannot be written, and for a network that could not be opened again, such as one of more layers than
    ///   a file may hold.
    public func save(to path: String, metadata: [String: String] = [:]) throws(FileError) {
        let file = try AtomicFile(replacing: path)
        try write(to: file, path, metadata: metadata)
        try AtomicFile.commit([file])
    }

    /// Writes what ``save(to:metadata:)`` saves; `path` is for errors.
    package func write(
        to file: AtomicFile, _ path: String, metadata: [String: String]
    ) throws(FileError) {
        if let problem = configuration.problem { throw FileError(path: path, problem: "cannot hold \(problem)") }
        let entries = parameters.layout.entries.sorted { $0.name < $1.name }
        let size = MemoryLayout<S>.size
        var metadata = metadata
        metadata[ModelFile.configurationKey] = configuration.json
        let header = SafetensorsHeader(
            entries.map { ($0.name, S.type.safetensorsName, $0.fileShape, $0.range.count * size) }, metadata: metadata)
        try file.write(header.bytes(for: path))
        for entry in entries { try Self.write(entry, of: parameters.values, to: file) }
    }

    /// Writes a parameter as it lies in files, some rows at a time.
    @specialized(where S == Float)
    @specialized(where S == Double)
    private static func write(
        _ entry: ParameterLayout.Entry, of values: Matrix<S>, to file: AtomicFile
    ) throws(FileError) {
        let rows = entry.isVector ? 1 : entry.columns, width = entry.isVector ? entry.columns : entry.rows
        let rowsAtOnce = max(1, ParameterTensors.chunk / max(width * MemoryLayout<S>.size, 1))
        for first in stride(from: 0, to: rows, by: rowsAtOnce) {
            let count = min(rowsAtOnce, rows - first)
            var elements = [S](repeating: 0, count: count * width)
            values.withSpan { values in
                for column in 0..<width {
                    let place = entry.offset + column * rows + first
                    for row in 0..<count { elements[row * width + column] = values[place + row] }
                }
            }
            try file.write(elements: elements)
        }
    }
}
