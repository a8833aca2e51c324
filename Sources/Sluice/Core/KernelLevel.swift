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
