/// How wide the panels of a weight matrix are, and how many rows one product takes: a fixed rule of scalar, shape and
/// OpenBLAS's kernels, not of a clock, so that results repeat.
///
/// OpenBLAS's AVX-512 kernels (SkylakeX, Cooperlake, SapphireRapids) multiply without packing while M N K <= 1e6. Panels
/// of 32 columns in Double and 64 in Float, in blocks of rows that stay below that, reach 90 % of a core's peak from 4 rows
/// and 64 hidden units up, where the whole product reaches 20 to 85 %. Its other kernels lose by panels: 35 against 48
/// GFLOP/s for H = 512, 128 rows, Double, with the Haswell kernels on the same processor. They, and the reference
/// backend, take the matrix whole.
enum PanelRule: Sendable {
    /// Panels for kernels that multiply small products without packing.
    case smallProducts(preferredWidth: Int)
    /// One panel: the whole matrix.
    case whole

    /// The rule for a scalar on a backend.
    init<S: Scalar>(_ backend: Backend, _ scalar: S.Type) {
        self = .whole
        #if OpenBLAS
        if backend == .openBLAS && OpenBLAS.multipliesSmallProducts {
            self = .smallProducts(preferredWidth: S.type == .float ? 64 : 32)
        }
        #endif
    }

    /// Whether a pass over a batch reads panels; if not, it takes the parameters as they are. Vector products need none,
    /// and a step of one sequence is one. (With the small-product kernels panels make it 1.1 to 1.4 times faster too, which
    /// pays for packing the weights of one training step from some 64 steps on.)
    func pays(sequences: Int, steps: Int, recording: Bool) -> Bool {
        switch self {
        case .smallProducts: sequences > 1 || !recording || steps >= 64
        case .whole: sequences > 1
        }
    }

    /// The largest M N K that is multiplied without packing.
    static var smallProductLimit: Int { 1_000_000 }

    /// The width of the panels of a matrix of `rows` x `columns`.
    func width(rows: Int, columns: Int) -> Int {
        switch self {
        case .smallProducts(let preferredWidth): max(min(preferredWidth, columns), 1)
        case .whole: max(columns, 1)
        }
    }

    /// The rows of the left factor in one product with a panel of that width.
    func rowBlock(rows: Int, width: Int) -> Int {
        switch self {
        case .smallProducts:
            // Whole register tiles of 8 rows where the limit allows; at most 32, so that a block of c stays in the cache.
            let most = Self.smallProductLimit / max(rows * width, 1)
            return most >= 8 ? min(most / 8 * 8, 32) : max(most, 1)
        case .whole: return .max
        }
    }
}
