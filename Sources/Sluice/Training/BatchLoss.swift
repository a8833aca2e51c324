/// A loss over one batch: what its shards share, counted once before their rows are summed apart.
struct BatchLoss<S: Scalar>: Sendable {
    let loss: Loss
    /// What the sums over the whole batch are divided by.
    let normalizer: Double
    /// What the terms are multiplied by: 1 / ``normalizer``, or 1 where sums are asked for; 0 where no row counts.
    let scale: S
    /// [1, O] or none
    let classWeights: MatrixView<S>?

    /// - Parameters:
    ///   - rows: n of the whole batch.
    ///   - columns: O.
    ///   - targets: the whole batch's; checked here.
    ///   - sequences: B.
    ///   - asSum: whether loss and gradient are left undivided.
    init(
        _ loss: Loss, rows: Int, columns: Int, targets: MatrixView<S>, sequences: Int, classWeights: MatrixView<S>?,
        asSum: Bool = false
    ) {
        self.loss = loss
        self.classWeights = classWeights
        normalizer = loss.normalizer(
            rows: rows, columns: columns, targets: targets, sequences: sequences, classWeights: classWeights)
        scale = asSum ? 1 : normalizer == 0 ? 0 : 1 / S(normalizer)
    }

    /// Some rows' share of L and, if asked, dL/do, overwritten. Formulas: Loss.
    ///
    /// - Parameters:
    ///   - outputs: o, `[n, O]`.
    ///   - targets: y, `[n, O]` or `[n, 1]`.
    ///   - gradient: `[n, O]`.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func evaluate(_ outputs: MatrixView<S>, _ targets: MatrixView<S>, gradient: MatrixView<S>?) -> S {
        switch loss {
        case .halfSquaredError:
            return sum(outputs, targets, gradient) { o, y in
                let error = o - y
                return (error * error, error)
            } / 2 * scale
        case .meanSquaredError:
            return sum(outputs, targets, gradient) { o, y in
                let error = o - y
                return (error * error, 2 * error)
            } * scale
        case .meanAbsoluteError:
            return sum(outputs, targets, gradient) { o, y in
                let error = o - y
                return (abs(error), error > 0 ? 1 : error < 0 ? -1 : 0)
            } * scale
        case .huber(let delta):
            let delta = S(delta)
            return sum(outputs, targets, gradient) { o, y in
                let error = o - y, size = abs(error)
                if size <= delta { return (error * error / 2, error) }
                return (delta * (size - delta / 2), error > 0 ? delta : -delta)
            } * scale
        case .quantile(let level):
            let over = 1 - S(level), under = S(level)
            return sum(outputs, targets, gradient) { o, y in
                let error = o - y
                if error > 0 { return (over * error, over) }
                return (-under * error, error < 0 ? -under : 0)
            } * scale
        case .binaryCrossEntropy:
            return sum(outputs, targets, gradient, Self.binaryCrossEntropy) * scale
        case .crossEntropy(_, let ignored, let smoothing):
            return crossEntropy(outputs, targets, gradient, ignored: S(ignored), smoothing: S(smoothing)) * scale
        }
    }

    /// The sum over all elements of a term's value, its derivative times `scale` into the gradient.
    @inline(__always)
    private func sum(
        _ outputs: MatrixView<S>, _ targets: MatrixView<S>, _ gradient: MatrixView<S>?,
        _ term: (_ o: S, _ y: S) -> (value: S, derivative: S)
    ) -> S {
        var sum: S = 0
        for i in 0..<outputs.rows {
            for j in 0..<outputs.columns {
                let (value, derivative) = term(outputs[i, j], targets[i, j])
                sum += value
                if let gradient { gradient[i, j] = derivative * scale }
            }
        }
        return sum
    }

    /// log(1 + exp(o)) - y o and sigmoid(o) - y, from e = exp(-|o|) <= 1 and the share of |o| that is wrong, so that
    /// neither overflows nor cancels:
    ///
    ///     value = log(1 + e) + wrong |o|     derivative = ±(wrong - e / (1 + e))     wrong = o > 0 ? 1 - y : y
    @inline(__always)
    private static func binaryCrossEntropy(_ o: S, _ y: S) -> (S, S) {
        let size = abs(o), e = S.bindings.exp(-size)
        let wrong = o > 0 ? 1 - y : y
        // An infinite logit on the right side costs nothing; 0 times it would be NaN.
        let value = S.bindings.log1p(e) + (wrong == 0 ? 0 : wrong * size)
        let derivative = wrong - e / (1 + e)
        return (value, o > 0 ? derivative : -derivative)
    }
}

// MARK: Softmax

extension BatchLoss {
    /// The sum of the rows' cross-entropies.
    private func crossEntropy(
        _ outputs: MatrixView<S>, _ targets: MatrixView<S>, _ gradient: MatrixView<S>?, ignored: S, smoothing: S
    ) -> S {
        let areClasses = targets.columns == 1
        var sum: S = 0
        for row in 0..<outputs.rows {
            let rows = row..<row + 1
            if areClasses && targets[row, 0] == ignored {
                gradient?.rows(rows).fill(0)
                continue
            }
            let index = areClasses ? Int(targets[row, 0]) : nil
            sum += rowCrossEntropy(outputs.rows(rows), gradient?.rows(rows)) { column in
                let y: S = index.map { column == $0 ? 1 : 0 } ?? targets[row, column]
                let smooth = smoothing / S(outputs.columns)
                let weight: (Int) -> S = { classWeights?[0, $0] ?? 1 }
                return weight(column) * ((1 - smoothing) * y + smooth)
            }
        }
        return sum
    }

    /// One row's -sum(t log p), and of its gradient scale (sum(t) p - t).
    ///
    /// With the largest logit m, which is its class's alone up to ties, and r = the sum of exp(o - m) over the others,
    /// log p = o - m - log(1 + r). Where o = m is infinite, o - m counts as 0: the limit, if m is one class's only.
    ///
    /// - Parameter t: the weight of a class's log p.
    @inline(__always)
    private func rowCrossEntropy(_ o: MatrixView<S>, _ gradient: MatrixView<S>?, t: (Int) -> S) -> S {
        let classes = o.columns
        var top = 0
        for column in 0..<classes where o[0, column] > o[0, top] { top = column }
        let m = o[0, top]
        func shifted(_ column: Int) -> S { o[0, column] == m ? 0 : o[0, column] - m }

        var rest: S = 0
        for column in 0..<classes where column != top { rest += S.bindings.exp(shifted(column)) }
        // Several infinite logits have no limit.
        if m.isInfinite && rest > 0 { rest = .nan }
        let logSum = S.bindings.log1p(rest)

        var value: S = 0, total: S = 0
        for column in 0..<classes {
            let t = t(column)
            total += t
            // A class of probability 0 costs nothing where it is not asked for; 0 times its log would be NaN.
            if t != 0 { value += t * (logSum - shifted(column)) }
        }
        if let gradient {
            for column in 0..<classes where column != top {
                gradient[0, column] = scale * (total * (S.bindings.exp(shifted(column)) / (1 + rest)) - t(column))
            }
            // p = 1 - r / (1 + r), without losing what is left of t when p rounds to 1.
            gradient[0, top] = scale * ((total - t(top)) - total * (rest / (1 + rest)))
        }
        return value
    }
}
