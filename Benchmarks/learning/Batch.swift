import Sluice

/// Sequences of one length and what a network should make of them, overwritten by each new draw.
///
/// All have T steps, so rows are plain time-major: step t of sequence s is row t * B + s.
struct Batch<S: Scalar>: Sendable {
    /// `[T * B, I]`
    var x: Matrix<S>
    /// `[T * B, O]`, or `[B, O]` where a sequence has one target.
    var targets: Matrix<S>
    /// B sequences of T steps.
    let packing: Packing
}
