import CSluiceKernels

/// The instruction sets that the fused kernels are compiled for.
///
/// The best one is chosen when a network is made; a lower one can be asked for, to test it or to repeat a result of
/// another machine.
public enum KernelLevel: String, Codable, CaseIterable, Sendable {
    /// What every processor of this architecture has.
    case baseline
    /// AVX2 and FMA.
    case avx2
    /// AVX-512 F, DQ, BW and VL.
    case avx512

    /// The highest level of this processor.
    public static let best = allCases[Int(sluice_best_level().rawValue)]

    /// The levels that this processor can run.
    public static var available: [KernelLevel] { Array(allCases[...allCases.firstIndex(of: best)!]) }

    /// Its place among the levels, the lowest first.
    var index: Int { Self.allCases.firstIndex(of: self)! }

    var symbol: sluice_level {
        switch self {
        case .baseline: SLUICE_LEVEL_BASELINE
        case .avx2: SLUICE_LEVEL_AVX2
        case .avx512: SLUICE_LEVEL_AVX512
        }
    }
}

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
    let gruBeforeGates:
        (Int, Int, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals) -> Void
    let gruBeforeUpdate:
        (Int, Int, _ flipped: Int32, _ tape: MutableReals, _ hu: Reals, _ bias: Reals, _ previous: Reals,
         _ next: MutableReals) -> Void
    let gruBeforeUpdateBackward:
        (Int, Int, _ flipped: Int32, _ tape: MutableReals, _ previous: Reals, _ dy: Reals?, _ dh: MutableReals,
         _ dbias: MutableReals) -> Void
    let gruBeforeGatesBackward:
        (Int, Int, _ tape: MutableReals, _ previous: Reals, _ dq: Reals, _ dh: MutableReals, _ dbias: MutableReals)
            -> Void
    let adam:
        (Int, _ p: MutableReals, _ g: Reals, _ m: MutableReals, _ v: MutableReals, _ rate: S, _ beta1: S, _ beta2: S,
         _ epsilon: S) -> Void
}

/// Where the kernels of one scalar and level live, as long as the process does: engines point here without counting.
final class KernelTable<S>: Sendable {
    let kernels: Kernels<S>

    init(_ kernels: Kernels<S>) { self.kernels = kernels }
}
