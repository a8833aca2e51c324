/// What training makes small.
public enum Loss: String, Codable, CaseIterable, Sendable {
    /// Half the squared error, summed over outputs and steps and divided by the number of sequences:
    /// L = sum(1/2 (o - y)^2) / B.
    case halfSquaredError

    /// Adds up the loss of some rows and, if asked, overwrites its gradient: dL/do = (o - y) / B.
    ///
    /// - Parameters:
    ///   - outputs: o, `[n, O]`.
    ///   - targets: y, `[n, O]`.
    ///   - sequences: B of the whole batch.
    ///   - gradient: `[n, O]`.
    /// - Returns: the rows' share of L.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func evaluate<S: Scalar>(
        _ outputs: MatrixView<S>, _ targets: MatrixView<S>, sequences: Int, gradient: MatrixView<S>?
    ) -> S {
        let scale = 1 / S(sequences)
        var sum: S = 0
        for i in 0..<outputs.rows {
            for j in 0..<outputs.columns {
                let error = outputs[i, j] - targets[i, j]
                sum += error * error
                if let gradient { gradient[i, j] = error * scale }
            }
        }
        return sum / 2 * scale
    }
}
