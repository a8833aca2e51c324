/// The gated recurrent unit, in its three standard variants.
///
/// Row vectors; x [B, I], h [B, H], W [I, 3H], U [H, 3H], gates r z n; s the logistic sigmoid, * element by element:
///
///     r  = s(x Wr + h Ur + br)        z  = s(x Wz + h Uz + bz)
///
///     chung2014      n = tanh(x Wn + (r*h) Un + bn)            h' = (1-z)*h + z*n
///     resetBefore    n = tanh(x Wn + (r*h) Un + bn)            h' = z*h + (1-z)*n
///     resetAfter     n = tanh(x Wn + bn + r*(h Un + cn))       h' = z*h + (1-z)*n
///
/// A row of the tape is `n r z q`, each H wide, where q is the candidate's recurrent side: h Un + cn after, r*h before.
/// So the input product and its gradient are the tape's first three columns, and for `resetAfter` the recurrent
/// product's gradient is its last three, in the order of U: one product each, wherever they are needed.
public enum GRU {
    public enum Variant: String, Codable, CaseIterable, Sendable {
        /// Chung et al. 2014 (arXiv 1412.3555).
        case chung2014
        /// Cho et al. 2014 (arXiv 1406.1078v3); Keras with `reset_after=False`, ONNX with `linear_before_reset=0`.
        case resetBefore
        /// cuDNN, PyTorch, Keras's default, ONNX with `linear_before_reset=1`.
        case resetAfter
    }

    static let gateCount = 3
    static let tapeColumns = 4

    /// Columns n r z: the input's share. The parameters' order is r z n, so n, the third, comes first.
    static func inputColumns(hiddenSize H: Int) -> Range<Int> { 0..<3 * H }
    static let firstInputGate = 2
}

extension GRU.Variant {
    /// Only the candidate's recurrent bias cn of `resetAfter` is not redundant; br, bz then come in twos as in PyTorch.
    var hasRecurrentBias: Bool { self == .resetAfter }

    /// After: all of U at once. Before: r z, then n for r*h.
    var recurrentGates: Range<Int> { self == .resetAfter ? 0..<3 : 0..<2 }
    var gatedGates: Range<Int>? { self == .resetAfter ? nil : 2..<3 }

    /// Whether z weighs the candidate instead of the old state.
    fileprivate var flipped: Bool { self == .chung2014 }
}

// MARK: Forward

extension GRU {
    static func forward<S: Scalar>(
        _ variant: Variant, _ step: ForwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>
    ) {
        let H = step.next.columns
        let bias = weights.bias
        switch variant {
        case .resetAfter:
            let hu = step.scratch.reshaped(rows: step.tape.rows, columns: 3 * H)
            engine.multiply(step.previous, weights.forward.recurrent, into: hu)
            engine.gruAfterForward(tape: step.tape, hu: hu, bias: bias, previous: step.previous, next: step.next)

        case .resetBefore, .chung2014:
            let gates = step.scratch.reshaped(rows: step.tape.rows, columns: 2 * H)
            engine.multiply(step.previous, weights.forward.recurrent, into: gates)
            engine.gruBeforeGates(tape: step.tape, hu: gates, bias: bias, previous: step.previous)

            let candidate = step.scratch.reshaped(rows: step.tape.rows, columns: H)
            engine.multiply(step.tape.columns(3 * H..<4 * H), weights.forward.gated!, into: candidate)
            engine.gruBeforeUpdate(
                flipped: variant.flipped, tape: step.tape, hu: candidate, bias: bias,
                previous: step.previous, next: step.next)
        }
    }
}

// MARK: Backward

/// With d the gradient of h' (output and later steps), and `d` + name that of a name before its function:
///
///     resetAfter                             resetBefore (chung2014: z and 1-z change places, dz its sign)
///     dn = d*(1-z) * (1-n*n)                 dn = d*(1-z) * (1-n*n)
///     dz = d*(h-n) * z*(1-z)                 dz = d*(h-n) * z*(1-z)
///     dq = dn*r                              dq = dn Un'
///     dr = dn*q * r*(1-r)                    dr = dq*h * r*(1-r)
///     dh = d*z + dq Un' + dr Ur' + dz Uz'    dh = d*z + dq*r + dr Ur' + dz Uz'
///
///     dW = x' [dr dz dn]    dx = [dr dz dn] W'    dUrz = h' [dr dz]    dUn = h' dq after, (r*h)' dn before
extension GRU {
    static func backward<S: Scalar>(
        _ variant: Variant, _ step: BackwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>
    ) {
        let H = step.dh.columns
        switch variant {
        case .resetAfter:
            engine.gruAfterBackward(
                tape: step.tape, previous: step.previous, dy: step.dy, dh: step.dh, dbias: step.dbias)
            engine.multiply(
                step.tape.columns(H..<4 * H), weights.transposed!.recurrent, into: step.dh, accumulate: true)

        case .resetBefore, .chung2014:
            engine.gruBeforeUpdateBackward(
                flipped: variant.flipped, tape: step.tape, previous: step.previous,
                dy: step.dy, dh: step.dh, dbias: step.dbias)
            let dq = step.scratch.reshaped(rows: step.tape.rows, columns: H)
            engine.multiply(step.tape.columns(0..<H), weights.transposed!.gated!, into: dq)
            engine.gruBeforeGatesBackward(
                tape: step.tape, previous: step.previous, dq: dq, dh: step.dh, dbias: step.dbias)
            engine.multiply(
                step.tape.columns(H..<3 * H), weights.transposed!.recurrent, into: step.dh, accumulate: true)
        }
    }

    static func weightGradients<S: Scalar>(
        _ variant: Variant, _ run: Run<S>, into gradient: LayerGradient<S>, accumulate: Bool, _ engine: Engine<S>
    ) {
        let H = run.previous.columns
        let n = run.tape.columns(0..<H), rz = run.tape.columns(H..<3 * H)
        func multiply(_ left: MatrixView<S>, _ right: MatrixView<S>, into target: MatrixView<S>, _ columns: Range<Int>)
        {
            engine.multiply(transposing: left, right, into: target.columns(columns), accumulate: accumulate)
        }
        multiply(run.x, rz, into: gradient.input, 0..<2 * H)
        multiply(run.x, n, into: gradient.input, 2 * H..<3 * H)
        switch variant {
        case .resetAfter: multiply(run.previous, run.tape.columns(H..<4 * H), into: gradient.recurrent, 0..<3 * H)
        case .resetBefore, .chung2014:
            let q = run.tape.columns(3 * H..<4 * H)
            multiply(run.previous, rz, into: gradient.recurrent, 0..<2 * H)
            multiply(q, n, into: gradient.recurrent, 2 * H..<3 * H)
        }
    }
}

// MARK: Biases

extension GRU {
    /// In the tape's order: bn, br + cr, bz + cz, cn.
    static func packBias<S: Scalar>(
        _ bias: MatrixView<S>, _ recurrentBias: MatrixView<S>?, into packed: MatrixView<S>, hiddenSize H: Int
    ) {
        packed.columns(0..<H).copy(bias.columns(2 * H..<3 * H))
        packed.columns(H..<3 * H).copy(bias.columns(0..<2 * H))
        packed.columns(3 * H..<4 * H).fill(0)
        if let recurrentBias { packed.columns(H..<4 * H).add(recurrentBias) }
    }

    static func biasGradients<S: Scalar>(_ sums: MatrixView<S>, into gradient: LayerGradient<S>) {
        let H = sums.columns / tapeColumns
        gradient.bias.columns(0..<2 * H).copy(sums.columns(H..<3 * H))
        gradient.bias.columns(2 * H..<3 * H).copy(sums.columns(0..<H))
        gradient.recurrentBias?.copy(sums.columns(H..<4 * H))
    }
}
