import Synchronization

/// The memory of passes over batches of one packing: allocated by the first, used again by the next, which then allocate
/// nothing. It serves one pass at a time.
///
/// A shard's activations lie in a `ShardWorkspace`. Where they are used up within the pass, each thread has room for one
/// shard and takes it again for the next; a recording keeps those of every shard.
public final class Workspace<S: Scalar>: @unchecked Sendable {
    /// That of the network.
    public let configuration: Configuration
    /// The batch's packing.
    public let packing: Packing
    let purpose: Purpose
    let segmentation: Segmentation
    /// What the passes leave out at random.
    public let regularization: Regularization
    let layout: ParameterLayout
    let cellShape: CellShape
    let shards: [Shard]
    /// Rows in the packing's order: in, the states before the first step; out, after each last one.
    let states: StateBuffers<S>
    /// When recording: in, the gradient of the final states; out, of the initial ones.
    let stateGradients: StateBuffers<S>
    /// [1, shards] each shard's part of the loss.
    let losses: Matrix<S>
    /// The weights that the pass reads, by layer and direction.
    var weights: [LayerWeights<S>] = []
    /// The shard whose gradient is added next: they are summed in their order, so that the bits do not depend on who is
    /// ready first.
    let nextToAdd = Atomic<Int>(0)

    /// The seeds of the sequences' masks, in the packing's order; none without regularisation.
    private(set) var seeds: [UInt64]

    private let runs: [ShardRuns]
    /// By thread, then by shard; where every shard has room of its own there is one "thread".
    private(set) var rooms: [[ShardWorkspace<S>]] = []
    private let isOccupied = Atomic<Bool>(false)

    /// Room for passes over batches of one packing.
    ///
    /// - Parameters:
    ///   - configuration: that of the network.
    ///   - packing: that of the batches.
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
        self.init(configuration, packing, recording ? .recording : .inference, Segmentation(), regularization)
    }

    init(
        _ configuration: Configuration, _ packing: Packing, _ purpose: Purpose,
        _ segmentation: Segmentation = Segmentation(), _ regularization: Regularization = .none
    ) {
        self.configuration = configuration
        self.packing = packing
        self.purpose = purpose
        self.segmentation = segmentation
        self.regularization = regularization
        seeds = regularization == .none ? [] : Array(repeating: 0, count: packing.sequenceCount)
        layout = ParameterLayout(configuration)
        cellShape = configuration.cellShape
        shards = configuration.shards(of: packing)
        runs = shards.map { ShardRuns(configuration, $0, purpose, segmentation, scalar: S.self) }
        states = StateBuffers(configuration, sequences: packing.sequenceCount)
        stateGradients = StateBuffers(configuration, sequences: purpose.isRecording ? packing.sequenceCount : 0)
        losses = Matrix(rows: 1, columns: shards.count)
    }

    func isFor(
        _ purpose: Purpose, _ packing: Packing, _ segmentation: Segmentation, _ regularization: Regularization
    ) -> Bool {
        self.purpose == purpose && self.segmentation == segmentation && self.regularization == regularization
            && self.packing == packing
    }

    /// Begins a pass on some threads; two passes at a time would write over each other.
    func occupy(threads: Int) {
        let wasFree = isOccupied.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        require(wasFree, "this workspace is in use by another pass, or by a recording that is still held")
        nextToAdd.store(0, ordering: .relaxed)
        while rooms.count < roomCount(threads: threads) { rooms.append(makeRoom()) }
    }

    /// Draws the seeds of a pass's masks, in the caller's order of the sequences; without regularisation, none.
    func drawSeeds(using random: inout Random) {
        if seeds.isEmpty { return }
        for position in packing.positions { seeds[position] = random.next() }
    }

    /// Ends a pass.
    func release() { isOccupied.store(false, ordering: .releasing) }

    /// A shard's activations for the thread of that number.
    func room(_ shard: Int, thread: Int) -> ShardWorkspace<S> { rooms[purpose == .recording ? 0 : thread][shard] }

    /// Room for every shard of its own, or for one after another.
    private func makeRoom() -> [ShardWorkspace<S>] {
        let sizes = shards.indices.map(size)
        var shared: Matrix<S>?
        if purpose != .recording { shared = Matrix(rows: 1, columns: sizes.max()!) }
        return shards.indices.map { shard in
            let memory = shared ?? Matrix(rows: 1, columns: sizes[shard])
            var arena = Arena(memory.view)
            let room = place(shard, &arena)
            room.memory = memory
            return room
        }
    }

    private func place(_ shard: Int, _ arena: inout Arena<S>) -> ShardWorkspace<S> {
        ShardWorkspace(
            configuration, runs[shard], shards[shard], purpose, regularization, hasOwnGradient: shard > 0, &arena)
    }

    private func size(ofShard shard: Int) -> Int {
        var counter = Arena<S>(nil)
        _ = place(shard, &counter)
        return counter.count
    }

    private func roomCount(threads: Int) -> Int { purpose == .recording ? 1 : min(threads, shards.count) }
}

// MARK: Size

extension Workspace {
    /// The numbers that it holds once passes of so many threads ran in it.
    func count(threads: Int) -> Int {
        let sizes = shards.indices.map(size)
        let room = purpose == .recording ? sizes.reduce(0, +) : sizes.max()!
        let states = packing.sequenceCount * configuration.stateCount * (purpose.isRecording ? 2 : 1)
        return room * roomCount(threads: threads) + states + shards.count
    }

    /// The same of passes that leave nothing out, without their rooms.
    static func count(
        _ configuration: Configuration, _ packing: Packing, _ purpose: Purpose, _ segmentation: Segmentation,
        threads: Int
    ) -> Int {
        Workspace(configuration, packing, purpose, segmentation).count(threads: threads)
    }
}

extension Configuration {
    /// The numbers of one sequence's states.
    var stateCount: Int { scanCount * (stateSize + (hasCellState ? hiddenSize : 0)) }
}

/// What a workspace's passes do.
enum Purpose {
    /// Outputs and final states, written where the caller wants them.
    case inference
    /// The same, kept with all that the backward pass reads, until that is asked for.
    case recording
    /// Forward, loss and backward in one go.
    case training
    /// Forward and loss.
    case evaluation

    /// Whether there is a tape of every step.
    var isRecording: Bool { self == .recording || self == .training }
    var hasLoss: Bool { self == .training || self == .evaluation }
}

// MARK: States in and out

/// The states of a batch, or their gradients, by layer and direction.
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

extension Workspace {
    /// Puts states, in the caller's order, into the packing's; nil: zeros.
    func load(_ state: State<S>?, into buffers: StateBuffers<S>) {
        load(state?.hidden, into: buffers.hidden)
        load(state?.cell, into: buffers.cell)
    }

    private func load(_ sources: [Matrix<S>]?, into targets: [Matrix<S>]) {
        for index in targets.indices {
            let target = targets[index].view
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
    func store(_ buffers: StateBuffers<S>, into state: inout State<S>) {
        store(buffers.hidden, into: &state.hidden)
        store(buffers.cell, into: &state.cell)
    }

    private func store(_ sources: [Matrix<S>], into targets: inout [Matrix<S>]) {
        for index in sources.indices {
            let target = targets[index].mutableView()
            if packing.isInOrder {
                target.copy(sources[index].view)
            } else {
                sources[index].view.scatterRows(packing.order[...], to: target)
            }
        }
    }
}
