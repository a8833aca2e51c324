import Sluice

/// Which tensors of a file are a network's parameters, checked one by one: every parameter is there, in its shape, of a type that
/// a scalar can be made of. The first difference is the error. Their bytes are read when the parameters are.
struct ParameterTensors: Sendable {
    private let file: SafetensorsFile
    private let layout: ParameterLayout
    /// In the order of the layout's entries.
    private let tensors: [Tensor]

    private struct Tensor: Sendable {
        let name: String
        let type: ElementType
        let range: Range<Int>
    }

    /// Finds a configuration's parameters.
    ///
    /// - Parameters:
    ///   - name: a parameter's name in the file.
    ///   - isTheirs: whether a tensor of that name must be one of the parameters.
    init(
        _ file: SafetensorsFile, _ configuration: Configuration, name: (ParameterLayout.Entry) -> String,
        isTheirs: (String) -> Bool
    ) throws(FileError) {
        func error(_ problem: String) -> FileError { FileError(path: file.path, problem: problem) }
        self.file = file
        layout = ParameterLayout(configuration)
        var tensors: [Tensor] = []
        tensors.reserveCapacity(layout.entries.count)
        var names: Set<String> = []
        for entry in layout.entries {
            let name = name(entry)
            guard let tensor = file.header.entries[name] else { throw error("lacks the parameter \(name.inOneLine())") }
            guard tensor.shape == entry.fileShape else {
                throw error(
                    "\(name.inOneLine()) has shape \(shapeText(tensor.shape)), its configuration says \(entry.fileShape)"
                )
            }
            guard let type = ElementType(rawValue: tensor.type) else {
                throw error(
                    "\(name.inOneLine()) is of type \(tensor.type.inOneLine(limit: 20)); F16, BF16, F32 or F64 is needed"
                )
            }
            tensors.append(Tensor(name: name, type: type, range: tensor.range))
            names.insert(name)
        }
        if let stranger = file.header.entries.keys.filter({ isTheirs($0) && !names.contains($0) }).min() {
            throw error("holds a tensor that its configuration does not know: \(stranger.inOneLine())")
        }
        self.tensors = tensors
    }

    /// The smallest scalar that holds all of them exactly.
    var scalarType: ScalarType { tensors.contains { $0.type.scalarType == .double } ? .double : .float }

    /// Reads the parameters, bit for bit, or converting elements of other types.
    func parameters<S: Scalar>(_: S.Type, converting: Bool) throws(FileError) -> Parameters<S> {
        let own = ElementType(S.type)
        if !converting, let other = tensors.first(where: { $0.type != own }) {
            throw error(
                "\(other.name.inOneLine()) is of type \(other.type.rawValue), and \(S.type.rawValue) is "
                    + "\(own.rawValue); with `converting: true` it opens")
        }
        // A few bytes of header can claim sizes that no machine holds.
        if let problem = Memory.problem(ofBytes: Double(layout.count) * Double(own.size)) { throw error(problem) }
        var parameters = Parameters<S>(layout)
        var reader = SequentialReader(file)
        // In the order of the file.
        for index in tensors.indices.sorted(by: { tensors[$0].range.lowerBound < tensors[$1].range.lowerBound }) {
            try read(tensors[index], layout.entries[index], with: &reader, into: &parameters.values)
        }
        return parameters
    }

    /// The bytes that are read at once.
    static let chunk = 1 << 20

    /// Reads a tensor, some rows of the file at a time, into its place among all values.
    @specialized(where S == Float)
    @specialized(where S == Double)
    private func read<S: Scalar>(
        _ tensor: Tensor, _ entry: ParameterLayout.Entry, with reader: inout SequentialReader,
        into values: inout Matrix<S>
    ) throws(FileError) {
        // In the file a matrix is transposed, and a vector one row.
        let rows = entry.isVector ? 1 : entry.columns, width = entry.isVector ? entry.columns : entry.rows
        let rowBytes = width * tensor.type.size
        let rowsAtOnce = max(1, Self.chunk / max(rowBytes, 1))
        for first in stride(from: 0, to: rows, by: rowsAtOnce) {
            let count = min(rowsAtOnce, rows - first)
            let start = tensor.range.lowerBound + first * rowBytes
            let bytes = try reader.read(start..<start + count * rowBytes)
            guard let elements = elements(bytes, tensor.type, as: S.self) else {
                throw error("\(tensor.name.inOneLine()) holds a number beyond the largest \(S.type.rawValue)")
            }
            values.withMutableSpan { values in
                for column in 0..<width {
                    let place = entry.offset + column * rows + first
                    for row in 0..<count { values[place + row] = elements[row * width + column] }
                }
            }
        }
    }

    private func error(_ problem: String) -> FileError { FileError(path: file.path, problem: problem) }
}
