import Sluice

extension MisuseTests {
    // MARK: Passes

    static let passes: [Misuse] = [
        Misuse("parameters of another network", "weight_ih_l0 of 3 x 20 where there is weight_ih_l0 of 3 x 15") {
            _ = Network(configuration(), network(configuration(.lstm)).parameters)
        },
        Misuse("parameters of a network with a head", "6 matrices and vectors where there are 4") {
            _ = Network(configuration(head: nil), network().parameters)
        },
        Misuse("parameters put into another network", "weight_ih_l0 of 3 x 20 where there is weight_ih_l0 of 3 x 15") {
            var network = Self.network()
            network.parameters = Self.network(configuration(.lstm)).parameters
        },
        Misuse("inputs of another width", "inputs of 6 x 2 for 6 rows of 3 inputs") {
            _ = network().forward(Matrix(rows: 6, columns: 2), packing)
        },
        Misuse("inputs of another batch", "inputs of 5 x 3 for 6 rows of 3 inputs") {
            _ = network().record(Matrix(rows: 5, columns: 3), packing)
        },
        Misuse("states of another network", "states of 1 hidden and 1 cell matrices for a network of 1 and 0") {
            _ = network().forward(x, packing, from: State(configuration(.lstm), sequences: 3))
        },
        Misuse("states that are none", "states of 0 hidden and 0 cell matrices for a network of 1 and 0") {
            var state = State<Double>(configuration(), sequences: 3)
            state.hidden = []
            _ = network().record(x, packing, from: state)
        },
        Misuse("cell states of another shape", "cell states of 3 x 4 for 3 sequences and 5 numbers each") {
            var state = State<Double>(configuration(.lstm), sequences: 3)
            state.cell[0] = Matrix(rows: 3, columns: 4)
            _ = network(configuration(.lstm)).forward(x, packing, from: state)
        },
        Misuse("states of other sequences", "hidden states of 2 x 5 for 3 sequences and 5 numbers each") {
            _ = network().forward(x, packing, from: State(configuration(), sequences: 2))
        },
        Misuse(
            "workspace of another network",
            "of lstm.standard, 3 inputs, 1 forward layers of 5, 2 outputs of all, not of gru"
        ) {
            let other = Workspace<Double>(configuration(.lstm), packing, recording: false)
            var state = State<Double>(configuration(), sequences: 3), outputs = Matrix<Double>(rows: 6, columns: 2)
            network().forward(x, in: other, state: &state, into: &outputs)
        },
        Misuse("workspace that leaves out", "a workspace with a regularisation for a pass that leaves nothing out") {
            let workspace = Workspace<Double>(
                configuration(), packing, recording: true, regularization: Regularization(inputDropout: 0.5))
            var state = State<Double>(configuration(), sequences: 3), outputs = Matrix<Double>(rows: 6, columns: 2)
            network().forward(x, in: workspace, state: &state, into: &outputs)
        },
        Misuse("outputs of another shape", "room of 6 x 3 for outputs of 6 x 2") {
            let workspace = Workspace<Double>(configuration(), packing, recording: false)
            var state = State<Double>(configuration(), sequences: 3), outputs = Matrix<Double>(rows: 6, columns: 3)
            network().forward(x, in: workspace, state: &state, into: &outputs)
        },
        Misuse("recording in a workspace for inference", "this workspace was made for passes without recording") {
            _ = network().record(x, in: Workspace(configuration(), packing, recording: false))
        },
        Misuse("gradient of other outputs", "a gradient of 3 x 2 for outputs of 6 x 2") {
            backward(outputs: Matrix(rows: 3, columns: 2))
        },
        Misuse("gradient of other states", "hidden states of 3 x 6 for 3 sequences and 5 numbers each") {
            var state = State<Double>(configuration(), sequences: 3)
            state.hidden[0] = Matrix(rows: 3, columns: 6)
            backward(state: state)
        },
        Misuse("gradients of another network", "weight_ih_l0 of 3 x 5 where there is weight_ih_l0 of 3 x 15") {
            backward(into: Gradients(configuration(.rnn(.tanh)), packing))
        },
        Misuse("gradients of as many parameters", "weight_ih_l0 of 2 x 6 where there is weight_ih_l0 of 8 x 4") {
            func configuration(_ inputs: Int, _ hidden: Int) -> Configuration {
                Configuration(cell: .rnn(.tanh), inputSize: inputs, hiddenSize: hidden, biases: Biases.none)
            }
            // 8 4 + 4 4 = 2 6 + 6 6
            var gradients = Gradients<Double>(configuration(8, 4), Packing(sequences: 1, steps: 1))
            gradients.parameters = Parameters(ParameterLayout(configuration(2, 6)))
            network(configuration(8, 4)).record(Matrix(rows: 1, columns: 8), Packing(sequences: 1, steps: 1))
                .backward(outputs: Matrix(rows: 1, columns: 4), into: &gradients)
        },
        Misuse("gradients whose values are of another shape", "values of 1 x 3 for parameters of 1 x 162") {
            var gradients = Gradients<Double>(configuration(), packing)
            gradients.parameters.values = Matrix(rows: 1, columns: 3)
            backward(into: gradients)
        },
        Misuse("room for the gradient of other inputs", "room of 6 x 2 for the gradient of inputs of 6 x 3") {
            var gradients = Gradients<Double>(configuration(), packing)
            gradients.inputs = Matrix(rows: 6, columns: 2)
            backward(into: gradients)
        },
        Misuse(
            "room for the gradient of other states", "states of 0 hidden and 0 cell matrices for a network of 1 and 0"
        ) {
            var gradients = Gradients<Double>(configuration(), packing)
            gradients.initialState.hidden = []
            backward(into: gradients)
        },
        Misuse("two recordings in one workspace", "this workspace is in use by another pass, or by a recording") {
            let network = Self.network(), workspace = Workspace<Double>(configuration(), packing, recording: true)
            let first = network.record(x, in: workspace), second = network.record(x, in: workspace)
            _ = first.outputs
            _ = second.outputs
        },
        Misuse("summary of segments without steps", "checkpointing by segments of 0 steps; at least 1 is needed") {
            _ = network().summary(for: packing, checkpointing: .steps(0))
        },
    ]

    private static func backward(
        outputs: Matrix<Double> = Matrix(rows: 6, columns: 2), state: State<Double>? = nil,
        into gradients: Gradients<Double> = Gradients(configuration(), packing)
    ) {
        var gradients = gradients
        network().record(x, packing).backward(outputs: outputs, state: state, into: &gradients)
    }

    // MARK: Streams

    static let streams: [Misuse] =
        [
            Misuse("stream of no sequences", "a stream of 0 sequences; 1 to 2147483647 are possible") {
                _ = StreamingNetwork(network(), sequences: 0)
            },
            Misuse("stream that looks ahead", "a stream of a network whose direction is bidirectional") {
                _ = StreamingNetwork(network(configuration(direction: .bidirectional)))
            },
            Misuse("inputs of another stream", "inputs of 2 x 3 for 1 sequences of 3 inputs") {
                step(Matrix(rows: 2, columns: 3))
            },
            Misuse("states of another stream", "hidden states of 2 x 5 for 1 sequences and 5 numbers each") {
                StreamingNetwork(network()).state = State(configuration(), sequences: 2)
            },
            Misuse("reset of another stream's sequence", "sequence 1 of a stream of 1") {
                StreamingNetwork(network()).reset(sequence: 1)
            },
        ]
        // Too wide, too high, too narrow, none: with a head and without.
        + [(1, 4_000), (5, 2), (1, 1), (0, 2), (2, 1)].map { rows, columns in
            Misuse("room of \(rows) x \(columns)", "room of \(rows) x \(columns) for 1 sequences of 2 outputs") {
                step(into: Matrix(rows: rows, columns: columns))
            }
        }
        + [
            Misuse("room of a stream without a head", "room of 1 x 2 for 1 sequences of 5 outputs") {
                step(into: Matrix(rows: 1, columns: 2), configuration(head: nil))
            }
        ]

    private static func step(
        _ x: Matrix<Double> = Matrix(rows: 1, columns: 3), into outputs: Matrix<Double> = Matrix(rows: 1, columns: 2),
        _ configuration: Configuration = configuration()
    ) {
        var outputs = outputs
        StreamingNetwork(network(configuration)).step(x, into: &outputs)
    }
}
