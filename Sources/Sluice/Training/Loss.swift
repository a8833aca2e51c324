/// What training makes small, from outputs o and targets y of `[n, O]`: a row for each step, or for each sequence if
/// the head reads the last step only. Padding never enters, as rows are packed.
///
/// The means are those of PyTorch's `reduction="mean"`, over the whole batch.
public enum Loss: Codable, Hashable, Sendable {
    /// Half the squared error, summed over outputs and steps and divided by the number of sequences:
    ///
    ///     L = sum(1/2 (o - y)^2) / B
    case halfSquaredError

    /// The squared error (PyTorch's `MSELoss`):
    ///
    ///     L = sum((o - y)^2) / (n O)
    case meanSquaredError

    /// The absolute error (`L1Loss`); its gradient at o = y is 0:
    ///
    ///     L = sum(|o - y|) / (n O)
    case meanAbsoluteError

    /// Squared near the target, absolute far from it (`HuberLoss`), with e = o - y:
    ///
    ///     L = sum(|e| <= delta ? 1/2 e^2 : delta (|e| - delta / 2)) / (n O)
    case huber(delta: Double = 1)

    /// The pinball loss (Koenker and Bassett 1978), least where o is the level's quantile of y, `0 < level < 1`; its
    /// gradient at o = y is 0. PyTorch has none of its own:
    ///
    ///     L = sum(max(level (y - o), (level - 1) (y - o))) / (n O)
    case quantile(level: Double)

    /// The cross-entropy of probabilities y and sigmoid(o), from logits o (`BCEWithLogitsLoss`):
    ///
    ///     L = sum(log(1 + exp(o)) - y o) / (n O)
    case binaryCrossEntropy

    /// The cross-entropy of classes and softmax(o), from logits o (`CrossEntropyLoss`).
    ///
    /// Targets are, as in PyTorch, told apart by their shape: one column, `[n, 1]`, holds each row's class as a number
    /// 0, 1, ... O - 1; otherwise `[n, O]` hold its probabilities. With log p = o - log(sum(exp(o))) and smoothing s,
    ///
    ///     t = w ((1 - s) y + s / O)       l = -sum over classes of t log p
    ///     L = sum(l) / sum(w of the rows' classes)   for classes
    ///     L = sum(l) / n                             for probabilities
    ///
    /// where y is 1 for a row's class and 0 elsewhere. If every row is ignored, L is 0 / 0, not a number, as in PyTorch, and its
    /// gradient 0: a ``Trainer`` makes no update then.
    ///
    /// - Parameters:
    ///   - classWeights: w, one for each class, none negative; nil: ones.
    ///   - ignoredClass: the class of rows that do not count; among probabilities there is none.
    ///   - labelSmoothing: s, from 0 to 1.
    case crossEntropy(classWeights: [Double]? = nil, ignoredClass: Int = -100, labelSmoothing: Double = 0)
}

// MARK: Checks

extension Loss {
    /// Checks its numbers, for those that come from outside: a ``Trainer`` that is given others stops the program with the same words.
    ///
    /// - Parameter outputSize: O, of the outputs that it will be given.
    /// - Throws: ``InvalidValue``: a delta that is not above 0, a level that is not between 0 and 1, class weights of another
    ///   number than O, or one of them below 0, a smoothing outside [0, 1].
    public func validate(outputSize: Int) throws(InvalidValue) {
        try InvalidValue.throwing(problem(outputSize: outputSize))
    }

    /// Checks targets, for those that come from outside: a step on others stops the program with the same words.
    ///
    /// - Parameters:
    ///   - targets: for outputs `[rows, columns]`: in their shape, or one column of classes, each 0, 1, ... columns - 1 or the one
    ///     that is ignored.
    ///   - rows: n, the outputs' rows.
    ///   - columns: O, the outputs' columns.
    /// - Throws: ``InvalidValue``: targets of another shape, a class that is none.
    public func validate<S: Scalar>(_ targets: Matrix<S>, outputRows rows: Int, columns: Int) throws(InvalidValue) {
        try InvalidValue.throwing(problem(of: targets, rows: rows, columns: columns))
    }

    /// What is wrong with its numbers, in words.
    func problem(outputSize: Int) -> String? {
        switch self {
        case .halfSquaredError, .meanSquaredError, .meanAbsoluteError, .binaryCrossEntropy: return nil
        case .huber(let delta):
            return delta > 0 && delta.isFinite
                ? nil : "a Huber loss with a delta of \(delta): a finite number above 0 is needed"
        case .quantile(let level):
            return level > 0 && level < 1 ? nil : "a quantile loss with a level of \(level): between 0 and 1 is needed"
        case .crossEntropy(let weights, _, let smoothing):
            if let weights {
                if weights.count != outputSize { return "\(weights.count) classWeights for \(outputSize) classes" }
                if let index = weights.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
                    return
                        "a weight of \(weights[index]) for class \(index) in classWeights: a finite number, at least 0, is needed"
                }
            }
            return smoothing >= 0 && smoothing <= 1 ? nil : "a labelSmoothing of \(smoothing): 0 to 1 is needed"
        }
    }

    /// What is wrong with targets of outputs of a shape, in words.
    func problem<S: Scalar>(of targets: Matrix<S>, rows: Int, columns: Int) -> String? {
        if let problem = shapeProblem(targets.view, rows: rows, columns: columns) { return problem }
        guard case .crossEntropy(_, let ignored, _) = self, targets.columns == 1 else { return nil }
        for row in 0..<rows where targets.view[row, 0] != S(ignored) {
            if let problem = Self.problem(ofClass: targets.view[row, 0], row: row, classes: columns, ignored: ignored) {
                return problem
            }
        }
        return nil
    }

    private func shapeProblem<S: Scalar>(_ targets: MatrixView<S>, rows: Int, columns: Int) -> String? {
        if columns < 1 { return "outputs of \(rows) x \(columns): at least one column is needed" }
        if targets.rows == rows && targets.columns == columns { return nil }
        var areClasses = false
        if case .crossEntropy = self { areClasses = true }
        if case .crossEntropy(_, let ignored, _) = self, targets.rows == rows, targets.columns == 1 {
            return Self.problem(ofClasses: columns, ignored: ignored, in: S.self)
        }
        let shape = "targets of \(targets.rows) x \(targets.columns) for outputs of \(rows) x \(columns)"
        return areClasses ? shape + ": classes are \(rows) x 1" : shape
    }

    /// What is wrong with classes as numbers of a scalar, in words: it must tell each from every other.
    static func problem<S: Scalar>(ofClasses count: Int, ignored: Int, in _: S.Type) -> String? {
        let limit = 1 << (S.significandBitCount + 1)
        if count > limit {
            return
                "\(count) classes as numbers of \(S.self), which tells \(limit) apart: another scalar or probabilities are needed"
        }
        return S(exactly: ignored) != nil
            ? nil
            : "an ignoredClass of \(ignored), which \(S.self) rounds to \(S(ignored)): one that it can hold is needed"
    }

    @inline(__always)
    static func problem<S: Scalar>(ofClass target: S, row: Int, classes: Int, ignored: Int) -> String? {
        if target >= 0 && target < S(classes) && target == target.rounded(.towardZero) { return nil }
        return classProblem(target, row, classes, ignored)
    }

    @inline(never)
    private static func classProblem<S: Scalar>(_ target: S, _ row: Int, _ classes: Int, _ ignored: Int) -> String {
        "class \(target) in row \(row) of the targets, for \(classes) classes: a whole number from 0 to \(classes - 1) is needed, "
            + "or \(ignored), which is ignored"
    }

    /// Whether it takes all targets that another takes, of outputs of the same shape.
    func takesTargets(of other: Loss) -> Bool {
        guard case .crossEntropy(_, let ignored, _) = other else { return true }
        if case .crossEntropy(_, ignored, _) = self { return true }
        return false
    }

    /// Checks the targets of outputs of a shape, and counts what the sums over the whole batch are divided by.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func normalizer<S: Scalar>(
        rows: Int, columns: Int, targets: MatrixView<S>, sequences: Int, classWeights: MatrixView<S>?
    ) -> Double {
        require(noProblem: shapeProblem(targets, rows: rows, columns: columns))
        switch self {
        case .halfSquaredError: return Double(sequences)
        case .crossEntropy(_, let ignored, _):
            return targets.columns == 1
                ? sumOfWeights(targets, classes: columns, ignored: ignored, classWeights) : Double(rows)
        default: return Double(rows * columns)
        }
    }

    /// The weights of the rows' classes, `[n, 1]`, summed.
    private func sumOfWeights<S: Scalar>(
        _ targets: MatrixView<S>, classes: Int, ignored: Int, _ weights: MatrixView<S>?
    ) -> Double {
        var sum = 0.0
        for row in 0..<targets.rows {
            let target = targets[row, 0]
            if target == S(ignored) { continue }
            require(noProblem: Self.problem(ofClass: target, row: row, classes: classes, ignored: ignored))
            sum += weights.map { Double($0[0, Int(target)]) } ?? 1
        }
        return sum
    }

    /// `[1, O]` the weights of the classes, if there are any.
    func classWeights<S: Scalar>() -> Matrix<S>? {
        guard case .crossEntropy(let weights?, _, _) = self else { return nil }
        return Matrix(rows: 1, columns: weights.count, weights.map { S($0) })
    }
}

// MARK: Alone

extension Loss {
    /// The loss of given outputs and its gradient, for a pass that is recorded.
    ///
    /// - Parameters:
    ///   - outputs: o, `[n, O]`.
    ///   - targets: y, `[n, O]`, or `[n, 1]` classes.
    ///   - sequences: B, which only ``halfSquaredError`` divides by.
    /// - Returns: L, and dL/do, `[n, O]`.
    /// - Precondition: ``validate(outputSize:)`` and ``validate(_:outputRows:columns:)`` throw nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func evaluate<S: Scalar>(
        _ outputs: Matrix<S>, _ targets: Matrix<S>, sequences: Int
    ) -> (value: S, gradient: Matrix<S>) {
        require(noProblem: problem(outputSize: outputs.columns))
        require(sequences >= 1, "outputs of \(sequences) sequences: at least 1 is needed")
        let weights: Matrix<S>? = classWeights()
        var gradient = Matrix<S>(rows: outputs.rows, columns: outputs.columns)
        let batch = BatchLoss(
            self, rows: outputs.rows, columns: outputs.columns, targets: targets.view, sequences: sequences,
            classWeights: weights?.view)
        let value = batch.evaluate(outputs.view, targets.view, gradient: gradient.mutableView())
        return withExtendedLifetime((outputs, targets, weights)) { (batch.normalizer == 0 ? .nan : value, gradient) }
    }
}
