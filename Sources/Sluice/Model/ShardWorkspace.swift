/// The activations of one shard: a layout, laid over a block of memory. Valid while both live.
@safe
struct ShardWorkspace<S: Scalar>: Sendable {
    private unowned(unsafe) let layout: ShardLayout
    /// [1, count]
    private let block: MatrixView<S>

    init(_ layout: ShardLayout, _ block: MatrixView<S>) {
        unsafe self.layout = layout
        self.block = block
    }

    var shard: Shard { unsafe layout.shard }
    var purpose: Purpose { unsafe layout.purpose }
    var runs: ShardRuns { unsafe layout.runs }

    // MARK: Scans

    func scan(_ index: Int) -> ScanBuffers<MatrixView<S>> { unsafe ScanBuffers(layout.scans[index], in: block) }
    func scratch(_ direction: Int) -> ScanScratch<MatrixView<S>> {
        unsafe ScanScratch(layout.scratch[direction], in: block)
    }
    func masks(_ direction: Int) -> MaskBuffers<MatrixView<S>> {
        unsafe MaskBuffers(layout.masks[direction], in: block)
    }
    /// Single ones of ``scan(_:)``.
    func states(_ scan: Int) -> MatrixView<S> { unsafe block.matrix(layout.scans[scan].states) }
    func stateGradient(_ scan: Int) -> MatrixView<S> { unsafe block.matrix(layout.scans[scan].stateGradient) }
    func inputGradient(_ scan: Int) -> MatrixView<S> { unsafe block.matrix(layout.scans[scan].inputGradient) }

    // MARK: Layers and head: see ``ShardLayout``

    func output(_ layer: Int) -> MatrixView<S> { unsafe block.matrix(layout.layerOutputs[layer]) }
    func outputGradient(_ layer: Int) -> MatrixView<S> { unsafe block.matrix(layout.layerOutputGradients[layer]) }
    var summary: MatrixView<S> { unsafe block.matrix(layout.summary) }
    var summaryGradient: MatrixView<S> { unsafe block.matrix(layout.summaryGradient) }
    /// nil: no head is on the largest values, or nothing goes back.
    var largestSteps: LargestSteps<S>? {
        unsafe layout.largestSteps.map { unsafe LargestSteps(block.matrix($0), columns: layout.summary.columns) }
    }
    var losses: MatrixView<S> { unsafe block.matrix(layout.losses) }
    var outputs: MatrixView<S> { unsafe block.matrix(layout.outputs) }
    var outputGradient: MatrixView<S> { unsafe block.matrix(layout.outputGradient) }
    var gradient: MatrixView<S> { unsafe block.matrix(layout.gradient) }
}

extension ScanBuffers {
    fileprivate init<S: Scalar>(_ places: ScanBuffers<Place>, in block: MatrixView<S>) where Area == MatrixView<S> {
        statesBefore = block.matrix(places.statesBefore)
        states = block.matrix(places.states)
        initialCells = block.matrix(places.initialCells)
        zonedCells = block.matrix(places.zonedCells)
        tape = block.matrix(places.tape)
        stateGradient = block.matrix(places.stateGradient)
        inputGradient = block.matrix(places.inputGradient)
        vectorSums = block.matrix(places.vectorSums)
        keptStates = block.matrix(places.keptStates)
        keptCells = block.matrix(places.keptCells)
    }
}

extension ScanScratch {
    fileprivate init<S: Scalar>(_ places: ScanScratch<Place>, in block: MatrixView<S>) where Area == MatrixView<S> {
        step = block.matrix(places.step)
        inputs = block.matrix(places.inputs)
        previousStates = block.matrix(places.previousStates)
    }
}

extension MaskBuffers {
    fileprivate init<S: Scalar>(_ places: MaskBuffers<Place>, in block: MatrixView<S>) where Area == MatrixView<S> {
        inputMask = block.matrix(places.inputMask)
        recurrentMask = block.matrix(places.recurrentMask)
        row = block.matrix(places.row)
        recurrent = block.matrix(places.recurrent)
        recurrentGradient = block.matrix(places.recurrentGradient)
        keptGradient = block.matrix(places.keptGradient)
        keptCellGradient = block.matrix(places.keptCellGradient)
    }
}
