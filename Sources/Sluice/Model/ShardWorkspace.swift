/// The activations of one shard. Rows are the shard's own (`Shard.packing`): N rows, B sequences; where time is cut in
/// segments, N is the rows of the largest, and each takes the place of the one before.
///
/// A scan's matrices have its rows in the order in which it comes to them: time's, or back from each sequence's end. A
/// layer's have them in time's order.
final class ShardWorkspace<S: Scalar>: @unchecked Sendable {
    let shard: Shard
    let purpose: Purpose
    let runs: ShardRuns
    /// By layer and direction.
    let scans: [ScanBuffers<S>]
    /// By layer; empty where layers run forward only: there a scan's matrices are the layer's.
    let layers: [LayerBuffers<S>]
    /// By direction: what the scans of a direction need one after another.
    let scratch: [ScanScratch<S>]
    /// [B, out] what a head reads that sums a sequence up, and when recording its gradient.
    let summary: MatrixView<S>
    let summaryGradient: MatrixView<S>
    /// [B, out] when recording, for a head on the largest values: the step at which each was met first.
    let largestSteps: LargestSteps<S>?
    /// [1, chunks] in training and evaluation: each chunk's part of the loss, as its order in time must not depend on who
    /// computes it when.
    let losses: MatrixView<S>
    /// [n, O] the head's outputs, and when recording their gradient.
    let outputs: MatrixView<S>
    let outputGradient: MatrixView<S>
    /// [1, count] when recording: the shard's part of the parameters' gradient, in their layout. The first shard's is
    /// the batch's own.
    let gradient: MatrixView<S>
    /// What the views lie in.
    var memory: Matrix<S>?

    init(
        _ configuration: Configuration, _ runs: ShardRuns, _ shard: Shard, _ purpose: Purpose,
        _ regularization: Regularization, hasOwnGradient: Bool, _ arena: inout Arena<S>
    ) {
        let packing = shard.packing, width = configuration.layerOutputSize
        let recording = purpose.isRecording
        let isForward = configuration.direction == .forward
        let outputRows =
            configuration.head == nil ? 0 : configuration.isSummedUp ? packing.sequenceCount : runs.segmentRows
        let summaryRows = configuration.isSummedUp ? packing.sequenceCount : 0

        self.shard = shard
        self.runs = runs
        self.purpose = purpose
        scans = (0..<configuration.scanCount).map {
            ScanBuffers(packing, configuration, scan: $0, runs, purpose, regularization, &arena)
        }
        layers = (0..<(isForward ? 0 : configuration.layers)).map { _ in
            LayerBuffers(
                output: arena.matrix(rows: runs.segmentRows, columns: width),
                outputGradient: arena.matrix(rows: recording ? runs.segmentRows : 0, columns: width))
        }
        scratch = (0..<configuration.direction.count).map { _ in
            ScanScratch(shard, configuration, runs, purpose, regularization, &arena)
        }
        summary = arena.matrix(rows: summaryRows, columns: width)
        summaryGradient = arena.matrix(rows: recording ? summaryRows : 0, columns: width)
        largestSteps =
            recording && configuration.head?.steps == .max
            ? LargestSteps(
                arena.matrix(rows: summaryRows, columns: LargestSteps<S>.scalars(columns: width)), columns: width)
            : nil
        losses = arena.matrix(rows: purpose.hasLoss ? 1 : 0, columns: runs.chunkCount)
        outputs = arena.matrix(rows: outputRows, columns: configuration.outputSize)
        outputGradient = arena.matrix(rows: recording ? outputRows : 0, columns: configuration.outputSize)
        gradient = arena.matrix(
            rows: recording && hasOwnGradient ? 1 : 0, columns: ParameterLayout(configuration).count)
    }
}

/// The activations of one layer in one direction, in the order of the scan.
struct ScanBuffers<S: Scalar>: Sendable {
    /// [N, P] when recording: the initial states, and behind them all states but the last step's. With equal lengths these
    /// are the states before each step, in the rows of the steps: one factor of U's gradient.
    let statesBefore: MatrixView<S>
    /// [N, P] the state after every step. Empty where inference writes them as the network's outputs at once.
    let states: MatrixView<S>
    /// [B, H] when recording, in cells that have them: the cell states before the first step.
    let initialCells: MatrixView<S>
    /// [N, H] the cell states after every step, where zoneout makes them others than the tape's.
    let zonedCells: MatrixView<S>
    /// [N, tape columns] when recording, else room for one chunk.
    let tape: MatrixView<S>
    /// [N, P] when recording: the gradient of the states, as far as it comes from above. Empty where the caller gives that
    /// of the network's outputs.
    let stateGradient: MatrixView<S>
    /// [N, I] when recording, of a layer's second direction: its part of the inputs' gradient.
    let inputGradient: MatrixView<S>
    /// [1, vector columns] when recording: the gradients of biases and vectors.
    let vectorSums: MatrixView<S>
    /// [kept, P] and, in cells that have them, [kept, H]: the states before each segment that is computed again.
    let keptStates: MatrixView<S>
    let keptCells: MatrixView<S>

    init(
        _ packing: Packing, _ configuration: Configuration, scan: Int, _ runs: ShardRuns, _ purpose: Purpose,
        _ regularization: Regularization, _ arena: inout Arena<S>
    ) {
        let layer = scan / configuration.direction.count, isSecond = scan % configuration.direction.count == 1
        let shape = configuration.cellShape
        let recording = purpose.isRecording
        let isOutput =
            configuration.head == nil && configuration.direction == .forward && layer == configuration.layers - 1
        let sequences = recording ? packing.sequenceCount : 0
        let rows = isOutput && purpose == .inference ? 0 : runs.segmentRows
        let all = arena.matrix(rows: sequences + rows, columns: configuration.stateSize)
        statesBefore = all.rows(0..<(recording ? rows : 0))
        states = all.rows(sequences..<sequences + rows)
        initialCells = arena.matrix(
            rows: shape.cellColumns == nil ? 0 : sequences, columns: configuration.hiddenSize)
        zonedCells = arena.matrix(
            rows: regularization.cellZoneout > 0 ? runs.segmentRows : 0, columns: configuration.hiddenSize)
        tape = arena.matrix(rows: recording ? runs.segmentRows : runs.chunkRows, columns: shape.tapeColumns)
        let hasGradient = recording && !(isOutput && purpose == .recording)
        stateGradient = arena.matrix(rows: hasGradient ? runs.segmentRows : 0, columns: configuration.stateSize)
        inputGradient = arena.matrix(
            rows: recording && isSecond ? runs.segmentRows : 0, columns: configuration.inputSize(ofLayer: layer))
        vectorSums = arena.matrix(rows: recording ? 1 : 0, columns: shape.vectorColumns)
        keptStates = arena.matrix(rows: runs.keptRows, columns: configuration.stateSize)
        keptCells = arena.matrix(
            rows: shape.cellColumns == nil ? 0 : runs.keptRows, columns: configuration.hiddenSize)
    }
}

/// One layer's outputs where it is not a single scan forward, in time's order.
struct LayerBuffers<S: Scalar>: Sendable {
    /// [N, out]
    let output: MatrixView<S>
    /// [N, out] when recording.
    let outputGradient: MatrixView<S>
}

/// What the scans of one direction need one after another.
struct ScanScratch<S: Scalar>: Sendable {
    /// [B, columns] products of a step on their way.
    let step: MatrixView<S>
    /// [R, I] a chunk's inputs, where they must be gathered or some are dropped; R is the rows of the largest chunk, I the widest.
    let inputs: MatrixView<S>
    /// [R, P] the states before each step of a chunk, where its lengths differ or some states are dropped.
    let previousStates: MatrixView<S>
    let masks: MaskBuffers<S>

    init(
        _ shard: Shard, _ configuration: Configuration, _ runs: ShardRuns, _ purpose: Purpose,
        _ regularization: Regularization, _ arena: inout Arena<S>
    ) {
        let shape = configuration.cellShape, recording = purpose.isRecording
        let isForward = configuration.direction == .forward
        let gathered = isForward ? shard.isWhole ? 0 : configuration.inputSize : configuration.widestInput
        let inputColumns = regularization.masksInputs ? configuration.widestInput : gathered
        let drops = regularization.recurrentDropout > 0
        step = arena.matrix(rows: shard.packing.sequenceCount, columns: shape.scratchColumns)
        inputs = arena.matrix(rows: inputColumns == 0 ? 0 : runs.chunkRows, columns: inputColumns)
        previousStates = arena.matrix(
            rows: recording && (drops || !shard.packing.isEqualLength) ? runs.chunkRows : 0,
            columns: configuration.stateSize)
        masks = MaskBuffers(configuration, regularization, sequences: shard.packing.sequenceCount, &arena)
    }
}

/// What the masks of a scan need; each empty where there is no such mask.
struct MaskBuffers<S: Scalar>: Sendable {
    /// [B, I] and [B, P] the masks that are the same at all steps; I is that of the widest layer.
    let inputMask: MatrixView<S>
    let recurrentMask: MatrixView<S>
    /// [1, n] one row's mask at one step.
    let row: MatrixView<S>
    /// [B, P] the states that U's products read at a step, and their gradient.
    let recurrent: MatrixView<S>
    let recurrentGradient: MatrixView<S>
    /// [B, P] and [B, H] the part of a step's gradients that goes to the states before it as they are.
    let keptGradient: MatrixView<S>
    let keptCellGradient: MatrixView<S>

    init(
        _ configuration: Configuration, _ regularization: Regularization, sequences: Int, _ arena: inout Arena<S>
    ) {
        func matrix(_ rate: Double, _ columns: Int) -> MatrixView<S> {
            arena.matrix(rows: rate > 0 ? sequences : 0, columns: columns)
        }
        let state = configuration.stateSize, hidden = configuration.hiddenSize
        inputMask = matrix(regularization.inputDropout, configuration.widestInput)
        recurrentMask = matrix(regularization.recurrentDropout, state)
        row = arena.matrix(
            rows: regularization.dropout > 0 || regularization.zonesOut ? 1 : 0,
            columns: max(configuration.widestInput, hidden))
        recurrent = matrix(regularization.recurrentDropout, state)
        recurrentGradient = matrix(regularization.recurrentDropout, state)
        keptGradient = matrix(regularization.zoneout, state)
        keptCellGradient = matrix(regularization.cellZoneout, hidden)
    }
}

extension Configuration {
    /// The inputs of the layer that has the most.
    fileprivate var widestInput: Int { layers > 1 ? max(inputSize, layerOutputSize) : inputSize }
}
