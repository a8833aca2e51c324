/// The sums that a loss and a metric of some batches are means of, so that those of several can be added up.
struct Totals<S: Scalar>: Codable, Sendable {
    /// The loss before it is divided.
    var lossSum: S = 0
    /// What it is divided by: sequences, rows or weights, as ``Loss`` says.
    var normalizer: S = 0
    private(set) var metricSum = 0.0
    private(set) var metricCount = 0.0

    init() {}

    init(loss: S, normalizer: S) {
        lossSum = loss
        self.normalizer = normalizer
    }

    var loss: S { lossSum / normalizer }
    var metric: Double { metricSum / metricCount }

    mutating func add<T: Scalar>(_ other: Totals<T>) {
        lossSum += S(other.lossSum)
        normalizer += S(other.normalizer)
        metricSum += other.metricSum
        metricCount += other.metricCount
    }

    mutating func add(_ metric: MetricSum) {
        metricSum += metric.sum
        metricCount += metric.count
    }

    /// As numbers `[1, 4]`.
    func write(to numbers: MatrixView<S>) {
        numbers[0, 0] = lossSum
        numbers[0, 1] = normalizer
        numbers[0, 2] = S(metricSum)
        numbers[0, 3] = S(metricCount)
    }

    mutating func read(from numbers: MatrixView<S>) {
        lossSum = numbers[0, 0]
        normalizer = numbers[0, 1]
        metricSum = Double(numbers[0, 2])
        metricCount = Double(numbers[0, 3])
    }
}

/// The loss of a set and what else it was measured by.
public struct Evaluation: Codable, Hashable, Sendable {
    public let loss: Double
    /// nil: nothing else was asked for.
    public let metric: Double?
}

/// The gradients of the batches that an update will follow together, as sums: a batch counts by what its loss is
/// divided by, so that batches of any sizes add up to the one that would hold them all.
struct Accumulation<S: Scalar>: Codable, Sendable {
    private(set) var isEmpty = true
    private var totals = Totals<S>()
    /// [1, count]; nil before the first.
    private var gradient: Matrix<S>?

    /// Adds a batch's, `[1, count]`.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func add(_ gradient: MatrixView<S>, _ totals: Totals<S>) {
        if self.gradient == nil { self.gradient = Matrix(rows: 1, columns: gradient.columns) }
        let sum = self.gradient!.mutableView()
        if isEmpty { sum.copy(gradient) } else { sum.add(gradient) }
        self.totals.add(totals)
        isEmpty = false
    }

    /// Adds all that there is to that of one more batch, and forgets it.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func addUp(to gradient: MatrixView<S>, _ totals: inout Totals<S>) {
        guard !isEmpty else { return }
        gradient.add(self.gradient!.view)
        totals.add(self.totals)
        clear()
    }

    mutating func clear() {
        totals = Totals()
        isEmpty = true
    }
}
