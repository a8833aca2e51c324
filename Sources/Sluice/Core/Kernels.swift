/// The C kernels of one scalar at one level. Contracts: SluiceKernels.h. Sendable: they are C functions without state.
@safe
struct Kernels<S>: @unchecked Sendable {
    typealias Reals = UnsafePointer<S>
    typealias MutableReals = UnsafeMutablePointer<S>

    let exponential: (_ count: Int, _ x: Reals, _ y: MutableReals) -> Void
    let sigmoid: (_ count: Int, _ x: Reals, _ y: MutableReals) -> Void
    let tanh: (_ count: Int, _ x: Reals, _ y: MutableReals) -> Void
    let gruAfterForward:
        (Int, Int, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals, _ next: MutableReals) -> Void
    let gruAfterBackward:
        (Int, Int, _ tape: MutableReals, _ previous: Reals, _ dy: Reals?, _ dh: MutableReals, _ dbias: MutableReals)
            -> Void
    let gruBeforeGates: (Int, Int, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals) -> Void
    let gruBeforeUpdate:
        (
            Int, Int, _ flipped: Int32, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals,
            _ next: MutableReals
        ) -> Void
    let gruBeforeUpdateBackward:
        (
            Int, Int, _ flipped: Int32, _ tape: MutableReals, _ previous: Reals, _ dy: Reals?, _ dh: MutableReals,
            _ dbias: MutableReals
        ) -> Void
    let gruBeforeGatesBackward:
        (Int, Int, _ tape: MutableReals, _ previous: Reals, _ dq: Reals, _ dh: MutableReals, _ dbias: MutableReals)
            -> Void
    let adam:
        (
            Int, _ p: MutableReals, _ g: Reals, _ m: MutableReals, _ v: MutableReals, _ rate: S, _ beta1: S, _ beta2: S,
            _ epsilon: S
        ) -> Void
}

/// Where the kernels of one scalar and level live, as long as the process does: engines point here without counting.
final class KernelTable<S>: Sendable {
    let kernels: Kernels<S>

    init(_ kernels: Kernels<S>) { self.kernels = kernels }
}
