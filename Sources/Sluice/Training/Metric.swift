/// What outputs are judged by beside the loss: a mean over rows, or whatever else a closure counts.
///
///     trainer.metric = .accuracy()
///     trainer.metric = Metric("within 0.04") { outputs, targets, packing in
///         (sum: Double((0..<outputs.rows).count { abs(outputs[$0, 0] - targets[$0, 0]) < 0.04 }), count: Double(outputs.rows))
///     }
public struct Metric<S: Scalar>: Sendable {
    /// What reports call it.
    public let name: String
    private let body: Body

    private enum Body: Sendable {
        case accuracy(ignoredClass: S)
        case binaryAccuracy(threshold: S)
        case closure(@Sendable (_ outputs: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) -> (Double, Double))
    }

    private init(_ name: String, _ body: Body) {
        self.name = name
        self.body = body
    }

    /// A metric of one's own.
    ///
    /// - Parameters:
    ///   - name: what reports call it.
    ///   - measure: from a batch's outputs and targets a sum and the number of things it is over. The metric of several batches
    ///     is the sum of the sums by the sum of the numbers.
    public init(
        _ name: String,
        _ measure:
            @escaping @Sendable (_ outputs: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing) ->
            (sum: Double, count: Double)
    ) {
        self.init(name, .closure(measure))
    }

    /// The share of rows whose largest output is that of their class, or of their most probable class.
    ///
    /// - Parameter ignoredClass: the class of rows that do not count, as in ``Loss/crossEntropy(classWeights:ignoredClass:labelSmoothing:)``.
    public static func accuracy(ignoredClass: Int = -100) -> Metric {
        Metric("accuracy", .accuracy(ignoredClass: S(ignoredClass)))
    }

    /// The share of outputs on their target's side: above a threshold where the target is above a half.
    ///
    /// - Parameter threshold: 0 for logits.
    public static func binaryAccuracy(threshold: S = 0) -> Metric {
        Metric("accuracy", .binaryAccuracy(threshold: threshold))
    }
}

struct MetricSum {
    var sum = 0.0
    var count = 0.0
}

/// Room for what a closure is given.
struct Measured<S: Scalar>: Sendable {
    /// `[n, O]`
    var outputs: Matrix<S>
    /// The targets' copy.
    var targets: Matrix<S>
}

extension Metric {
    /// A batch's.
    ///
    /// - Parameters:
    ///   - measured: with the outputs.
    ///   - targets: as the loss takes them.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func measure(_ measured: inout Measured<S>, _ targets: MatrixView<S>, _ packing: Packing) -> MetricSum {
        let outputs = measured.outputs.view
        switch body {
        case .accuracy(let ignored): return Self.accuracy(outputs, targets, ignored)
        case .binaryAccuracy(let threshold):
            var sum = MetricSum()
            for i in 0..<outputs.rows {
                for j in 0..<outputs.columns where (outputs[i, j] > threshold) == (targets[i, j] > 0.5) {
                    sum.sum += 1
                }
            }
            sum.count = Double(outputs.rows * outputs.columns)
            return sum
        case .closure(let closure):
            measured.targets.mutableView().copy(targets)
            let (sum, count) = closure(measured.outputs, measured.targets, packing)
            return MetricSum(sum: sum, count: count)
        }
    }

    private static func accuracy(_ outputs: MatrixView<S>, _ targets: MatrixView<S>, _ ignored: S) -> MetricSum {
        var sum = MetricSum()
        for row in 0..<outputs.rows {
            let areClasses = targets.columns == 1
            if areClasses && targets[row, 0] == ignored { continue }
            let target = areClasses ? Int(targets[row, 0]) : targets.largest(row)
            if outputs.largest(row) == target { sum.sum += 1 }
            sum.count += 1
        }
        return sum
    }
}

extension MatrixView {
    /// The column of a row's largest number, the first of several.
    fileprivate func largest(_ row: Int) -> Int {
        var best = 0
        for column in 1..<max(columns, 1) where self[row, column] > self[row, best] { best = column }
        return best
    }
}
