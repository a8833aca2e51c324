/// The long short-term memory (Hochreiter and Schmidhuber 1997; forget gate by Gers et al. 2000).
///
/// Row vectors; x [B, I], h [B, P], c [B, H], W [I, 4H], U [P, 4H], gates i f g o; s the logistic sigmoid, * element by
/// element:
///
///     i = s(x Wi + h Ui + bi)     f = s(x Wf + h Uf + bf)     g = tanh(x Wg + h Ug + bg)     o = s(x Wo + h Uo + bo)
///     c' = f*c + i*g              h' = o*tanh(c')
///
///     peephole           i and f add p*c, o adds p*c', each with a vector p of its own (Gers and Schmidhuber 2000; ONNX's P)
///     layerNormalized    [i f g o] of N(x W)*g + N(h U)*g' + b;  h' = o*tanh(N(c')*g" + b")  (Ba et al. 2016,
///                        arXiv 1607.06450, supplement), N over a row, with gains g, g' of 4H and g" of H
///     projection         h' = (o*tanh(c')) V, V [H, P] (Sak et al. 2014, arXiv 1402.1128; PyTorch's `proj_size`)
///
/// A row of the tape is `i f g o c'`, each H wide. The input product goes into its first four columns, the recurrent product is
/// added to them, and their gradients take their place. Behind them, where the cell has them:
///
///     layerNormalized    the normalised products, 4H and 4H, and the normalised c', H; three reciprocals of deviations
///     projection         what is projected, H, and going back the gradient of h', P
public enum LSTM {
    /// What the cell has beside its gates.
    public enum Variant: String, Codable, CaseIterable, Sendable {
        /// PyTorch, Keras, cuDNN.
        case standard
        /// Gates that see the cell state.
        case peephole
        /// Products and cell state layer-normalised.
        case layerNormalized
    }

    static func shape(_ variant: Variant, hidden H: Int, projection P: Int?) -> CellShape {
        let isNormalized = variant == .layerNormalized
        let places = Places(variant, hidden: H)
        return CellShape(
            gateCount: 4,
            tapeColumns: places.projected + (P.map { H + $0 } ?? 0),
            inputColumns: 0..<4 * H,
            firstInputGate: 0,
            recurrentGates: 0..<4,
            gatedGates: nil,
            leaks: false,
            scratchColumns: isNormalized ? 5 * H : P == nil ? 0 : H,
            cellColumns: places.cell,
            vectors: variant.vectors(hidden: H),
            vectorColumns: 4 * H + variant.vectors(hidden: H).reduce(0) { $0 + $1.count })
    }
}

extension LSTM.Variant {
    /// Peepholes of i, f, o; or the gains of both products and of the cell state, and the latter's bias.
    fileprivate func vectors(hidden H: Int) -> [CellShape.Vector] {
        switch self {
        case .standard: []
        case .peephole: [.init(name: "weight_ph", role: .peephole, count: 3 * H)]
        case .layerNormalized:
            [
                .init(name: "gain_ih", role: .gain, count: 4 * H), .init(name: "gain_hh", role: .gain, count: 4 * H),
                .init(name: "gain_ch", role: .gain, count: H), .init(name: "bias_ch", role: .bias, count: H),
            ]
        }
    }
}

extension LSTM {
    /// Where things stand in a row of the tape.
    private struct Places {
        let H: Int
        let isNormalized: Bool

        init(_ variant: Variant, hidden: Int) {
            H = hidden
            isNormalized = variant == .layerNormalized
        }

        var gates: Range<Int> { 0..<4 * H }
        var cell: Range<Int> { 4 * H..<5 * H }
        // Of the layer-normalised variant; a product's gradient takes the place of its normalised values.
        var normalizedInput: Range<Int> { 5 * H..<9 * H }
        var normalizedRecurrent: Range<Int> { 9 * H..<13 * H }
        var normalizedCell: Range<Int> { 13 * H..<14 * H }
        func scale(_ index: Int) -> Range<Int> { 14 * H + index..<14 * H + index + 1 }
        /// The gradient of h U.
        var recurrentGradient: Range<Int> { isNormalized ? normalizedRecurrent : gates }
        /// Where what is projected begins; the gradient of h' is behind it.
        var projected: Int { isNormalized ? 14 * H + 16 : 5 * H } // 3 scales, on cache lines of their own
        var output: Range<Int> { projected..<projected + H }
        func outputGradient(_ P: Int) -> Range<Int> { projected + H..<projected + H + P }
    }
}

// MARK: Forward

extension LSTM {
    static func forward<S: Scalar>(
        _ variant: Variant, _ step: ForwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>
    ) {
        let tape = step.tape, vectors = weights.vectors
        let H = step.nextCell.columns, B = tape.rows
        let places = Places(variant, hidden: H)
        let gates = tape.columns(places.gates)
        let projection = weights.forward.projection
        // o*tanh(c'): the state itself, or what is projected to it.
        let output = projection == nil ? step.next : tape.columns(places.output)
        switch variant {
        case .standard, .peephole:
            engine.multiply(step.recurrent, weights.forward.recurrent, into: gates, accumulate: true)
            engine.lstmForward(
                gates: gates, bias: vectors.columns(0..<4 * H),
                peepholes: variant == .peephole ? vectors.columns(4 * H..<7 * H) : nil, cell: step.previousCell,
                nextCell: step.nextCell, output: output)

        case .layerNormalized:
            let gains = Gains(vectors, hidden: H)
            let hu = step.scratch.reshaped(rows: B, columns: 4 * H)
            engine.multiply(step.recurrent, weights.forward.recurrent, into: hu)
            engine.normalize(
                gates, gain: gains.input, normalized: tape.columns(places.normalizedInput),
                scale: tape.columns(places.scale(0)))
            engine.normalize(
                hu, gain: gains.recurrent, normalized: tape.columns(places.normalizedRecurrent),
                scale: tape.columns(places.scale(1)))
            gates.add(hu)
            engine.lstmGates(
                gates: gates, bias: vectors.columns(0..<4 * H), cell: step.previousCell, nextCell: step.nextCell)
            let cell = step.scratch.reshaped(rows: B, columns: H)
            cell.copy(step.nextCell)
            engine.normalize(
                cell, gain: gains.cell, normalized: tape.columns(places.normalizedCell),
                scale: tape.columns(places.scale(2)))
            engine.lstmOutput(gates: gates, cell: cell, bias: gains.cellBias, output: output)
        }
        if let projection { engine.multiply(output, projection, into: step.next) }
    }

    /// The layer-normalised variant's vectors behind the biases, or their gradients.
    private struct Gains<S: Scalar> {
        let input: MatrixView<S>
        let recurrent: MatrixView<S>
        let cell: MatrixView<S>
        let cellBias: MatrixView<S>

        init(_ vectors: MatrixView<S>, hidden H: Int) {
            input = vectors.columns(4 * H..<8 * H)
            recurrent = vectors.columns(8 * H..<12 * H)
            cell = vectors.columns(12 * H..<13 * H)
            cellBias = vectors.columns(13 * H..<14 * H)
        }
    }
}

// MARK: Backward

/// With d the gradient of h' (output and later steps), e that of c' from the later steps, and `d` + name that of a gate
/// before its function:
///
///     do = d*tanh(c') * o*(1-o)            dc' = e + d*o * (1-tanh(c')^2)     [peephole: + do*po]
///     di = dc'*g * i*(1-i)                 df = dc'*c * f*(1-f)               dg = dc'*i * (1-g*g)
///     dc = dc'*f                           [peephole: + di*pi + df*pf; dpi = di*c, dpf = df*c, dpo = do*c']
///
///     dW = x' [di df dg do]    dU = h' [di df dg do]    dx = [di df dg do] W'    dh = [di df dg do] U'
///     projection: d becomes d V', and dV = (o*tanh(c'))' d
extension LSTM {
    static func backward<S: Scalar>(
        _ variant: Variant, _ step: BackwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>
    ) {
        let tape = step.tape, vectors = weights.vectors
        let H = step.dc.columns, B = tape.rows
        let places = Places(variant, hidden: H)
        let gates = tape.columns(places.gates), cell = tape.columns(places.cell)
        let dbias = step.dvectors.columns(0..<4 * H)

        var d = step.dh, dy = step.dy
        if let projection = weights.transposed!.projection {
            let total = tape.columns(places.outputGradient(step.dh.columns))
            total.copy(step.dh)
            if let dy { total.add(dy) }
            d = step.scratch.reshaped(rows: B, columns: H)
            dy = nil
            engine.multiply(total, projection, into: d)
        }
        switch variant {
        case .standard, .peephole:
            let hasPeepholes = variant == .peephole
            engine.lstmBackward(
                gates: gates, nextCell: cell, cell: step.previousCell,
                peepholes: hasPeepholes ? vectors.columns(4 * H..<7 * H) : nil, dy: dy, dh: d, dc: step.dc,
                dbias: dbias,
                dpeepholes: hasPeepholes ? step.dvectors.columns(4 * H..<7 * H) : nil)

        case .layerNormalized:
            let gains = Gains(vectors, hidden: H), dgains = Gains(step.dvectors, hidden: H)
            let normalizedCell = tape.columns(places.normalizedCell)
            let dn = step.scratch.reshaped(rows: 2 * B, columns: H).rows(B..<2 * B) // behind d
            engine.lstmOutputBackward(
                gates: gates, normalizedCell: normalizedCell, gain: gains.cell, bias: gains.cellBias, dy: dy, dh: d,
                dcell: dn, dbias: dgains.cellBias)
            engine.normalizeBackward(
                dn, normalized: normalizedCell, scale: tape.columns(places.scale(2)), gain: gains.cell, into: dn,
                dgain: dgains.cell)
            step.dc.add(dn)
            engine.lstmGatesBackward(gates: gates, cell: step.previousCell, dc: step.dc, dbias: dbias)
            // The recurrent side first: the input side writes over the gradients that both read.
            engine.normalizeBackward(
                gates, normalized: tape.columns(places.normalizedRecurrent), scale: tape.columns(places.scale(1)),
                gain: gains.recurrent, into: tape.columns(places.normalizedRecurrent), dgain: dgains.recurrent)
            engine.normalizeBackward(
                gates, normalized: tape.columns(places.normalizedInput), scale: tape.columns(places.scale(0)),
                gain: gains.input, into: gates, dgain: dgains.input)
        }
        engine.multiply(tape.columns(places.recurrentGradient), weights.transposed!.recurrent, into: step.drecurrent)
    }

    static func weightGradients<S: Scalar>(
        _ variant: Variant, _ run: Run<S>, into gradient: LayerGradient<S>, accumulate: Bool, _ engine: Engine<S>
    ) {
        let places = Places(variant, hidden: run.hidden)
        engine.multiply(
            transposing: run.x, run.tape.columns(places.gates), into: gradient.input, accumulate: accumulate)
        engine.multiply(
            transposing: run.recurrent, run.tape.columns(places.recurrentGradient), into: gradient.recurrent,
            accumulate: accumulate)
        if let projection = gradient.projection {
            engine.multiply(
                transposing: run.tape.columns(places.output),
                run.tape.columns(places.outputGradient(projection.columns)), into: projection, accumulate: accumulate)
        }
    }
}

// MARK: Biases and vectors

extension LSTM {
    /// The biases' sum [4H], then the vectors.
    static func packVectors<S: Scalar>(_ vectors: LayerVectors<S>, into packed: MatrixView<S>, hidden H: Int) {
        vectors.sumOfBiases(into: packed.columns(0..<4 * H))
        packed.columns(4 * H..<packed.columns).copy(vectors.own)
    }

    static func vectorGradients<S: Scalar>(_ sums: MatrixView<S>, into gradient: LayerVectors<S>, hidden H: Int) {
        gradient.setBiases(sums.columns(0..<4 * H))
        gradient.own.copy(sums.columns(4 * H..<sums.columns))
    }
}
