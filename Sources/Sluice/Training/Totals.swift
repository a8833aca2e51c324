/// The sums that a loss and a metric of some batches are means of, so that those of several can be added up: in Double, which
/// counts rows one by one to 2^53, where Float would stop at 2^24.
struct Totals: Codable, Sendable {
    /// The loss before it is divided.
    private(set) var lossSum = 0.0
    /// What it is divided by: sequences, rows or weights, as ``Loss`` says.
    private(set) var normalizer = 0.0
    private(set) var metricSum = 0.0
    private(set) var metricCount = 0.0

    init() {}

    init(loss: Double, normalizer: Double) {
        lossSum = loss
        self.normalizer = normalizer
    }

    /// The mean; over nothing it is not a number.
    var loss: Double { lossSum / normalizer }
    var metric: Double { metricSum / metricCount }

    /// Whether no row counted: all classes are ignored, or weigh nothing.
    var isEmpty: Bool { normalizer == 0 }

    /// What no pass can have left, in words that name the field.
    var problem: String? {
        normalizer >= 0 && normalizer.isFinite
            ? nil : "normalizer is \(normalizer): a finite number, at least 0, is needed"
    }

    mutating func add(_ other: Totals) {
        lossSum += other.lossSum
        normalizer += other.normalizer
        metricSum += other.metricSum
        metricCount += other.metricCount
    }

    mutating func add(_ metric: MetricSum) {
        metricSum += metric.sum
        metricCount += metric.count
    }
}

// MARK: As numbers that workers add

extension Totals {
    /// How many numbers of a scalar they are written as.
    static let numberCount = 4 * parts

    /// A sum is written as multiples of 2^24, multiples of 2^8, and the rest: up to 2^40 each part has so few bits that Float adds
    /// the counts of 256 workers without rounding one.
    private static let parts = 3

    /// As numbers `[1, 12]`.
    func write<S: Scalar>(to numbers: MatrixView<S>) {
        for (index, sum) in [lossSum, normalizer, metricSum, metricCount].enumerated() {
            let coarse = (sum / 0x1p24).rounded(.towardZero) * 0x1p24
            let middle = ((sum - coarse) / 0x1p8).rounded(.towardZero) * 0x1p8
            let parts = sum.isFinite ? [coarse, middle, sum - coarse - middle] : [sum, 0, 0]
            for (part, value) in parts.enumerated() { numbers[0, Self.parts * index + part] = S(value) }
        }
    }

    mutating func read<S: Scalar>(from numbers: MatrixView<S>) {
        func sum(_ index: Int) -> Double {
            (0..<Self.parts).reduce(0) { $0 + Double(numbers[0, Self.parts * index + $1]) }
        }
        (lossSum, normalizer, metricSum, metricCount) = (sum(0), sum(1), sum(2), sum(3))
    }
}

/// The loss of a set and what else it was measured by.
public struct Evaluation: Codable, Hashable, Sendable {
    /// The mean over all batches, as the loss says.
    public let loss: Double
    /// nil: nothing else was asked for.
    public let metric: Double?
}

/// The gradients of the batches that an update will follow together, as sums: a batch counts by what its loss is
/// divided by, so that batches of any sizes add up to the one that would hold them all.
struct Accumulation<S: Scalar>: Codable, Sendable {
    private(set) var isEmpty = true
    private var totals = Totals()
    /// [1, count]; nil before the first.
    private var gradient: Matrix<S>?

    /// Adds a batch's, `[1, count]`.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func add(_ gradient: MatrixView<S>, _ totals: Totals) {
        if self.gradient == nil { self.gradient = Matrix(rows: 1, columns: gradient.columns) }
        let sum = self.gradient!.mutableView()
        if isEmpty { sum.copy(gradient) } else { sum.add(gradient) }
        self.totals.add(totals)
        isEmpty = false
    }

    /// Adds all that there is to that of one more batch, and forgets it.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func addUp(to gradient: MatrixView<S>, _ totals: inout Totals) {
        guard !isEmpty else { return }
        gradient.add(self.gradient!.view)
        totals.add(self.totals)
        clear()
    }

    mutating func clear() {
        totals = Totals()
        isEmpty = true
    }

    /// What makes it none of a network of so many parameters, in words that name the field.
    func problem(parameters: Int) -> String? {
        if gradient == nil && !isEmpty { return "gradient is missing, though isEmpty is false" }
        if let gradient, gradient.rows != 1 || gradient.columns != parameters {
            return "gradient has \(gradient.rows) x \(gradient.columns) numbers, for 1 x \(parameters) parameters"
        }
        return totals.problem.map { "totals.\($0)" }
    }
}
