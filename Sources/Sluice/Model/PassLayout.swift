/// What passes do, whatever the batch.
struct PassKind: Hashable, Sendable {
    var purpose: Purpose
    var segmentation = Segmentation()
    /// What they leave out at random.
    var regularization = Regularization.none
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

/// How the passes over batches of one packing are laid out: the shards, how their steps are run through, and where each matrix
/// lies in blocks of memory. It holds no activations, so that it is cheap to make and to keep.
final class PassLayout: Sendable {
    let kind: PassKind
    /// The batch's.
    let packing: Packing
    let shards: [ShardLayout]
    /// The states before the first step and after each last one, then when recording their gradients, then the losses.
    let states: StatePlaces
    let stateGradients: StatePlaces
    /// [1, shards] each shard's part of the loss.
    let losses: Place
    /// The numbers of the block that these lie in.
    let stateCount: Int
    /// The numbers of a block for one shard after another, each in the place of the one before; in a recording, which keeps
    /// them all, for every shard.
    let roomCount: Int

    init(_ facts: LayoutFacts, _ kind: PassKind, _ packing: Packing) {
        self.kind = kind
        self.packing = packing
        var room = Arena(facts.scalar), largest = 0
        var shards: [ShardLayout] = []
        for (index, shard) in facts.configuration.shards(of: packing).enumerated() {
            if kind.purpose != .recording { room = Arena(facts.scalar) }
            shards.append(ShardLayout(facts, kind, shard, hasOwnGradient: index > 0, &room))
            largest = max(largest, room.count)
        }
        self.shards = shards
        roomCount = largest
        var arena = Arena(facts.scalar)
        states = StatePlaces(facts, sequences: packing.sequenceCount, &arena)
        stateGradients = StatePlaces(facts, sequences: kind.purpose.isRecording ? packing.sequenceCount : 0, &arena)
        losses = arena.place(rows: 1, columns: shards.count)
        stateCount = arena.count
    }

    func isFor(_ kind: PassKind, _ packing: Packing) -> Bool { self.kind == kind && self.packing == packing }

    /// Of what is most often another.
    static func hash(_ kind: PassKind, _ packing: Packing) -> Int {
        var hasher = Hasher()
        hasher.combine(kind.purpose)
        hasher.combine(packing)
        return hasher.finalize()
    }

    /// The blocks for shards when so many threads compute.
    func rooms(threads: Int) -> Int { kind.purpose == .recording ? 1 : min(threads, shards.count) }

    /// The numbers of all blocks.
    func count(threads: Int) -> Int { stateCount + rooms(threads: threads) * roomCount }

    /// About what it takes itself.
    var bytes: Int {
        shards.reduce(8 * (5 * packing.sequenceCount + packing.stepCount) + 512) { $0 + $1.bytes }
    }
}

extension PassLayout {
    /// The numbers that passes over a batch need, of parameters and optimiser apart.
    static func count<S: Scalar>(
        _ configuration: Configuration, _ packing: Packing, _ kind: PassKind, threads: Int, scalar: S.Type
    ) -> Int {
        PassLayout(LayoutFacts(configuration, S.type), kind, packing).count(threads: threads)
    }
}

/// What the layout of a network's passes depends on beside the batch, found out once.
struct LayoutFacts: Sendable {
    let configuration: Configuration
    let scalar: ScalarType
    let parameters: ParameterLayout
    let shape: CellShape

    init(_ configuration: Configuration, _ scalar: ScalarType) {
        self.configuration = configuration
        self.scalar = scalar
        parameters = ParameterLayout(configuration)
        shape = configuration.cellShape
    }
}

/// Where the states of a batch lie, or their gradients, by layer and direction.
struct StatePlaces: Sendable {
    /// [B, P]
    let hidden: Places
    /// [B, H] in cells that have them.
    let cell: Places?

    init(_ facts: LayoutFacts, sequences: Int, _ arena: inout Arena) {
        let configuration = facts.configuration
        hidden = arena.places(configuration.scanCount, rows: sequences, columns: configuration.stateSize)
        cell =
            configuration.hasCellState
            ? arena.places(configuration.scanCount, rows: sequences, columns: configuration.hiddenSize) : nil
    }
}
