import Synchronization

/// The memory of passes: it grows to what the largest batch needs and is used again by the next pass, which then allocates
/// nothing. It serves one pass at a time.
///
///     let workspace = Workspace<Float>(network.configuration, packing, recording: false)
///     // later, for other lengths
///     workspace.prepare(for: other)
///     network.forward(x, in: workspace, state: &state, into: &outputs)
///
/// Its properties are one pass's at a time, which `isOccupied` sees to: Swift's own check of that, at every use of each, would be
/// felt in passes of a microsecond.
///
/// A shard's activations lie where its `ShardLayout` says. Where they are used up within the pass, each thread has room for
/// one shard and takes it again for the next; a recording keeps those of every shard.
public final class Workspace<S: Scalar>: @unchecked Sendable {
    /// That of the network.
    public let configuration: Configuration
    /// What the next passes do, with which batch, and where everything lies.
    @exclusivity(unchecked) private(set) var layout: PassLayout
    /// The weights that the pass reads, by layer and direction.
    @exclusivity(unchecked) var weights: [LayerWeights<S>] = []
    /// The shard whose gradient is added next: they are summed in their order, so that the bits do not depend on who is
    /// ready first.
    let nextToAdd = Atomic<Int>(0)
    /// The seeds of the sequences' masks, in the packing's order; with regularisation alone.
    @exclusivity(unchecked) private(set) var seeds: [UInt64] = []

    private let facts: LayoutFacts
    /// Those of the packings met last.
    @exclusivity(unchecked) private(set) var layouts = RecentValues<PassLayout>()
    /// [1, count] by thread; where every shard has room of its own there is one.
    @exclusivity(unchecked) private(set) var rooms: [Matrix<S>] = []
    /// [1, count] the states and their gradients, and the losses.
    @exclusivity(unchecked) private(set) var states = Matrix<S>(rows: 1, columns: 0)
    private let isOccupied = Atomic<Bool>(false)

    /// Room for passes over batches.
    ///
    /// - Parameters:
    ///   - configuration: that of the network.
    ///   - packing: that of the first batches.
    ///   - recording: whether it is for ``Network/record(_:in:from:)`` (a tape of every step) or for
    ///     ``Network/forward(_:in:state:into:)``.
    ///   - regularization: what ``Network/record(_:in:from:using:)`` leaves out at random.
    public convenience init(
        _ configuration: Configuration, _ packing: Packing, recording: Bool, regularization: Regularization = .none
    ) {
        require(
            recording || regularization == .none,
            "a workspace for inference, which leaves nothing out, with a regularisation")
        regularization.check(configuration)
        self.init(
            configuration, packing,
            PassKind(purpose: recording ? .recording : .inference, regularization: regularization))
    }

    init(_ configuration: Configuration, _ packing: Packing, _ kind: PassKind) {
        require(noProblem: configuration.problem)
        self.configuration = configuration
        facts = LayoutFacts(configuration, S.type)
        layout = PassLayout(facts, kind, packing)
        keepLayout()
    }

    /// The packing of the batches that it is laid out for.
    public var packing: Packing { layout.packing }
    /// What its passes leave out at random.
    public var regularization: Regularization { layout.kind.regularization }
    var purpose: Purpose { layout.kind.purpose }
    var parameterLayout: ParameterLayout { facts.parameters }
    var cellShape: CellShape { facts.shape }

    /// Lays it out for batches of another packing. Memory is allocated by the next pass, if it has not got enough; the layouts
    /// of the packings met last are kept, so that one that comes again allocates nothing. Not while a pass or a recording is in
    /// it.
    public func prepare(for packing: Packing) {
        occupy()
        layOut(layout.kind, packing)
        release()
    }

    // MARK: A pass

    /// Makes it one pass's own, if no other has it: two at a time would write over each other.
    func tryToOccupy() -> Bool {
        isOccupied.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    func occupy() {
        require(tryToOccupy(), "this workspace is in use by another pass, or by a recording that is still held")
    }

    /// Ends a pass.
    func release() { isOccupied.store(false, ordering: .releasing) }

    /// Lays out the pass that it is occupied by.
    func layOut(_ kind: PassKind, _ packing: Packing) {
        if layout.isFor(kind, packing) { return }
        if let kept = layouts[PassLayout.hash(kind, packing)], kept.isFor(kind, packing) {
            layout = kept
        } else {
            layout = PassLayout(facts, kind, packing)
            keepLayout()
        }
    }

    private func keepLayout() {
        layouts.keep(layout, hash: PassLayout.hash(layout.kind, layout.packing), bytes: layout.bytes)
    }

    /// Makes room for the pass that it is occupied by, on so many threads.
    func makeRoom(threads: Int) {
        nextToAdd.store(0, ordering: .relaxed)
        if states.columns < layout.stateCount { states.take(rows: 1, columns: layout.stateCount) }
        for room in 0..<layout.rooms(threads: threads) {
            if room == rooms.count { rooms.append(Matrix(rows: 1, columns: 0)) }
            if rooms[room].columns < layout.roomCount { rooms[room].take(rows: 1, columns: layout.roomCount) }
        }
    }

    /// Draws the seeds of the pass's masks, in the caller's order of the sequences; without regularisation, none.
    func drawSeeds(using random: inout Random) {
        if regularization == .none { return }
        let count = packing.sequenceCount
        if seeds.count < count { seeds.append(contentsOf: repeatElement(0, count: count - seeds.count)) }
        for position in packing.positions { seeds[position] = random.next() }
    }

    /// A shard's activations for the thread of that number.
    func room(_ shard: Int, thread: Int) -> ShardWorkspace<S> {
        ShardWorkspace(layout.shards[shard], rooms[purpose == .recording ? 0 : thread].view)
    }

    /// Each shard's part of the loss, [1, shards].
    var losses: MatrixView<S> { states.view.matrix(layout.losses) }
}

// MARK: States in and out

/// The states of a batch, or their gradients, in a workspace: rows in the packing's order. Valid while that lives.
struct StateViews<S: Scalar>: Sendable {
    fileprivate let places: StatePlaces
    fileprivate let block: MatrixView<S>

    /// [B, P] of a layer and direction.
    func hidden(_ scan: Int) -> MatrixView<S> { block.matrix(places.hidden[scan]) }

    /// [n, H] the cell states of some sequences; empty in cells without them.
    func cells(_ scan: Int, _ positions: Range<Int>) -> MatrixView<S> {
        places.cell.map { block.matrix($0[scan]).rows(positions) } ?? MatrixView.empty
    }
}

extension Workspace {
    /// In, the states before the first step; out, after each last one.
    var batchStates: StateViews<S> { StateViews(places: layout.states, block: states.view) }
    /// When recording: in, the gradient of the final states; out, of the initial ones.
    var batchStateGradients: StateViews<S> { StateViews(places: layout.stateGradients, block: states.view) }

    /// Puts states, in the caller's order, into the packing's; nil: zeros.
    func load(_ state: State<S>?, into views: StateViews<S>) {
        load(state?.hidden, into: views.places.hidden, views.block)
        if let cell = views.places.cell { load(state?.cell, into: cell, views.block) }
    }

    private func load(_ sources: [Matrix<S>]?, into places: Places, _ block: MatrixView<S>) {
        for index in 0..<places.count {
            let target = block.matrix(places[index])
            guard let sources else {
                target.fill(0)
                continue
            }
            if packing.isInOrder {
                target.copy(sources[index].view)
            } else {
                target.gatherRows(packing.order[...], of: sources[index].view)
            }
        }
    }

    /// The way back.
    func store(_ views: StateViews<S>, into state: inout State<S>) {
        store(views.places.hidden, views.block, into: &state.hidden)
        if let cell = views.places.cell { store(cell, views.block, into: &state.cell) }
    }

    private func store(_ places: Places, _ block: MatrixView<S>, into targets: inout [Matrix<S>]) {
        for index in 0..<places.count {
            let source = block.matrix(places[index]), target = targets[index].mutableView()
            if packing.isInOrder {
                target.copy(source)
            } else {
                source.scatterRows(packing.order[...], to: target)
            }
        }
    }
}

extension Configuration {
    /// The numbers of one sequence's states.
    var stateCount: Int { scanCount * (stateSize + (hasCellState ? hiddenSize : 0)) }
}

/// The states of a batch that are kept between calls, by layer and direction.
struct StateBuffers<S: Scalar>: Sendable {
    /// [B, P]
    let hidden: [Matrix<S>]
    /// [B, H] in cells that have them.
    let cell: [Matrix<S>]

    init(_ configuration: Configuration, sequences: Int) {
        let zeros = State<S>(configuration, sequences: sequences)
        hidden = zeros.hidden
        cell = zeros.cell
    }

    /// [n, H] the cell states of some sequences; empty in cells without them.
    func cells(_ scan: Int, _ positions: Range<Int>) -> MatrixView<S> {
        cell.isEmpty ? MatrixView.empty : cell[scan].view.rows(positions)
    }
}
