/// The last passes' workspaces, the latest made first: a batch of the same packing finds its own again.
struct KeptWorkspaces<S: Scalar>: Sendable {
    private var workspaces: [Workspace<S>] = []
    /// The bytes of each.
    private var sizes: [Int] = []

    /// Enough for a training set's batches, its smaller last batch, and the same of a test set.
    private static var leastCount: Int { 4 }
    /// More are kept up to this size, for batches in buckets, whose packings come again in every epoch.
    private static var bytes: Int { 256 << 20 }

    /// The workspace of an earlier pass over the same packing, or a new one in the place of the oldest.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func workspace(
        _ configuration: Configuration, _ packing: Packing, _ purpose: Purpose, _ segmentation: Segmentation,
        _ regularization: Regularization, threads: Int
    ) -> Workspace<S> {
        for kept in workspaces where kept.isFor(purpose, packing, segmentation, regularization) { return kept }
        // Its rooms are made by its first pass: old workspaces go before, so that there is never more memory than is kept.
        let workspace = Workspace<S>(configuration, packing, purpose, segmentation, regularization)
        sizes.insert(workspace.count(threads: threads) * MemoryLayout<S>.stride, at: 0)
        while sizes.count > Self.leastCount && sizes.reduce(0, +) > Self.bytes {
            sizes.removeLast()
            workspaces.removeLast()
        }
        workspaces.insert(workspace, at: 0)
        return workspace
    }
}
