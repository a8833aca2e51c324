/// What no network can have. The one place that says so: initialiser, decoder, parameter layout, workspaces and files ask here.
extension Configuration {
    /// Why there is no network of this configuration, in one sentence that names the field; nil: there is.
    ///
    /// Possible are 1 to 16,777,216 inputs and outputs of the head, 1 to 1,048,576 hidden units, 1 to 4,096 layers, in
    /// networks of up to 2^40 parameters. Whether this machine has the memory is another matter:
    /// ``ParameterLayout/count`` tells how many parameters there are before any is made.
    public var problem: String? {
        for (name, size, limit) in [
            ("inputSize", inputSize, 1 << 24), ("hiddenSize", hiddenSize, 1 << 20), ("layers", layers, 1 << 12),
        ] where size < 1 || size > limit {
            return "\(name) \(size); 1 to \(limit) is possible"
        }
        return projectionProblem ?? head.flatMap { Head.problem(outputSize: $0.outputSize) } ?? sizeProblem
    }

    /// Checks a configuration that comes from outside the program.
    ///
    /// - Throws: the words of ``problem``.
    public func validate() throws(InvalidValue) { try InvalidValue.throwing(problem) }

    private var projectionProblem: String? {
        guard let projectionSize else { return nil }
        if !cell.canProject {
            return "projectionSize \(projectionSize) of a \(cell), which has no projection: only an LSTM has one"
        }
        if projectionSize >= 1 && projectionSize < hiddenSize { return nil }
        return hiddenSize == 1
            ? "projectionSize \(projectionSize) of 1 hidden unit, which cannot be projected to fewer"
            : "projectionSize \(projectionSize) of \(hiddenSize) hidden units; 1 to \(hiddenSize - 1) is possible"
    }

    private var sizeProblem: String? {
        let count = parameterCount
        return count > 1 << 40
            ? "a network of \(count) parameters (inputSize \(inputSize), hiddenSize \(hiddenSize), layers \(layers)); "
                + "at most \(1 << 40) is possible"
            : nil
    }

    /// The parameters of a network whose sizes are possible, each for itself: fewer than 2^60.
    var parameterCount: Int {
        let shape = cellShape, gates = shape.gateCount * hiddenSize
        let biases = layerBiases == .both ? 2 : layerBiases == .input ? 1 : 0
        let vectors = shape.vectors.reduce(0) { $0 + $1.count }
        let scan = gates * (stateSize + biases) + (projectionSize ?? 0) * hiddenSize + vectors
        let inputs = inputSize + (layers - 1) * layerOutputSize
        let head = head.map { $0.outputSize * (layerOutputSize + 1) } ?? 0
        return direction.count * (gates * inputs + layers * scan) + head
    }

    /// What tells it from others, for messages.
    var words: String {
        "\(cell), \(inputSize) inputs, \(layers) \(direction.rawValue) layers of \(hiddenSize)"
            + (projectionSize.map { " projected to \($0)" } ?? "")
            + (head.map { ", \($0.outputSize) outputs of \($0.steps.rawValue)" } ?? "")
    }
}

extension Head {
    static func problem(outputSize: Int) -> String? {
        outputSize >= 1 && outputSize <= 1 << 24
            ? nil : "head.outputSize \(outputSize); 1 to \(1 << 24) is possible"
    }
}
