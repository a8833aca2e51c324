/// How wide the panels of a weight matrix are, and how many rows one product takes: a fixed rule of scalar, shape and
/// OpenBLAS's kernels, not of a clock, so that results repeat.
///
/// OpenBLAS's AVX-512 kernels (SkylakeX, Cooperlake, SapphireRapids) multiply without packing while M N K <= 1e6; above
/// that every call packs the weights again. Panels keep each product below it. h [B, H] x U [H, 3H] on one core of an AMD
/// EPYC (Zen 4), OpenBLAS 0.3.21 with the Cooperlake kernels, GFLOP/s whole / in this rule's panels:
///
///     Double, peak 57.7    B = 1        B = 4        B = 16       B = 64       B = 128      n x m
///     H = 16               17 / 17      39 / 38      49 / 48      52 / 51      52 / 51      48 x 32
///     H = 64               26 / 26      56 / 55      57 / 56      57 / 57      48 / 57      192 x 32
///     H = 256              22 / 21      56 / 55      41 / 57      51 / 57      53 / 57      32 x 32
///     H = 512              14 / 22      22 / 55      40 / 57      49 / 57      51 / 56      32 x 32
///     H = 1024              4 / 12      12 / 37      30 / 43      45 / 50      49 / 54      32 x 24
///
///     Float, peak 115
///     H = 16               19 / 18      53 / 50      86 / 84     101 / 95     102 / 95      48 x 32
///     H = 64               49 / 48     107 / 106    113 / 113    114 / 114     97 / 114    192 x 32
///     H = 256              51 / 48     114 / 111     82 / 114     99 / 115    103 / 115     64 x 32
///     H = 512              40 / 44      38 / 111     74 / 114     96 / 114     99 / 114     64 x 24
///     H = 1024              6 / 34      26 / 111     50 / 110     80 / 104     90 / 107     64 x 8
///
/// OpenBLAS's other kernels always pack, so panels lose: 35 against 49 GFLOP/s for H = 512, B = 128, Double, with the
/// Haswell kernels on the same processor. They, and the reference backend, take the matrix whole.
///
/// `swift run bench gemm` reprints the table on any machine; `--all` tries other widths and blocks of rows.
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
            self = .smallProducts(S.self)
        }
        #endif
    }

    /// The rule for a scalar with kernels that multiply small products without packing.
    static func smallProducts<S: Scalar>(_ scalar: S.Type) -> PanelRule {
        .smallProducts(preferredWidth: S.type == .float ? 64 : 32)
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

    /// The most rows that one product takes, so that a block of c stays in the cache.
    private static var rowLimit: Int { 32 }

    /// The width of the panels of a matrix of `rows` x `columns`.
    func width(rows: Int, columns: Int) -> Int {
        switch self {
        case .smallProducts(let preferredWidth):
            // A matrix that needs no cutting to stay below the limit is one panel: fewer calls, and nothing gained by more.
            rows * columns * Self.rowLimit <= Self.smallProductLimit
                ? max(columns, 1) : max(min(preferredWidth, columns), 1)
        case .whole: max(columns, 1)
        }
    }

    /// The rows of the left factor in one product with a panel of that width.
    func rowBlock(rows: Int, width: Int) -> Int {
        switch self {
        case .smallProducts:
            // Whole register tiles of 8 rows where the limit allows.
            let most = Self.smallProductLimit / max(rows * width, 1)
            return most >= 8 ? min(most / 8 * 8, Self.rowLimit) : max(most, 1)
        case .whole: return .max
        }
    }
}
