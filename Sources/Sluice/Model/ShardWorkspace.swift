/// The activations of one shard. Rows are the shard's own (`Shard.packing`): N rows, B sequences.
final class ShardWorkspace<S: Scalar>: @unchecked Sendable {
    let shard: Shard
    let purpose: Purpose
    let runs: ShardRuns
    let layers: [LayerBuffers<S>]
    /// [B, columns of the product with the state, the widest]
    let scratch: MatrixView<S>
    /// [R, I] a chunk's inputs, where the shard is not the whole batch; R is the rows of the largest chunk.
    let inputs: MatrixView<S>
    /// [R, H] the states before each step of a chunk, where its lengths differ.
    let previousStates: MatrixView<S>
    /// [n, H] what the head reads: n = B of a head on the last step, else empty.
    let lastStates: MatrixView<S>
    /// [n, O] the head's outputs, and when recording their gradient.
    let outputs: MatrixView<S>
    let outputGradient: MatrixView<S>
    /// [1, tape columns] when recording: sums over rows.
    let biasSums: MatrixView<S>
    /// [1, count] when recording: the shard's part of the parameters' gradient, in their layout. The first shard's is
    /// the batch's own.
    let gradient: MatrixView<S>
    /// What the views lie in.
    var memory: Matrix<S>?

    init(
        _ configuration: Configuration, _ runs: ShardRuns, _ shard: Shard, _ purpose: Purpose, hasOwnGradient: Bool,
        _ arena: inout Arena<S>
    ) {
        let packing = shard.packing
        let sequences = packing.sequenceCount, hidden = configuration.hiddenSize
        let outputRows = configuration.head == nil ? 0 : configuration.outputRowCount(packing)

        self.shard = shard
        self.runs = runs
        self.purpose = purpose
        let recording = purpose.isRecording
        layers = (0..<configuration.layers).map { layer in
            let isOutput = configuration.head == nil && layer == configuration.layers - 1
            return LayerBuffers(packing, configuration, runs, isOutput: isOutput, purpose, &arena)
        }
        scratch = arena.matrix(rows: sequences, columns: configuration.cell.recurrentGates.count * hidden)
        inputs = arena.matrix(rows: shard.isWhole ? 0 : runs.chunkRows, columns: configuration.inputSize)
        previousStates = arena.matrix(
            rows: recording && !packing.isEqualLength ? runs.chunkRows : 0, columns: hidden)
        lastStates = arena.matrix(rows: configuration.head?.steps == .last ? sequences : 0, columns: hidden)
        outputs = arena.matrix(rows: outputRows, columns: configuration.outputSize)
        outputGradient = arena.matrix(rows: recording ? outputRows : 0, columns: configuration.outputSize)
        biasSums = arena.matrix(rows: recording ? 1 : 0, columns: configuration.cell.tapeColumns * hidden)
        gradient = arena.matrix(
            rows: recording && hasOwnGradient ? 1 : 0, columns: ParameterLayout(configuration).count)
    }
}

/// One layer's activations in one shard.
struct LayerBuffers<S: Scalar>: Sendable {
    /// [N, H] when recording: the initial states, and behind them all states but the last step's. With equal lengths these
    /// are the states before each step, in the rows of the steps: one factor of U's gradient.
    let statesBefore: MatrixView<S>
    /// [N, H] the state after every step. Empty where inference writes them as the network's outputs at once.
    let states: MatrixView<S>
    /// [N, tape columns] when recording, else room for one chunk.
    let tape: MatrixView<S>
    /// [N, H] when recording: the gradient of the states, as far as it comes from above. Empty where the caller gives that
    /// of the network's outputs.
    let stateGradient: MatrixView<S>

    init(
        _ packing: Packing, _ configuration: Configuration, _ runs: ShardRuns, isOutput: Bool, _ purpose: Purpose,
        _ arena: inout Arena<S>
    ) {
        let hidden = configuration.hiddenSize, recording = purpose.isRecording
        let sequences = recording ? packing.sequenceCount : 0
        let rows = isOutput && purpose == .inference ? 0 : packing.rowCount
        let all = arena.matrix(rows: sequences + rows, columns: hidden)
        statesBefore = all.rows(0..<(recording ? rows : 0))
        states = all.rows(sequences..<sequences + rows)
        tape = arena.matrix(
            rows: recording ? packing.rowCount : runs.chunkRows, columns: configuration.cell.tapeColumns * hidden)
        let hasGradient = recording && !(isOutput && purpose == .recording)
        stateGradient = arena.matrix(rows: hasGradient ? packing.rowCount : 0, columns: hidden)
    }
}

/// How a shard's steps and rows are run through.
struct ShardRuns: Sendable {
    /// The rows of each step.
    let steps: [RowRun]
    /// Runs of steps that are computed together while their rows are in the cache.
    let chunks: [Range<Int>]
    /// The rows of the largest.
    let chunkRows: Int
    /// Which rows of the batch's output are which rows of the shard's.
    let outputs: [RowRun]

    /// The shard's rows of some steps.
    func rows(of steps: Range<Int>) -> Range<Int> {
        self.steps[steps.lowerBound].shard.lowerBound..<self.steps[steps.upperBound - 1].shard.upperBound
    }

    init<S: Scalar>(_ configuration: Configuration, _ shard: Shard, scalar: S.Type) {
        steps = (0..<shard.packing.stepCount).map {
            RowRun(shard: shard.packing.rows(at: $0), batch: shard.batchRows(at: $0))
        }
        // As many rows as keep their tape in half of a 1 MiB second-level cache, and enough for full products.
        let tapeBytes = configuration.cell.tapeColumns * configuration.hiddenSize * MemoryLayout<S>.stride
        chunks = shard.packing.chunks(rowLimit: max((512 << 10) / tapeBytes, 256))
        chunkRows = chunks.map { shard.packing.rows(of: $0).count }.max()!
        outputs =
            configuration.head?.steps == .last
            ? shard.sequences.enumerated().map { RowRun(shard: $0..<$0 + 1, batch: $1..<$1 + 1) }
            : shard.isWhole ? [RowRun(shard: 0..<shard.packing.rowCount, batch: 0..<shard.packing.rowCount)] : steps
    }
}

/// Rows of a shard's matrix and the rows of the batch's matrix that they stand for.
struct RowRun: Sendable {
    let shard: Range<Int>
    let batch: Range<Int>
}
