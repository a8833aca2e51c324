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
            Int, Int, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals, _ next: MutableReals
        ) -> Void
    let gruAfterBackward:
        @convention(c) (
            Int, Int, _ tape: MutableReals, _ previous: Reals, _ dy: Reals?, _ dh: MutableReals, _ dbias: MutableReals
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

    /// A typed C function as one on untyped memory: pointers are passed alike.
    static func untyped<Typed, Untyped>(_ function: Typed) -> Untyped {
        unsafe unsafeBitCast(function, to: Untyped.self)
    }
}
