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
        case accuracy(ignoredClass: Int)
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

    /// The share of rows whose largest output is that of their class, or of their most probable class. Targets are those of
    /// ``Loss/crossEntropy(classWeights:ignoredClass:labelSmoothing:)``, and there are at least two outputs.
    ///
    /// - Parameter ignoredClass: the class of rows that do not count, as in ``Loss/crossEntropy(classWeights:ignoredClass:labelSmoothing:)``.
    public static func accuracy(ignoredClass: Int = -100) -> Metric {
        Metric("accuracy", .accuracy(ignoredClass: ignoredClass))
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

/// Room for what a metric is given of a batch.
struct Measured<S: Scalar>: Sendable {
    /// `[n, O]`
    var outputs = Matrix<S>(rows: 0, columns: 0)
    /// The targets' copy, for a closure.
    var targets = Matrix<S>(rows: 0, columns: 0)
}

// MARK: Checks

extension Metric {
    /// Checks targets, for those that come from outside: a step on others stops the program with the same words.
    ///
    /// - Parameters:
    ///   - targets: for outputs `[rows, columns]`.
    ///   - rows: n, the outputs' rows.
    ///   - columns: O, the outputs' columns.
    /// - Throws: ``InvalidValue``: targets of another shape than the metric takes, a class that is none.
    public func validate(_ targets: Matrix<S>, outputRows rows: Int, columns: Int) throws(InvalidValue) {
        try InvalidValue.throwing(problem(of: targets, rows: rows, columns: columns))
    }

    /// What is wrong with targets of outputs of a shape, in words.
    func problem(of targets: Matrix<S>, rows: Int, columns: Int) -> String? {
        if let problem = shapeProblem(targets.view, rows: rows, columns: columns) { return problem }
        guard case .accuracy(let ignored) = body, targets.columns == 1 else { return nil }
        for row in 0..<rows where targets.view[row, 0] != S(ignored) {
            if let problem = Loss.problem(ofClass: targets.view[row, 0], row: row, classes: columns, ignored: ignored) {
                return problem
            }
        }
        return nil
    }

    private func shapeProblem(_ targets: MatrixView<S>, rows: Int, columns: Int) -> String? {
        var shapes: String { "targets of \(targets.rows) x \(targets.columns) for outputs of \(rows) x \(columns)" }
        switch body {
        case .accuracy(let ignored):
            if columns < 2 { return "the accuracy of outputs of one column: binaryAccuracy is for those" }
            if targets.columns == 1, let problem = Loss.problem(ofClasses: columns, ignored: ignored, in: S.self) {
                return problem
            }
            return targets.rows == rows && (targets.columns == 1 || targets.columns == columns)
                ? nil : shapes + ", whose accuracy is asked for: \(rows) x 1 or as the outputs is needed"
        case .binaryAccuracy:
            return targets.rows == rows && targets.columns == columns
                ? nil : shapes + ", whose binaryAccuracy is asked for: as the outputs is needed"
        case .closure: return nil
        }
    }
}

// MARK: Measuring

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
        require(noProblem: shapeProblem(targets, rows: outputs.rows, columns: outputs.columns))
        switch body {
        case .accuracy(let ignored): return Self.accuracy(outputs, targets, ignored: ignored)
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
            measured.targets.take(rows: targets.rows, columns: targets.columns)
            measured.targets.mutableView().copy(targets)
            let (sum, count) = closure(measured.outputs, measured.targets, packing)
            return MetricSum(sum: sum, count: count)
        }
    }

    private static func accuracy(_ outputs: MatrixView<S>, _ targets: MatrixView<S>, ignored: Int) -> MetricSum {
        var sum = MetricSum()
        let areClasses = targets.columns == 1
        for row in 0..<outputs.rows {
            var target = 0
            if areClasses {
                let number = targets[row, 0]
                if number == S(ignored) { continue }
                require(
                    noProblem: Loss.problem(ofClass: number, row: row, classes: outputs.columns, ignored: ignored))
                target = Int(number)
            } else {
                target = targets.largest(row)
            }
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
