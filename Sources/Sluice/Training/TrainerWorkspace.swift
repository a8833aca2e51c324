/// Where a trainer's passes run: training and evaluation take turns in the same memory.
///
/// Copies of a trainer share it as long as one of them computes at a time. One that finds it in use makes its own: what is in a
/// workspace does not outlive a pass, so none of them sees a difference.
struct TrainerWorkspace<S: Scalar>: Sendable {
    private(set) var workspace: Workspace<S>?

    /// The workspace, occupied by a pass of the caller's and laid out for it.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func occupied(
        _ configuration: Configuration, _ kind: PassKind, _ packing: Packing, threads: Int
    ) -> Workspace<S> {
        let workspace: Workspace<S>
        if let kept = self.workspace, kept.tryToOccupy() {
            workspace = kept
            workspace.layOut(kind, packing)
        } else {
            workspace = Workspace(configuration, packing, kind)
            workspace.occupy()
            self.workspace = workspace
        }
        workspace.makeRoom(threads: threads)
        return workspace
    }
}
