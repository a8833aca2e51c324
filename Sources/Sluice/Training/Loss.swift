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
    /// where y is 1 for a row's class and 0 elsewhere. If every row is ignored, L is 0 / 0, not a number.
    ///
    /// - Parameters:
    ///   - classWeights: w, one for each class, none negative; nil: ones.
    ///   - ignoredClass: the class of rows that do not count; among probabilities there is none.
    ///   - labelSmoothing: s, from 0 to 1.
    case crossEntropy(classWeights: [Double]? = nil, ignoredClass: Int = -100, labelSmoothing: Double = 0)
}

// MARK: Checks

extension Loss {
    /// Checks its own numbers against the outputs that it will be given.
    func check(outputSize: Int) {
        switch self {
        case .halfSquaredError, .meanSquaredError, .meanAbsoluteError, .binaryCrossEntropy: break
        case .huber(let delta): precondition(delta > 0, "a Huber loss with delta \(delta)")
        case .quantile(let level): precondition(level > 0 && level < 1, "a quantile loss with level \(level)")
        case .crossEntropy(let weights, _, let smoothing):
            precondition(
                weights == nil || weights!.count == outputSize,
                "\(weights!.count) class weights for \(outputSize) classes")
            precondition(weights == nil || weights!.allSatisfy { $0 >= 0 }, "a negative class weight")
            precondition(smoothing >= 0 && smoothing <= 1, "label smoothing by \(smoothing)")
        }
    }

    /// Checks the targets of outputs of a shape, and counts what the sums over the whole batch are divided by.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func normalizer<S: Scalar>(
        rows: Int, columns: Int, targets: MatrixView<S>, sequences: Int, classWeights: MatrixView<S>?
    ) -> Double {
        if case .crossEntropy(_, let ignored, _) = self, targets.columns == 1 {
            precondition(
                targets.rows == rows, "targets of \(targets.rows) x 1 for outputs of \(rows) x \(columns)")
            return sumOfWeights(targets, classes: columns, ignored: ignored, classWeights)
        }
        precondition(
            targets.rows == rows && targets.columns == columns,
            "targets of \(targets.rows) x \(targets.columns) for outputs of \(rows) x \(columns)")
        switch self {
        case .halfSquaredError: return Double(sequences)
        case .crossEntropy: return Double(rows)
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
            precondition(
                target >= 0 && target < S(classes) && target == target.rounded(.towardZero),
                "class \(target) in row \(row) of the targets, for \(classes) classes")
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
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func evaluate<S: Scalar>(
        _ outputs: Matrix<S>, _ targets: Matrix<S>, sequences: Int
    ) -> (value: S, gradient: Matrix<S>) {
        check(outputSize: outputs.columns)
        let weights: Matrix<S>? = classWeights()
        var gradient = Matrix<S>(rows: outputs.rows, columns: outputs.columns)
        let batch = BatchLoss(
            self, rows: outputs.rows, columns: outputs.columns, targets: targets.view, sequences: sequences,
            classWeights: weights?.view)
        let value = batch.evaluate(outputs.view, targets.view, gradient: gradient.mutableView())
        return withExtendedLifetime((outputs, targets, weights)) { (value, gradient) }
    }
}
