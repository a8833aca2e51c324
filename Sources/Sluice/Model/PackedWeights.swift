import Synchronization

/// A network's weights in the forms that its passes read. Panels are made when a pass first needs them after a change of
/// the parameters: inference makes no transposes, and a short sequence alone reads the parameters as they are.
final class PackedWeights<S: Scalar>: @unchecked Sendable {
    private let configuration: Configuration
    private let rule: PanelRule
    private let places: WeightPlaces
    /// The biases and vectors of each scan in the order that its kernels read, [1, vector columns].
    private var vectors: [Matrix<S>]
    private let forward: PanelForm<S>
    private let transposed: PanelForm<S>

    init(_ parameters: Parameters<S>, _ configuration: Configuration, backend: Backend) {
        self.configuration = configuration
        rule = PanelRule(backend, S.self)
        places = WeightPlaces(configuration)
        let columns = configuration.cellShape.vectorColumns
        vectors = (0..<configuration.scanCount).map { _ in Matrix(rows: 1, columns: columns) }
        forward = PanelForm(isTransposed: false)
        transposed = PanelForm(isTransposed: true)
        update(parameters)
    }

    /// Takes up new parameters. Only while no pass reads the old ones.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func update(_ parameters: Parameters<S>) {
        forward.forget()
        transposed.forget()
        for index in vectors.indices {
            configuration.cell.packVectors(
                parameters.layout.vectors(ofScan: index, in: parameters.values.view),
                into: vectors[index].mutableView(), hidden: configuration.hiddenSize)
        }
    }

    /// Sets the weights that a pass over a batch reads, by layer and direction, after making what of them is not there; valid
    /// while these weights and the parameters live. Passes of several threads may ask at once.
    func prepare(
        _ parameters: Parameters<S>, sequences: Int, steps: Int, recording: Bool, into weights: inout [LayerWeights<S>]
    ) {
        let asPanels = rule.pays(sequences: sequences, steps: steps, recording: recording)
        if asPanels {
            forward.make(parameters, configuration, rule)
            if recording { transposed.make(parameters, configuration, rule) }
        }
        for index in 0..<configuration.scanCount {
            let scan = scan(index, parameters, asPanels: asPanels, recording: recording)
            if index < weights.count { weights[index] = scan } else { weights.append(scan) }
        }
    }

    /// The numbers held so far.
    var count: Int { vectors.reduce(0) { $0 + $1.columns } + forward.count + transposed.count }

    /// The numbers held after passes over a batch: forward only, or recording too. A change of the parameters keeps the room.
    static func count(_ configuration: Configuration, _ batch: Packing, recording: Bool, backend: Backend) -> Int {
        let vectors = configuration.scanCount * configuration.cellShape.vectorColumns
        let asPanels = PanelRule(backend, S.self)
            .pays(sequences: batch.sequenceCount, steps: batch.stepCount, recording: recording)
        let weights = configuration.weightCount
        return vectors + (asPanels ? weights * (recording ? 2 : 1) : 0)
    }

    private func scan(
        _ index: Int, _ parameters: Parameters<S>, asPanels: Bool, recording: Bool
    ) -> LayerWeights<S> {
        let vectors = vectors[index].view
        if asPanels {
            return LayerWeights(
                forward: forward.scans[index], transposed: recording ? transposed.scans[index] : nil, vectors: vectors)
        }
        return LayerWeights(
            forward: factors(index, parameters, transposed: false),
            transposed: recording ? factors(index, parameters, transposed: true) : nil, vectors: vectors)
    }

    /// The parameters as they are. (Without closures, which would be allocated at every step.)
    private func factors(_ index: Int, _ parameters: Parameters<S>, transposed: Bool) -> LayerFactors<S> {
        let entries = parameters.layout.scans[index]
        func form(_ weight: MatrixView<S>, _ first: Int) -> WeightView<S> {
            transposed ? .transposed(weight, first: first) : .plain(weight, first: first)
        }
        let recurrent = parameters.view(entries.recurrent)
        var gated: WeightView<S>?, projection: WeightView<S>?
        if let columns = places.gated { gated = form(recurrent.columns(columns), 0) }
        if let entry = entries.projection { projection = form(parameters.view(entry), 0) }
        return LayerFactors(
            input: form(parameters.view(entries.input), places.firstInputColumn),
            recurrent: form(recurrent.columns(places.recurrent), 0), gated: gated, projection: projection)
    }
}

/// Every scan's weights in panels, or their transposes.
private final class PanelForm<S: Scalar>: @unchecked Sendable {
    private let isTransposed: Bool
    private let isReady = Atomic<Bool>(false)
    private let lock = Lock()
    private var panels: [ScanPanels<S>] = []
    /// The views of the panels.
    private(set) var scans: [LayerFactors<S>] = []

    init(isTransposed: Bool) { self.isTransposed = isTransposed }

    var count: Int { panels.reduce(0) { $0 + $1.count } }

    func forget() { isReady.store(false, ordering: .relaxed) }

    func make(_ parameters: Parameters<S>, _ configuration: Configuration, _ rule: PanelRule) {
        if isReady.load(ordering: .acquiring) { return }
        lock.withLock {
            if isReady.load(ordering: .relaxed) { return }
            if scans.isEmpty {
                panels = parameters.layout.scans.map {
                    ScanPanels(configuration, $0, rule, isTransposed: isTransposed)
                }
                scans = panels.map(\.views)
            }
            for index in panels.indices {
                panels[index].pack(parameters, parameters.layout.scans[index])
                scans[index] = panels[index].views
            }
            isReady.store(true, ordering: .releasing)
        }
    }
}

/// One scan's weights in panels, or their transposes.
private struct ScanPanels<S: Scalar> {
    private let isTransposed: Bool
    private let places: WeightPlaces
    private var input: Panels<S>
    private var recurrent: Panels<S>
    private var gated: Panels<S>?
    private var projection: Panels<S>?

    init(
        _ configuration: Configuration, _ entries: ParameterLayout.Scan, _ rule: PanelRule, isTransposed: Bool
    ) {
        self.isTransposed = isTransposed
        let places = WeightPlaces(configuration)
        func room(_ rows: Int, _ columns: Int) -> Panels<S> {
            isTransposed
                ? Panels(rows: columns, columns: rows, rule: rule) : Panels(rows: rows, columns: columns, rule: rule)
        }
        self.places = places
        input = room(entries.input.rows, entries.input.columns)
        recurrent = room(entries.recurrent.rows, places.recurrent.count)
        gated = places.gated.map { room(entries.recurrent.rows, $0.count) }
        projection = entries.projection.map { room($0.rows, $0.columns) }
    }

    var count: Int { input.count + recurrent.count + (gated?.count ?? 0) + (projection?.count ?? 0) }

    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func pack(_ parameters: Parameters<S>, _ entries: ParameterLayout.Scan) {
        let weights = parameters.view(entries.input), first = places.firstInputColumn
        input.pack(weights.columns(first..<weights.columns), transposed: isTransposed, at: 0)
        input.pack(weights.columns(0..<first), transposed: isTransposed, at: weights.columns - first)
        let recurrentWeights = parameters.view(entries.recurrent)
        recurrent.pack(recurrentWeights.columns(places.recurrent), transposed: isTransposed, at: 0)
        if let columns = places.gated {
            gated!.pack(recurrentWeights.columns(columns), transposed: isTransposed, at: 0)
        }
        if let entry = entries.projection {
            projection!.pack(parameters.view(entry), transposed: isTransposed, at: 0)
        }
    }

    /// Valid while these panels live.
    var views: LayerFactors<S> {
        LayerFactors(
            input: .panels(input.view), recurrent: .panels(recurrent.view), gated: gated.map { .panels($0.view) },
            projection: projection.map { .panels($0.view) })
    }
}

/// Which columns of a scan's W [I, GH] and U [P, GH] the products read.
private struct WeightPlaces {
    /// The input product takes W's columns from this one on, then those before it.
    let firstInputColumn: Int
    /// U's columns that multiply the state.
    let recurrent: Range<Int>
    /// U's columns that multiply a gated state, in cells that have one.
    let gated: Range<Int>?

    init(_ configuration: Configuration) {
        let shape = configuration.cellShape, hidden = configuration.hiddenSize
        func columns(_ gates: Range<Int>) -> Range<Int> { gates.lowerBound * hidden..<gates.upperBound * hidden }
        firstInputColumn = shape.firstInputGate * hidden
        recurrent = columns(shape.recurrentGates)
        gated = shape.gatedGates.map(columns)
    }
}

extension Panels {
    /// Puts a matrix at a column of the panels' matrix or, transposed, at a row of it.
    fileprivate mutating func pack(_ matrix: MatrixView<S>, transposed: Bool, at offset: Int) {
        if transposed { packTransposed(matrix, atRow: offset) } else { pack(matrix, atColumn: offset) }
    }
}
