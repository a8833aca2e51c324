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
/// Where recurrent dropout is on, the products and r*h read d*h; the leak of h into h' does not.
///
/// A row of the tape is `n r z q`, each H wide, where q is the candidate's recurrent side: h Un + cn after, r*h before.
/// So the input product and its gradient are the tape's first three columns, and for `resetAfter` the recurrent
/// product's gradient is its last three, in the order of U: one product each, wherever they are needed.
///
/// `layerNormalized` is `resetAfter` with its products normalised (Ba et al. 2016, arXiv 1607.06450, supplement), N over a
/// row with the gains g:
///
///     x [Wr Wz]  ->  N(x [Wr Wz]) * g[r z]      x Wn  ->  N(x Wn) * gn      and the same of h U, with gains of its own
///
/// Its tape has three more parts, 3H, 3H and 4 wide: the normalised input product, the normalised recurrent product, and
/// the reciprocals of the four standard deviations.
public enum GRU {
    /// The equations of the next state.
    public enum Variant: String, Codable, CaseIterable, Sendable {
        /// Chung et al. 2014 (arXiv 1412.3555).
        case chung2014
        /// Cho et al. 2014 (arXiv 1406.1078v3); Keras with `reset_after=False`, ONNX with `linear_before_reset=0`.
        case resetBefore
        /// cuDNN, PyTorch, Keras's default, ONNX with `linear_before_reset=1`.
        case resetAfter
        /// Reset after the product, both products layer-normalised (Ba et al. 2016).
        case layerNormalized
    }

    static func shape(_ variant: Variant, hidden H: Int) -> CellShape {
        let isAfter = variant.resetsAfter, isNormalized = variant == .layerNormalized
        return CellShape(
            gateCount: 3,
            tapeColumns: isNormalized ? 10 * H + 16 : 4 * H, // 4 scales, on cache lines of their own
            inputColumns: 0..<3 * H,
            firstInputGate: 2, // n r z here, r z n in the parameters
            recurrentGates: isAfter ? 0..<3 : 0..<2,
            gatedGates: isAfter ? nil : 2..<3,
            leaks: true,
            scratchColumns: isAfter ? 3 * H : 2 * H,
            cellColumns: nil,
            vectors: isNormalized
                ? [
                    .init(name: "gain_ih", role: .gain, count: 3 * H),
                    .init(name: "gain_hh", role: .gain, count: 3 * H),
                ]
                : [],
            vectorColumns: isNormalized ? 10 * H : 4 * H)
    }
}

extension GRU.Variant {
    /// Only the candidate's recurrent bias cn of `resetAfter` is not redundant; br, bz then come in twos as in PyTorch.
    var standardBiases: Biases { resetsAfter ? .both : .input }

    /// Whether r weighs the candidate's recurrent product instead of the state that goes into it.
    fileprivate var resetsAfter: Bool { self == .resetAfter || self == .layerNormalized }

    /// Whether z weighs the candidate instead of the old state.
    fileprivate var flipped: Bool { self == .chung2014 }
}

// MARK: Forward

extension GRU {
    static func forward<S: Scalar>(
        _ variant: Variant, _ step: ForwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>
    ) {
        let H = step.next.columns
        let bias = weights.vectors.columns(0..<4 * H)
        switch variant {
        case .resetAfter, .layerNormalized:
            let hu = step.scratch.reshaped(rows: step.tape.rows, columns: 3 * H)
            engine.multiply(step.recurrent, weights.forward.recurrent, into: hu)
            if variant == .layerNormalized {
                for index in 0..<4 {
                    let part = normalizedPart(index, step.tape, recurrent: hu, weights.vectors, hidden: H)
                    engine.normalize(part.values, gain: part.gain, normalized: part.normalized, scale: part.scale)
                }
            }
            engine.gruAfterForward(tape: step.tape, hu: hu, bias: bias, previous: step.previous, next: step.next)

        case .resetBefore, .chung2014:
            let gates = step.scratch.reshaped(rows: step.tape.rows, columns: 2 * H)
            engine.multiply(step.recurrent, weights.forward.recurrent, into: gates)
            engine.gruBeforeGates(tape: step.tape, hu: gates, bias: bias, previous: step.recurrent)

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
        let dbias = step.dvectors.columns(0..<4 * H)
        switch variant {
        case .resetAfter, .layerNormalized:
            engine.gruAfterBackward(
                tape: step.tape, previous: step.previous, dy: step.dy, dh: step.dh, dbias: dbias)
            if variant == .layerNormalized {
                // The recurrent side first: both read the gradients of r and z, and the input side writes over them.
                let dhu = step.tape.columns(H..<4 * H)
                for index in (0..<4).reversed() {
                    let part = normalizedPart(index, step.tape, recurrent: dhu, weights.vectors, hidden: H)
                    let sums = normalizedPart(index, step.tape, recurrent: dhu, step.dvectors, hidden: H)
                    engine.normalizeBackward(
                        part.values, normalized: part.normalized, scale: part.scale, gain: part.gain,
                        into: part.isRecurrent ? part.normalized : part.values, dgain: sums.gain)
                }
            }
            engine.multiply(
                step.tape.columns(recurrentGradient(variant, hidden: H)), weights.transposed!.recurrent,
                into: step.drecurrent, accumulate: true)

        case .resetBefore, .chung2014:
            engine.gruBeforeUpdateBackward(
                flipped: variant.flipped, tape: step.tape, previous: step.previous,
                dy: step.dy, dh: step.dh, dbias: dbias)
            let dq = step.scratch.reshaped(rows: step.tape.rows, columns: H)
            engine.multiply(step.tape.columns(0..<H), weights.transposed!.gated!, into: dq)
            engine.gruBeforeGatesBackward(
                tape: step.tape, previous: step.recurrent, dq: dq, dh: step.drecurrent, dbias: dbias)
            engine.multiply(
                step.tape.columns(H..<3 * H), weights.transposed!.recurrent, into: step.drecurrent, accumulate: true)
        }
    }

    static func weightGradients<S: Scalar>(
        _ variant: Variant, _ run: Run<S>, into gradient: LayerGradient<S>, accumulate: Bool, _ engine: Engine<S>
    ) {
        let H = run.hidden
        let n = run.tape.columns(0..<H), rz = run.tape.columns(H..<3 * H)
        func multiply(_ left: MatrixView<S>, _ right: MatrixView<S>, into target: MatrixView<S>, _ columns: Range<Int>)
        {
            engine.multiply(transposing: left, right, into: target.columns(columns), accumulate: accumulate)
        }
        multiply(run.x, rz, into: gradient.input, 0..<2 * H)
        multiply(run.x, n, into: gradient.input, 2 * H..<3 * H)
        switch variant {
        case .resetAfter, .layerNormalized:
            let columns = recurrentGradient(variant, hidden: H)
            multiply(run.recurrent, run.tape.columns(columns), into: gradient.recurrent, 0..<3 * H)
        case .resetBefore, .chung2014:
            let q = run.tape.columns(3 * H..<4 * H)
            multiply(run.recurrent, rz, into: gradient.recurrent, 0..<2 * H)
            multiply(q, n, into: gradient.recurrent, 2 * H..<3 * H)
        }
    }
}

// MARK: Layer normalisation

extension GRU {
    /// The tape's columns that hold the gradient of h U.
    private static func recurrentGradient(_ variant: Variant, hidden H: Int) -> Range<Int> {
        variant == .layerNormalized ? 7 * H..<10 * H : H..<4 * H
    }

    /// What is normalised together: of the input product n, then r z; of the recurrent product r z, then n.
    private static func normalizedPart<S: Scalar>(
        _ index: Int, _ tape: MatrixView<S>, recurrent: MatrixView<S>, _ vectors: MatrixView<S>, hidden H: Int
    ) -> NormalizedPart<S> {
        let isRecurrent = index >= 2
        let columns =
            switch index {
            case 0: 0..<H
            case 1: H..<3 * H
            case 2: 0..<2 * H
            default: 2 * H..<3 * H
            }
        // Normalised values and gains: 3H of the input product, then 3H of the recurrent one, from 4H on.
        let offset = isRecurrent ? 7 * H : 4 * H
        let place = columns.lowerBound + offset..<columns.upperBound + offset
        return NormalizedPart(
            values: (isRecurrent ? recurrent : tape).columns(columns), isRecurrent: isRecurrent,
            normalized: tape.columns(place), scale: tape.columns(10 * H + index..<10 * H + index + 1),
            gain: vectors.columns(place))
    }
}

/// Some columns of a step that are normalised together.
private struct NormalizedPart<S: Scalar> {
    /// [B, n] a product, scaled by the gains in place; going back, the gradient of what it became.
    let values: MatrixView<S>
    let isRecurrent: Bool
    /// [B, n] the product with mean 0 and variance 1.
    let normalized: MatrixView<S>
    /// [B, 1] the reciprocal of the product's standard deviation.
    let scale: MatrixView<S>
    /// [1, n]
    let gain: MatrixView<S>
}

// MARK: Biases and vectors

extension GRU {
    /// In the tape's order: bn, br + cr, bz + cz, cn (reset before: bn + cn, ..., 0); behind them the gains of the products, n r z and r z n.
    static func packVectors<S: Scalar>(
        _ variant: Variant, _ vectors: LayerVectors<S>, into packed: MatrixView<S>, hidden H: Int
    ) {
        packed.fill(0)
        if let bias = vectors.bias { addRotated(bias, to: packed.columns(0..<3 * H), hidden: H) }
        if let recurrentBias = vectors.recurrentBias {
            if variant.resetsAfter {
                packed.columns(H..<4 * H).add(recurrentBias)
            } else {
                addRotated(recurrentBias, to: packed.columns(0..<3 * H), hidden: H)
            }
        }
        if variant == .layerNormalized {
            addRotated(vectors.own.columns(0..<3 * H), to: packed.columns(4 * H..<7 * H), hidden: H)
            packed.columns(7 * H..<10 * H).copy(vectors.own.columns(3 * H..<6 * H))
        }
    }

    static func vectorGradients<S: Scalar>(
        _ variant: Variant, _ sums: MatrixView<S>, into gradient: LayerVectors<S>, hidden H: Int
    ) {
        if let bias = gradient.bias { copyRotatedBack(sums.columns(0..<3 * H), into: bias, hidden: H) }
        if let recurrentBias = gradient.recurrentBias {
            if variant.resetsAfter {
                recurrentBias.copy(sums.columns(H..<4 * H))
            } else {
                copyRotatedBack(sums.columns(0..<3 * H), into: recurrentBias, hidden: H)
            }
        }
        if variant == .layerNormalized {
            copyRotatedBack(sums.columns(4 * H..<7 * H), into: gradient.own.columns(0..<3 * H), hidden: H)
            gradient.own.columns(3 * H..<6 * H).copy(sums.columns(7 * H..<10 * H))
        }
    }

    /// r z n to n r z.
    private static func addRotated<S: Scalar>(_ source: MatrixView<S>, to target: MatrixView<S>, hidden H: Int) {
        target.columns(0..<H).add(source.columns(2 * H..<3 * H))
        target.columns(H..<3 * H).add(source.columns(0..<2 * H))
    }

    /// n r z into r z n.
    private static func copyRotatedBack<S: Scalar>(_ source: MatrixView<S>, into target: MatrixView<S>, hidden H: Int) {
        target.columns(2 * H..<3 * H).copy(source.columns(0..<H))
        target.columns(0..<2 * H).copy(source.columns(H..<3 * H))
    }
}
