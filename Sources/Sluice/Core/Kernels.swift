/// The C kernels of one scalar at one level. Contracts: SluiceKernels.h; `Reals` are numbers of that scalar.
///
/// Plain C function pointers, on untyped memory: a Swift closure of the typed function would carry a context whose
/// references every thread would count, at every step.
@safe
struct Kernels: Sendable {
    typealias Reals = UnsafeRawPointer
    typealias MutableReals = UnsafeMutableRawPointer
    typealias Function = @convention(c) (_ count: Int, _ x: Reals, _ y: MutableReals) -> Void

    let exponential: Function
    let sigmoid: Function
    let tanh: Function
    let gruAfterForward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, Int, _ hu: Reals, _ bias: Reals, _ previous: Reals, _ next: MutableReals
        ) -> Void
    let gruAfterBackward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, Int, _ previous: Reals, _ dy: Reals?, _ dh: MutableReals,
            _ dbias: MutableReals
        ) -> Void
    let gruBeforeGates:
        @convention(c) (Int, Int, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals) -> Void
    let gruBeforeUpdate:
        @convention(c) (
            Int, Int, _ flipped: Int32, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals,
            _ next: MutableReals
        ) -> Void
    let gruBeforeUpdateBackward:
        @convention(c) (
            Int, Int, _ flipped: Int32, _ tape: MutableReals, _ previous: Reals, _ dy: Reals?, _ dh: MutableReals,
            _ dbias: MutableReals
        ) -> Void
    let gruBeforeGatesBackward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, _ previous: Reals, _ dq: Reals, _ dh: MutableReals, _ dbias: MutableReals
        ) -> Void
    let lstmForward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, Int, _ bias: Reals, _ peepholes: Reals?, _ cell: Reals, Int,
            _ nextCell: MutableReals, Int, _ output: MutableReals, Int
        ) -> Void
    let lstmBackward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, Int, _ peepholes: Reals?, _ cell: Reals, Int, _ nextCell: Reals, Int,
            _ dy: Reals?, _ dh: Reals, _ dc: MutableReals, _ dbias: MutableReals, _ dpeepholes: MutableReals?
        ) -> Void
    let lstmGates:
        @convention(c) (
            Int, Int, _ tape: MutableReals, Int, _ bias: Reals, _ cell: Reals, Int, _ nextCell: MutableReals, Int
        ) -> Void
    let lstmOutput:
        @convention(c) (
            Int, Int, _ tape: Reals, Int, _ cell: Reals, _ bias: Reals, _ output: MutableReals, Int
        ) -> Void
    let lstmOutputBackward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, Int, _ normalized: Reals, Int, _ gain: Reals, _ bias: Reals, _ dy: Reals?,
            _ dh: Reals, _ dcell: MutableReals, _ dbias: MutableReals
        ) -> Void
    let lstmGatesBackward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, Int, _ cell: Reals, Int, _ dc: MutableReals, _ dbias: MutableReals
        ) -> Void
    let rnnForward:
        @convention(c) (Int, Int, _ relu: Int32, _ tape: MutableReals, _ bias: Reals, _ next: MutableReals) -> Void
    let rnnBackward:
        @convention(c) (
            Int, Int, _ relu: Int32, _ tape: MutableReals, _ dy: Reals?, _ dh: Reals, _ dbias: MutableReals
        ) -> Void
    let normalize:
        @convention(c) (
            Int, Int, _ values: MutableReals, Int, _ gain: Reals, _ normalized: MutableReals, Int,
            _ scale: MutableReals, Int
        ) -> Void
    let normalizeBackward:
        @convention(c) (
            Int, Int, _ dvalues: Reals, Int, _ normalized: Reals, Int, _ scale: Reals, Int, _ gain: Reals,
            _ dx: MutableReals, Int, _ dgain: MutableReals
        ) -> Void
    let adam:
        @convention(c) (
            Int, _ constants: Reals, _ p: MutableReals, _ g: Reals, _ m: MutableReals, _ v: MutableReals,
            _ peak: MutableReals?
        ) -> Void
    let sgd:
        @convention(c) (
            Int, _ constants: Reals, _ nesterov: Int32, _ p: MutableReals, _ g: Reals, _ velocity: MutableReals?
        ) -> Void
    let rmsProp:
        @convention(c) (
            Int, _ constants: Reals, _ p: MutableReals, _ g: Reals, _ v: MutableReals, _ velocity: MutableReals?
        ) -> Void
    let transpose:
        @convention(c) (
            _ rows: Int, _ columns: Int, _ source: Reals, _ stride: Int, _ target: MutableReals, _ targetStride: Int
        ) -> Void

    /// A typed C function as one on untyped memory: pointers are passed alike.
    static func untyped<Typed, Untyped>(_ function: Typed) -> Untyped {
        unsafe unsafeBitCast(function, to: Untyped.self)
    }
}
