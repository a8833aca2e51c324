import Synchronization

/// Every activation of a pass over one batch: allocated once, written by forward, read by backward.
///
/// A workspace belongs to one packing and serves one pass at a time. Passes over batches of the same packing reuse it
/// and then allocate nothing.
public final class Workspace<S: Scalar>: @unchecked Sendable {
    public let configuration: Configuration
    /// The batch's packing.
    public let packing: Packing
    /// Whether passes keep what the backward pass reads.
    let isRecording: Bool
    let shards: [ShardWorkspace<S>]
    private let isOccupied = Atomic<Bool>(false)

    /// - Parameter recording: whether passes keep what the backward pass reads (a tape of every step).
    public init(_ configuration: Configuration, _ packing: Packing, recording: Bool) {
        self.configuration = configuration
        self.packing = packing
        isRecording = recording
        shards = configuration.shards(of: packing).enumerated().map {
            ShardWorkspace(configuration, $1, recording: recording, hasOwnGradient: $0 > 0)
        }
    }

    /// Begins a pass; two at a time would write over each other.
    func occupy() {
        let wasFree = isOccupied.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        precondition(wasFree, "this workspace is in use by another pass, or by a recording that is still held")
    }

    /// Ends a pass.
    func release() { isOccupied.store(false, ordering: .releasing) }

    /// Puts the rows of a state into a buffer of every layer; nil: zeros.
    func load(_ state: State<S>?, into buffer: (LayerBuffers<S>) -> MatrixView<S>) {
        for shard in shards {
            for index in shard.layers.indices {
                let target = buffer(shard.layers[index])
                if let state {
                    target.gatherRows(shard.shard.sequences, of: state.hidden[index].view)
                } else {
                    target.fill(0)
                }
            }
        }
    }

    /// Fills a state from a buffer of every layer.
    func store(_ state: inout State<S>, from buffer: (LayerBuffers<S>) -> MatrixView<S>) {
        for index in state.hidden.indices {
            let target = state.hidden[index].mutableView()
            for shard in shards { buffer(shard.layers[index]).scatterRows(shard.shard.sequences, to: target) }
        }
    }

    /// Adds the other shards' gradients to the first's, `[1, count]`, in their order.
    func sumGradients(into first: MatrixView<S>) {
        for shard in shards.dropFirst() { first.add(shard.gradient.view) }
    }

    /// Fills a state with the final states of a pass.
    func storeFinalStates(_ state: inout State<S>) {
        for index in state.hidden.indices {
            let target = state.hidden[index].mutableView()
            for shard in shards {
                for (position, sequence) in shard.shard.sequences.enumerated() {
                    let row = shard.layers[index].finalRow(position)
                    target.rows(sequence..<sequence + 1).copy(shard.layers[index].states.rows(row..<row + 1))
                }
            }
        }
    }
}

/// The activations of one shard. Rows are the shard's own (`Shard.packing`): N rows, B sequences.
final class ShardWorkspace<S: Scalar>: @unchecked Sendable {
    let shard: Shard
    /// Whether passes keep what the backward pass reads.
    let isRecording: Bool
    /// Runs of steps that are computed together while their rows are in the cache.
    let chunks: [Range<Int>]
    let layers: [LayerBuffers<S>]
    /// [B, columns of the product with the state, the widest]
    let scratch: Matrix<S>
    /// [R, I] a chunk's inputs, where the shard is not the whole batch; R is the rows of the largest chunk.
    let inputs: Matrix<S>
    /// [R, H] the states before each step of a chunk, where its lengths differ.
    let previousStates: Matrix<S>
    /// [n, H] what the head reads: n = B of a head on the last step, else empty.
    let lastStates: Matrix<S>
    /// [n, O] the head's outputs, and their gradient; without a head they are the last layer's states.
    let outputs: Matrix<S>
    let outputGradient: Matrix<S>
    /// Which rows of the batch's output are which rows of `outputs`.
    let outputRuns: [RowRun]
    /// [1, tape columns] sums over rows.
    let biasSums: Matrix<S>
    /// [1, count] when recording: the shard's part of the parameters' gradient, in their layout. The first shard's is
    /// the batch's own.
    let gradient: Matrix<S>
    /// The shard's part of the loss.
    var loss: S = 0

    init(_ configuration: Configuration, _ shard: Shard, recording: Bool, hasOwnGradient: Bool) {
        let packing = shard.packing
        let sequences = packing.sequenceCount, hidden = configuration.hiddenSize
        let tapeColumns = configuration.cell.tapeColumns * hidden
        let chunks = packing.chunks(rowLimit: Self.chunkRows(tapeColumns: tapeColumns))
        let chunkRows = chunks.map { packing.rows(of: $0).count }.max()!
        let outputRows = configuration.head == nil ? 0 : configuration.outputRowCount(packing)

        self.shard = shard
        isRecording = recording
        self.chunks = chunks
        layers = (0..<configuration.layers).map { _ in
            LayerBuffers(
                packing: packing, hiddenSize: hidden, tapeColumns: tapeColumns,
                tapeRows: recording ? packing.rowCount : chunkRows, recording: recording)
        }
        scratch = Matrix(rows: sequences, columns: configuration.cell.recurrentGates.count * hidden)
        inputs = Matrix(rows: shard.isWhole ? 0 : chunkRows, columns: configuration.inputSize)
        previousStates = Matrix(rows: recording && !packing.isEqualLength ? chunkRows : 0, columns: hidden)
        lastStates = Matrix(rows: configuration.head?.steps == .last ? sequences : 0, columns: hidden)
        outputs = Matrix(rows: outputRows, columns: configuration.outputSize)
        outputGradient = Matrix(rows: recording ? outputRows : 0, columns: configuration.outputSize)
        outputRuns = RowRun.outputs(of: shard, steps: configuration.head?.steps ?? .all)
        biasSums = Matrix(rows: recording ? 1 : 0, columns: tapeColumns)
        gradient = Matrix(rows: recording && hasOwnGradient ? 1 : 0, columns: ParameterLayout(configuration).count)
    }

    /// Rows of a chunk: as many as keep its tape in half of a 1 MiB second-level cache, and enough for full products.
    private static func chunkRows(tapeColumns: Int) -> Int {
        max((512 << 10) / (tapeColumns * MemoryLayout<S>.stride), 256)
    }
}

/// One layer's activations in one shard.
final class LayerBuffers<S: Scalar>: @unchecked Sendable {
    let packing: Packing
    /// [B + N, H] the initial states, then the state after every step.
    let allStates: Matrix<S>
    /// [N, tape columns] when recording, else room for one chunk.
    let tape: Matrix<S>
    /// [N, H] when recording: the gradient of the states as outputs.
    let stateGradient: Matrix<S>
    /// [B, H] when recording: the gradient of the state that is carried through time.
    let carriedGradient: Matrix<S>

    init(packing: Packing, hiddenSize: Int, tapeColumns: Int, tapeRows: Int, recording: Bool) {
        self.packing = packing
        allStates = Matrix(rows: packing.sequenceCount + packing.rowCount, columns: hiddenSize)
        tape = Matrix(rows: tapeRows, columns: tapeColumns)
        stateGradient = Matrix(rows: recording ? packing.rowCount : 0, columns: hiddenSize)
        carriedGradient = Matrix(rows: recording ? packing.sequenceCount : 0, columns: hiddenSize)
    }

    /// [B, H] the initial states.
    var initialStates: MatrixView<S> { allStates.view.rows(0..<packing.sequenceCount) }

    /// [N, H] the state after every step.
    var states: MatrixView<S> {
        allStates.view.rows(packing.sequenceCount..<packing.sequenceCount + packing.rowCount)
    }

    /// The row of `states` that holds a sequence's final state.
    func finalRow(_ position: Int) -> Int { packing.rows(at: packing.lengths[position] - 1).lowerBound + position }

    /// The final states into `target`, [B, H].
    func copyFinalStates(into target: MatrixView<S>) {
        for position in 0..<packing.sequenceCount {
            let row = finalRow(position)
            target.rows(position..<position + 1).copy(states.rows(row..<row + 1))
        }
    }
}

/// Rows of a shard's matrix and the rows of the batch's matrix that they stand for.
struct RowRun {
    let shard: Range<Int>
    let batch: Range<Int>

    /// The runs of a shard's output rows.
    static func outputs(of shard: Shard, steps: Head.Steps) -> [RowRun] {
        switch steps {
        case .all where shard.isWhole:
            [RowRun(shard: 0..<shard.packing.rowCount, batch: 0..<shard.batch.rowCount)]
        case .all:
            (0..<shard.packing.stepCount).map {
                RowRun(shard: shard.packing.rows(at: $0), batch: shard.batchRows(at: $0))
            }
        case .last:
            shard.sequences.enumerated().map { RowRun(shard: $0..<$0 + 1, batch: $1..<$1 + 1) }
        }
    }
}
