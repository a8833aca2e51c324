/// How the passes over one shard are laid out: how its steps are run through, and where its matrices lie. Rows are the shard's
/// own (`Shard.packing`): N rows, B sequences; where time is cut in segments, N is the rows of the largest, and each takes the
/// place of the one before.
///
/// A scan's matrices have its rows in the order in which it comes to them: time's, or back from each sequence's end. A
/// layer's have them in time's order.
final class ShardLayout: Sendable {
    let shard: Shard
    let purpose: Purpose
    let runs: ShardRuns
    /// By layer and direction.
    let scans: [ScanBuffers<Place>]
    /// By direction: what the scans of a direction need one after another.
    let scratch: [ScanScratch<Place>]
    /// By direction; none where nothing is left out.
    let masks: [MaskBuffers<Place>]
    /// By layer: [N, out] its outputs in time's order, and when recording their gradient. None where layers run forward
    /// only: there a scan's matrices are the layer's.
    let layerOutputs: Places
    let layerOutputGradients: Places
    /// [B, out] what a head reads that sums a sequence up, and when recording its gradient.
    let summary: Place
    let summaryGradient: Place
    /// [B, out] integers when recording, for a head on the largest values: the step at which each was met first.
    let largestSteps: Place?
    /// [1, chunks] in training and evaluation: each chunk's part of the loss, as its order in time must not depend on who
    /// computes it when.
    let losses: Place
    /// [n, O] the head's outputs, and when recording their gradient.
    let outputs: Place
    let outputGradient: Place
    /// [1, count] when recording: the shard's part of the parameters' gradient, in their layout. The first shard's is
    /// the batch's own.
    let gradient: Place

    init(_ facts: LayoutFacts, _ kind: PassKind, _ shard: Shard, hasOwnGradient: Bool, _ arena: inout Arena) {
        let configuration = facts.configuration, purpose = kind.purpose
        let packing = shard.packing, width = configuration.layerOutputSize
        let recording = purpose.isRecording
        let runs = ShardRuns(configuration, shard, purpose, kind.segmentation, scalar: facts.scalar)
        let outputRows =
            configuration.head == nil ? 0 : configuration.isSummedUp ? packing.sequenceCount : runs.segmentRows
        let summaryRows = configuration.isSummedUp ? packing.sequenceCount : 0
        let layers = configuration.direction == .forward ? 0 : configuration.layers

        self.shard = shard
        self.purpose = purpose
        self.runs = runs
        scans = (0..<configuration.scanCount).map { ScanBuffers(facts, kind, packing, scan: $0, runs, &arena) }
        layerOutputs = arena.places(layers, rows: runs.segmentRows, columns: width)
        layerOutputGradients = arena.places(layers, rows: recording ? runs.segmentRows : 0, columns: width)
        scratch = (0..<configuration.direction.count).map { _ in ScanScratch(facts, kind, shard, runs, &arena) }
        masks = (0..<(kind.regularization == .none ? 0 : configuration.direction.count)).map { _ in
            MaskBuffers(configuration, kind.regularization, sequences: packing.sequenceCount, &arena)
        }
        summary = arena.place(rows: summaryRows, columns: width)
        summaryGradient = arena.place(rows: recording ? summaryRows : 0, columns: width)
        largestSteps =
            recording && configuration.head?.steps == .max
            ? arena.place(rows: summaryRows, columns: width * (MemoryLayout<Int>.stride / facts.scalar.bytes)) : nil
        losses = arena.place(rows: purpose.hasLoss ? 1 : 0, columns: runs.chunkCount)
        outputs = arena.place(rows: outputRows, columns: configuration.outputSize)
        outputGradient = arena.place(rows: recording ? outputRows : 0, columns: configuration.outputSize)
        gradient = arena.place(rows: recording && hasOwnGradient ? 1 : 0, columns: facts.parameters.count)
    }

    /// About what it takes itself.
    var bytes: Int {
        runs.bytes + scans.count * MemoryLayout<ScanBuffers<Place>>.stride + scratch.count
            * MemoryLayout<ScanScratch<Place>>.stride + 8 * (3 * shard.packing.sequenceCount + shard.packing.stepCount)
            + 1024
    }
}

/// The activations of one layer in one direction, in the order of the scan: where they lie, or the matrices themselves.
struct ScanBuffers<Area: Sendable>: Sendable {
    /// [N, P] when recording: the initial states, and behind them all states but the last step's. With equal lengths these
    /// are the states before each step, in the rows of the steps: one factor of U's gradient.
    let statesBefore: Area
    /// [N, P] the state after every step. Empty where inference writes them as the network's outputs at once.
    let states: Area
    /// [B, H] when recording, in cells that have them: the cell states before the first step.
    let initialCells: Area
    /// [N, H] the cell states after every step, where zoneout makes them others than the tape's.
    let zonedCells: Area
    /// [N, tape columns] when recording, else room for one chunk.
    let tape: Area
    /// [N, P] when recording: the gradient of the states, as far as it comes from above. Empty where the caller gives that
    /// of the network's outputs.
    let stateGradient: Area
    /// [N, I] when recording, of a layer's second direction: its part of the inputs' gradient.
    let inputGradient: Area
    /// [1, vector columns] when recording: the gradients of biases and vectors.
    let vectorSums: Area
    /// [kept, P] and, in cells that have them, [kept, H]: the states before each segment that is computed again.
    let keptStates: Area
    let keptCells: Area
}

extension ScanBuffers<Place> {
    init(
        _ facts: LayoutFacts, _ kind: PassKind, _ packing: Packing, scan: Int, _ runs: ShardRuns,
        _ arena: inout Arena
    ) {
        let configuration = facts.configuration, shape = facts.shape, purpose = kind.purpose
        let layer = scan / configuration.direction.count, isSecond = scan % configuration.direction.count == 1
        let recording = purpose.isRecording
        let isOutput =
            configuration.head == nil && configuration.direction == .forward && layer == configuration.layers - 1
        let sequences = recording ? packing.sequenceCount : 0
        let rows = isOutput && purpose == .inference ? 0 : runs.segmentRows
        let all = arena.place(rows: sequences + rows, columns: configuration.stateSize)
        statesBefore = all.rows(0..<(recording ? rows : 0))
        states = all.rows(sequences..<sequences + rows)
        initialCells = arena.place(
            rows: shape.cellColumns == nil ? 0 : sequences, columns: configuration.hiddenSize)
        zonedCells = arena.place(
            rows: kind.regularization.cellZoneout > 0 ? runs.segmentRows : 0, columns: configuration.hiddenSize)
        tape = arena.place(rows: recording ? runs.segmentRows : runs.chunkRows, columns: shape.tapeColumns)
        let hasGradient = recording && !(isOutput && purpose == .recording)
        stateGradient = arena.place(rows: hasGradient ? runs.segmentRows : 0, columns: configuration.stateSize)
        inputGradient = arena.place(
            rows: recording && isSecond ? runs.segmentRows : 0, columns: configuration.inputSize(ofLayer: layer))
        vectorSums = arena.place(rows: recording ? 1 : 0, columns: shape.vectorColumns)
        keptStates = arena.place(rows: runs.keptRows, columns: configuration.stateSize)
        keptCells = arena.place(
            rows: shape.cellColumns == nil ? 0 : runs.keptRows, columns: configuration.hiddenSize)
    }
}

/// What the scans of one direction need one after another: where it lies, or the matrices themselves.
struct ScanScratch<Area: Sendable>: Sendable {
    /// [B, columns] products of a step on their way.
    let step: Area
    /// [R, I] a chunk's inputs, where they must be gathered or some are dropped; R is the rows of the largest chunk, I the widest.
    let inputs: Area
    /// [R, P] the states before each step of a chunk, where its lengths differ or some states are dropped.
    let previousStates: Area
}

extension ScanScratch<Place> {
    init(_ facts: LayoutFacts, _ kind: PassKind, _ shard: Shard, _ runs: ShardRuns, _ arena: inout Arena) {
        let configuration = facts.configuration, regularization = kind.regularization
        let isForward = configuration.direction == .forward
        let gathered = isForward ? shard.isWhole ? 0 : configuration.inputSize : configuration.widestInput
        let inputColumns = regularization.masksInputs ? configuration.widestInput : gathered
        let drops = regularization.recurrentDropout > 0
        step = arena.place(rows: shard.packing.sequenceCount, columns: facts.shape.scratchColumns)
        inputs = arena.place(rows: inputColumns == 0 ? 0 : runs.chunkRows, columns: inputColumns)
        previousStates = arena.place(
            rows: kind.purpose.isRecording && (drops || !shard.packing.isEqualLength) ? runs.chunkRows : 0,
            columns: configuration.stateSize)
    }
}

/// What the masks of a scan need, where it lies or the matrices themselves; each empty where there is no such mask.
struct MaskBuffers<Area: Sendable>: Sendable {
    /// [B, I] and [B, P] the masks that are the same at all steps; I is that of the widest layer.
    let inputMask: Area
    let recurrentMask: Area
    /// [1, n] one row's mask at one step.
    let row: Area
    /// [B, P] the states that U's products read at a step, and their gradient.
    let recurrent: Area
    let recurrentGradient: Area
    /// [B, P] and [B, H] the part of a step's gradients that goes to the states before it as they are.
    let keptGradient: Area
    let keptCellGradient: Area
}

extension MaskBuffers<Place> {
    fileprivate init(
        _ configuration: Configuration, _ regularization: Regularization, sequences: Int, _ arena: inout Arena
    ) {
        func place(_ rate: Double, _ columns: Int) -> Place {
            arena.place(rows: rate > 0 ? sequences : 0, columns: columns)
        }
        let state = configuration.stateSize, hidden = configuration.hiddenSize
        inputMask = place(regularization.inputDropout, configuration.widestInput)
        recurrentMask = place(regularization.recurrentDropout, state)
        row = arena.place(
            rows: regularization.dropout > 0 || regularization.zonesOut ? 1 : 0,
            columns: max(configuration.widestInput, hidden))
        recurrent = place(regularization.recurrentDropout, state)
        recurrentGradient = place(regularization.recurrentDropout, state)
        keptGradient = place(regularization.zoneout, state)
        keptCellGradient = place(regularization.cellZoneout, hidden)
    }
}

extension Configuration {
    /// The inputs of the layer that has the most.
    fileprivate var widestInput: Int { layers > 1 ? max(inputSize, layerOutputSize) : inputSize }
}
