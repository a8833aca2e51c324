import Testing
import TestSupport

@testable import Sluice

/// Beneath the public doors: views, products, helpers of rows and kernels compare shapes too, so that what a door forgets ends
/// in words and not in other memory.
@Suite struct ShapeTests {
    static let all: [Misuse] = views + products + kernels

    @Test(arguments: all.map(\.name))
    func stopsInWords(_ name: String) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [name = name as String] in
            Self.all.first { $0.name == name }!.body()
        }
        let words = Self.all.first { $0.name == name }!.words
        #expect(result.says(words), "\(String(decoding: result?.standardErrorContent ?? [], as: UTF8.self))")
    }

    private static func zeros(_ rows: Int, _ columns: Int, _ body: (MatrixView<Double>) -> Void) {
        let matrix = Matrix<Double>(rows: rows, columns: columns)
        withExtendedLifetime(matrix) { body(matrix.view) }
    }

    private static let engine = Engine<Double>(backend: .default, level: .best)

    // MARK: Views

    private static let views: [Misuse] = [
        Misuse("rows", "rows 1..<4 of a view of 3 rows") { zeros(3, 2) { _ = $0.rows(1..<4) } },
        Misuse("row -1", "rows -1..<0 of a view of 3 rows") { zeros(3, 2) { _ = $0.row(-1) } },
        Misuse("columns", "columns 2..<3 of a view of 2 columns") { zeros(3, 2) { _ = $0.columns(2..<3) } },
        Misuse("another shape", "2 x 4 elements of a view of 3 x 2") {
            zeros(3, 2) { _ = $0.reshaped(rows: 2, columns: 4) }
        },
        Misuse("another shape of a view with gaps", "1 x 3 elements of a view of 3 x 1 with gaps") {
            zeros(3, 2) { _ = $0.columns(0..<1).reshaped(rows: 1, columns: 3) }
        },
        Misuse("copy", "a 3 x 1 view copied to a 3 x 2 one") { zeros(3, 2) { $0.copy($0.columns(0..<1)) } },
        Misuse("transpose", "a 3 x 2 view transposed to a 3 x 2 one") { zeros(3, 2) { $0.copyTransposed($0) } },
        Misuse("sum", "a 2 x 2 view added to a 3 x 2 one") { zeros(3, 2) { $0.add($0.rows(0..<2)) } },
        Misuse("masked rows", "target 3 x 2, values 3 x 2, mask 2 x 2") {
            zeros(3, 2) { $0.setProduct($0, $0.rows(0..<2)) }
        },
        Misuse("gathered rows", "rows 3..<4 of a view of 3 rows") {
            zeros(3, 2) { $0.gatherRows([0, 3][...], of: $0) }
        },
        Misuse("block of memory", "3 x 3 numbers behind 0 in a block of 8") {
            zeros(1, 8) { _ = $0.matrix(Place(offset: 0, rows: 3, columns: 3)) }
        },
        Misuse("block beyond 64 bits", "room for 1 matrices of 2147483648 x 4294967296 behind 0 numbers: more than") {
            var arena = Arena(.double)
            _ = arena.places(2, rows: 1 << 31, columns: 1 << 32)
        },
    ]

    // MARK: Products

    /// a [3, 2] b [2, 4] into [3, 4], and each factor transposed, one size of one of them another at a time.
    private static let products: [Misuse] =
        [
            ("rows", 4, 2, 2, 4, 3, 4), ("depth", 3, 1, 2, 4, 3, 4), ("columns", 3, 2, 2, 5, 3, 4),
            ("fewer columns", 3, 2, 2, 4, 3, 3), ("no rows", 3, 2, 2, 4, 0, 4), ("one for many", 1, 2, 2, 4, 1, 4_000),
        ].map { name, m, k, l, n, rows, columns in
            Misuse("product: \(name)", "a product of \(m) x \(k) and \(l) x \(n) into \(rows) x \(columns)") {
                zeros(m, k) { a in
                    zeros(l, n) { b in zeros(rows, columns) { engine.multiply(a, b, into: $0) } }
                }
            }
        } + [
            Misuse("product of a transpose", "a product of 3 x 2' and 2 x 4 into 2 x 4") {
                zeros(3, 2) { a in zeros(2, 4) { engine.multiply(transposing: a, $0, into: $0) } }
            },
            Misuse("product with a transpose", "a product of 3 x 2 and 2 x 4' into 3 x 2") {
                zeros(3, 2) { a in zeros(2, 4) { engine.multiply(a, transposing: $0, into: a) } }
            },
            Misuse("product with weights", "a product of 3 x 2 and weights of 3 x 2 into 3 x 2") {
                zeros(3, 2) { engine.multiply($0, .plain($0, first: 0), into: $0) }
            },
        ]

    // MARK: Kernels

    private static let kernels: [Misuse] = [
        Misuse("kernel of a GRU", "tape 2 x 12, hu 2 x 9, bias 1 x 11, previous 2 x 3, next 2 x 3") {
            zeros(2, 12) { tape in
                let states = tape.reshaped(rows: 2, columns: 3)
                engine.gruAfterForward(
                    tape: tape, hu: tape.reshaped(rows: 2, columns: 9), bias: tape.row(0).columns(0..<11),
                    previous: states, next: states)
            }
        },
        Misuse(
            "kernel of an LSTM", "gates 2 x 12, bias 1 x 12, peepholes none, cell 2 x 3, nextCell 1 x 3, output 2 x 3"
        ) {
            zeros(2, 12) { gates in
                let cells = gates.reshaped(rows: 2, columns: 3)
                engine.lstmForward(
                    gates: gates, bias: gates.row(0), peepholes: nil, cell: cells, nextCell: cells.row(0), output: cells
                )
            }
        },
        Misuse("kernel of an RNN", "tape 2 x 3, bias 1 x 3, next 2 x 4") {
            zeros(2, 12) { memory in
                let tape = memory.reshaped(rows: 2, columns: 3)
                engine.rnnForward(.tanh, tape: tape, bias: tape.row(0), next: memory.reshaped(rows: 2, columns: 4))
            }
        },
        Misuse("kernel of states with gaps", "tape 2 x 3, bias 1 x 3, next 2 x 3 with gaps") {
            zeros(2, 12) { memory in
                let tape = memory.reshaped(rows: 2, columns: 3)
                engine.rnnForward(.tanh, tape: tape, bias: tape.row(0), next: memory.columns(0..<3))
            }
        },
        Misuse("kernel of a normalisation", "values 2 x 12, gain 1 x 12, normalized 2 x 12, scale 2 x 2 with gaps") {
            zeros(2, 12) {
                engine.normalize($0, gain: $0.row(0), normalized: $0, scale: $0.columns(0..<2))
            }
        },
        Misuse("kernel of an optimiser", "parameters 1 x 12, gradient 1 x 12, velocity 1 x 0") {
            zeros(1, 12) {
                engine.sgd(
                    $0, gradient: $0, velocity: $0.columns(0..<0), nesterov: false,
                    SGDConstants(gradient: GradientConstants(), rate: 1, momentum: 1))
            }
        },
    ]
}
