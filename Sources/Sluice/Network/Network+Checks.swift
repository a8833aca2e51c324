/// What a pass is given, compared with what the network takes: each check once, for passes to stop with and for ``InvalidValue``.
extension Network {
    /// Checks inputs and initial states from outside the program, before a pass over them.
    ///
    ///     try network.validate(x, packing, from: state)
    ///     let (outputs, final) = network.forward(x, packing, from: state)
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - packing: the lengths of the sequences.
    ///   - state: the initial states; nil: zeros.
    /// - Throws: where their shapes are not the packing's and the network's.
    public func validate(_ x: Matrix<S>, _ packing: Packing, from state: State<S>? = nil) throws(InvalidValue) {
        try InvalidValue.throwing(problem(inputs: x.view, rows: packing.rowCount))
        if let state { try validate(state, sequences: packing.sequenceCount) }
    }

    /// Checks states from outside the program.
    ///
    /// - Throws: where they are not `sequences` sequences' of this network.
    public func validate(_ state: State<S>, sequences: Int) throws(InvalidValue) {
        try InvalidValue.throwing(problem(state, sequences: sequences))
    }

    // MARK: For the passes

    /// Checks inputs and a workspace against the configuration.
    func check(_ x: MatrixView<S>, _ workspace: Workspace<S>) {
        require(
            workspace.configuration == configuration,
            "a workspace of another configuration: of \(workspace.configuration.words), not of \(configuration.words)")
        check(x, workspace.packing)
    }

    /// Checks inputs against a batch.
    func check(_ x: MatrixView<S>, _ packing: Packing) {
        require(noProblem: problem(inputs: x, rows: packing.rowCount))
    }

    /// Checks something of the outputs' shape.
    func checkOutputs(_ outputs: Matrix<S>, _ packing: Packing, _ name: String) {
        let rows = configuration.outputRowCount(packing)
        require(
            outputs.rows == rows && outputs.columns == configuration.outputSize,
            "\(name) of \(outputs.rows) x \(outputs.columns) for outputs of \(rows) x \(configuration.outputSize)")
    }

    /// Checks states against the configuration.
    func check(_ state: State<S>, sequences: Int) { require(noProblem: problem(state, sequences: sequences)) }

    // MARK: The checks

    private func problem(inputs x: MatrixView<S>, rows: Int) -> String? {
        x.hasShape(rows, configuration.inputSize)
            ? nil : "inputs of \(x.shape) for \(rows) rows of \(configuration.inputSize) inputs"
    }

    private func problem(_ state: State<S>, sequences: Int) -> String? {
        let scans = configuration.scanCount, cells = configuration.hasCellState ? scans : 0
        if state.hidden.count != scans || state.cell.count != cells {
            return "states of \(state.hidden.count) hidden and \(state.cell.count) cell matrices for a network of "
                + "\(scans) and \(cells)"
        }
        return Self.problem("hidden", state.hidden, sequences, configuration.stateSize)
            ?? Self.problem("cell", state.cell, sequences, configuration.hiddenSize)
    }

    private static func problem(_ name: String, _ states: [Matrix<S>], _ sequences: Int, _ columns: Int) -> String? {
        for matrix in states where matrix.rows != sequences || matrix.columns != columns {
            return "\(name) states of \(matrix.rows) x \(matrix.columns) for \(sequences) sequences and "
                + "\(columns) numbers each"
        }
        return nil
    }
}
