/// A network fed one step at a time, for one or many sequences, its state kept from step to step.
///
///     let stream = Stream(network, sequences: 1)
///     stream.step(x, into: &outputs)                 // [1, I] -> [1, O]
///
/// A step allocates nothing, takes no lock and makes no system call. It gives what a whole batch would: the same bits where the
/// products have the same shapes, else to a few units in the last place. A stream belongs to one thread at a time.
public final class Stream<S: Scalar> {
    public let network: Network<S>
    /// B, the number of sequences.
    public let sequenceCount: Int
    private let workspace: Workspace<S>

    /// A stream from zero states.
    public init(_ network: Network<S>, sequences: Int = 1) {
        require(
            network.configuration.direction == .forward,
            "a stream of a network whose direction is \(network.configuration.direction.rawValue): its outputs depend on "
                + "later steps; only a forward network can be stepped")
        self.network = network
        sequenceCount = sequences
        workspace = Workspace(network.configuration, Packing(sequences: sequences, steps: 1), .inference)
        workspace.occupy(threads: 1)
        network.packed.prepare(network.parameters, for: workspace)
        network.backend.beginOneThreadEach()
    }

    deinit { network.backend.endOneThreadEach() }

    /// One step of every sequence.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[B, I]`.
    ///   - outputs: `[B, O]`, overwritten.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func step(_ x: Matrix<S>, into outputs: inout Matrix<S>) {
        network.check(x, workspace)
        network.checkOutputs(outputs, workspace.packing, "room")
        let target = outputs.mutableView(), pass = network.pass(x.view, workspace)
        for index in workspace.shards.indices { pass.shard(index, thread: 0).forward(into: target) }
    }

    /// The states, to be kept, changed or put back; a copy.
    public var state: State<S> {
        get {
            var state = State<S>(network.configuration, sequences: sequenceCount)
            workspace.store(workspace.states, into: &state)
            return state
        }
        set {
            network.check(newValue, workspace.packing)
            workspace.load(newValue, into: workspace.states)
        }
    }

    /// Sets the states of one sequence to zero.
    public func reset(sequence: Int) {
        require(sequence >= 0 && sequence < sequenceCount, "sequence \(sequence) of \(sequenceCount)")
        for states in workspace.states.hidden + workspace.states.cell { states.view.row(sequence).fill(0) }
    }
}
