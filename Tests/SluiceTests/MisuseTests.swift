import Sluice
import Testing
import TestSupport

/// A call that cannot be right, and what is said when the program stops.
struct Misuse: Sendable, CustomTestStringConvertible {
    let name: String
    let words: String
    let body: @Sendable () -> Void

    init(_ name: String, _ words: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.words = words
        self.body = body
    }

    var testDescription: String { name }
}

/// Every public door of matrices, batches, configurations, parameters, networks and streams: a mistake stops the program with
/// words that hold what was given and what is needed.
@Suite struct MisuseTests {
    static let all: [Misuse] = matrices + packings + models + passes + streams

    @Test(arguments: all.map(\.name))
    func stopsInWords(_ name: String) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [name = name as String] in
            Self.all.first { $0.name == name }!.body()
        }
        let words = Self.all.first { $0.name == name }!.words
        #expect(result.says(words), "\(String(decoding: result?.standardErrorContent ?? [], as: UTF8.self))")
    }

    @Test func namesAreUnique() { #expect(Set(Self.all.map(\.name)).count == Self.all.count) }

    // MARK: What they are tried on

    static func configuration(
        _ cell: Cell = .gru(.resetAfter), direction: Direction = .forward, head: Head? = Head(outputSize: 2)
    ) -> Configuration {
        Configuration(cell: cell, inputSize: 3, hiddenSize: 5, direction: direction, head: head)
    }

    static func network(_ configuration: Configuration = configuration()) -> Network<Double> {
        var random = Random(seed: 1)
        return Network(configuration, .pyTorch, using: &random)
    }

    static let packing = Packing(lengths: [2, 3, 1])
    static var x: Matrix<Double> { Matrix(rows: 6, columns: 3) }

    // MARK: Matrices, generators, threads

    static let matrices: [Misuse] = [
        Misuse("negative matrix", "a matrix of -1 x 4: no size can be negative") {
            _ = Matrix<Float>(rows: -1, columns: 4)
        },
        Misuse("matrix beyond 64 bits", "a matrix of 1099511627776 x 1099511627776: more numbers than memory") {
            _ = Matrix<Float>(rows: 1 << 40, columns: 1 << 40)
        },
        Misuse("matrix whose bytes are beyond 64 bits", "a matrix of 2147483648 x 1073741824: more numbers") {
            _ = Matrix<Double>(rows: 1 << 31, columns: 1 << 30)
        },
        Misuse("matrix beyond memory", "no memory for a matrix of 1048576 x 33554432: 281474976710656 bytes") {
            _ = Matrix<Double>(rows: 1 << 20, columns: 1 << 25)
        },
        Misuse("too few elements", "3 elements for a matrix of 2 x 2") {
            _ = Matrix<Double>(rows: 2, columns: 2, [1, 2, 3])
        },
        Misuse("elements of a matrix beyond 64 bits", "a matrix of 4611686018427387904 x 4: more numbers") {
            _ = Matrix<Double>(rows: 1 << 62, columns: 4, [])
        },
        Misuse("a collection that counts itself wrong", "2 elements for a matrix of 3 x 1") {
            _ = Matrix<Double>(rows: 3, columns: 1, Miscounted())
        },
        Misuse("row out of range", "element (2, 0) of a matrix of 2 x 2") {
            _ = Matrix<Double>(rows: 2, columns: 2)[2, 0]
        },
        Misuse("no threads", "0 threads; 1 to 4096 are possible") { _ = Workers(threads: 0) },
        Misuse("too many threads", "1099511627776 threads; 1 to 4096 are possible") { _ = Workers(threads: 1 << 40) },
    ]

    /// Three by its count, two to whoever goes through it.
    struct Miscounted: Collection {
        let startIndex = 0, endIndex = 2
        var count: Int { 3 }
        func index(after index: Int) -> Int { index + 1 }
        subscript(index: Int) -> Double { 1 }
    }

    // MARK: Batches

    static let packings: [Misuse] = [
        Misuse("no sequences", "a batch of 0 sequences; at least 1 is needed") { _ = Packing(lengths: []) },
        Misuse("empty sequence", "sequence 1 has length 0; at least 1 is needed") { _ = Packing(lengths: [2, 0]) },
        Misuse("lengths beyond 64 bits", "sequence 1 alone 9223372036854775807; at most 2147483647 is possible") {
            _ = Packing(lengths: [1, .max])
        },
        Misuse("sum of lengths", "sequences 0 to 2 have more than 2147483647 steps in all") {
            _ = Packing(lengths: [1, 1_500_000_000, 1_500_000_000])
        },
        Misuse("batch without steps", "a batch of 3 sequences of 0 steps; at least 1") {
            _ = Packing(sequences: 3, steps: 0)
        },
        Misuse("batch beyond 64 bits", "a batch of 1099511627776 sequences of 1099511627776 steps; at most") {
            _ = Packing(sequences: 1 << 40, steps: 1 << 40)
        },
        Misuse("row of another sequence", "sequence 99 of a batch of 3 sequences") {
            _ = packing.row(sequence: 99, step: 0)
        },
        Misuse("row of sequence -1", "sequence -1 of a batch of 3 sequences") {
            _ = packing.row(sequence: -1, step: 0)
        },
        Misuse("row of another step", "step 2 of sequence 0, which has 2 steps") {
            _ = packing.row(sequence: 0, step: 2)
        },
        Misuse("rows of another step", "step 3 of a batch whose longest sequence has 3 steps") {
            _ = packing.rows(at: 3)
        },
        Misuse("rows of other steps", "steps 1..<4 of a batch whose longest sequence has 3") {
            _ = packing.rows(of: 1..<4)
        },
        Misuse("alive at another step", "step -1 of a batch whose longest sequence has 3") {
            _ = packing.aliveCount(at: -1)
        },
        Misuse("mask with a gap", "the mask of sequence 1 has steps up to 1 and again from 2") {
            _ = Packing(mask: [[true], [true, false, true]])
        },
        Misuse("mask without a step", "sequence 1 has length 0; at least 1") { _ = Packing(mask: [[true], [false]]) },
        Misuse("mask of fewer steps", "2 steps of padding for sequences of up to 3") { _ = packing.mask(steps: 2) },
        Misuse("padded array of half a step", "7 rows of a padded array for 3 sequences: not a whole number") {
            _ = packing.pack(Matrix<Float>(rows: 7, columns: 1), order: .timeMajor)
        },
        Misuse("padded array that is too short", "2 steps of padding for sequences of up to 3") {
            _ = packing.pack(Matrix<Float>(rows: 6, columns: 1), order: .batchMajor)
        },
        Misuse("rows of another batch", "5 rows for a batch of 6 rows") {
            _ = packing.unpack(Matrix<Float>(rows: 5, columns: 1), order: .batchMajor)
        },
        Misuse("padding beyond 64 bits", "9223372036854775807 steps of padding for 3 sequences; at most") {
            _ = packing.unpack(Matrix<Float>(rows: 6, columns: 1), order: .timeMajor, steps: .max)
        },
    ]

    // MARK: Configurations, parameters, states

    static let models: [Misuse] = [
        Misuse("configuration without layers", "layers 0; 1 to 4096 is possible") {
            _ = Configuration(cell: .lstm, inputSize: 3, hiddenSize: 5, layers: 0)
        },
        Misuse("head without outputs", "head.outputSize 0; 1 to 16777216 is possible") { _ = Head(outputSize: 0) },
        Misuse("layout of a changed configuration", "hiddenSize -3; 1 to 1048576 is possible") {
            var changed = configuration()
            changed.hiddenSize = -3
            _ = ParameterLayout(changed)
        },
        Misuse("states of a changed configuration", "layers 4611686018427387904; 1 to 4096") {
            var changed = configuration()
            changed.layers = 1 << 62
            _ = State<Float>(changed, sequences: 2)
        },
        Misuse("workspace of a changed configuration", "projectionSize 2 of a gru.resetAfter, which has no projection")
        {
            var changed = configuration()
            changed.projectionSize = 2
            _ = Workspace<Float>(changed, packing, recording: true)
        },
        Misuse("gradients of a changed configuration", "head.outputSize -1; 1 to 16777216") {
            var changed = configuration()
            changed.head?.outputSize = -1
            _ = Gradients<Float>(changed, packing)
        },
        Misuse("parameters of a network that is too large", "a network of 2250702450589696 parameters") {
            var random = Random(seed: 1), changed = Configuration(cell: .rnn(.tanh), inputSize: 1, hiddenSize: 1)
            (changed.hiddenSize, changed.layers) = (1 << 20, 1 << 10)
            _ = Parameters<Float>(changed, .pyTorch, using: &random)
        },
        Misuse("initial values without a deviation", "biases with a standard deviation of nan: 0 to 1e+38 is needed") {
            var random = Random(seed: 1), initialization = Initialization.keras
            initialization.biases = .truncatedNormal(standardDeviation: .nan)
            _ = Parameters<Float>(configuration(), initialization, using: &random)
        },
        Misuse("values of another shape", "values of 1 x 3 for parameters of 1 x 162") {
            var parameters = network().parameters
            parameters.values = Matrix(rows: 1, columns: 3)
            _ = parameters["head.bias"]
        },
        Misuse("values of another shape in a network", "values of 162 x 1 for parameters of 1 x 162") {
            var network = Self.network()
            network.parameters.values = Matrix(rows: 162, columns: 1)
        },
        Misuse("a parameter of another shape", "weight_hh_l0 is 5 x 15, not 15 x 5") {
            var parameters = network().parameters
            parameters["weight_hh_l0"] = Matrix(rows: 15, columns: 5)
        },
        Misuse("a parameter that is not there", "no parameter weight_hr_l0 among the 6 from weight_ih_l0 to head.bias")
        {
            _ = network().parameters["weight_hr_l0"]
        },
        Misuse("states of fewer than no sequences", "states of -1 sequences; at least 0") {
            _ = State<Float>(configuration(), sequences: -1)
        },
        Misuse("reset of another sequence", "sequence 2 of states for 2 sequences") {
            var state = State<Float>(configuration(), sequences: 2)
            state.reset(sequence: 2)
        },
        Misuse("reset in states that are none", "sequence 0 of states for 0 sequences") {
            var state = State<Float>(configuration(), sequences: 2)
            state.hidden = []
            state.reset(sequence: 0)
        },
        Misuse("regularisation of a workspace", "a dropout of nan: at least 0 and less than 1 is needed") {
            _ = Workspace<Float>(
                configuration(), packing, recording: true, regularization: Regularization(dropout: .nan))
        },
        Misuse("regularisation of inference", "a workspace for inference, which leaves nothing out") {
            _ = Workspace<Float>(
                configuration(), packing, recording: false, regularization: Regularization(dropout: 0.5))
        },
    ]
}
