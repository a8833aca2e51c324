/// The simple recurrent network (Elman 1990), as in PyTorch, Keras and ONNX.
///
/// Row vectors; x [B, I], h [B, H], W [I, H], U [H, H]:
///
///     h' = f(x W + h U + b)        f = tanh or relu
///
/// A row of the tape is h', H wide, and becomes the gradient of what f was taken of.
public enum RNN {
    /// The function of the next state.
    public enum Activation: String, Codable, CaseIterable, Sendable {
        case tanh
        /// max(0, a)
        case relu
    }

    static func shape(hidden H: Int) -> CellShape {
        CellShape(
            gateCount: 1, tapeColumns: H, inputColumns: 0..<H, firstInputGate: 0, recurrentGates: 0..<1,
            gatedGates: nil, leaks: false,
            scratchColumns: 0, cellColumns: nil, vectors: [], vectorColumns: H)
    }
}

// MARK: Forward

extension RNN {
    static func forward<S: Scalar>(
        _ activation: Activation, _ step: ForwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>
    ) {
        engine.multiply(step.recurrent, weights.forward.recurrent, into: step.tape, accumulate: true)
        engine.rnnForward(activation, tape: step.tape, bias: weights.vectors, next: step.next)
    }
}

// MARK: Backward

/// With d the gradient of h' and da that of what f was taken of:
///
///     da = d * (1 - h'*h')   or   h' <= 0 ? 0 : d, as in PyTorch: where h' is NaN, d goes through
///     dW = x' da     dU = h' da     db = da     dx = da W'     dh = da U'
extension RNN {
    static func backward<S: Scalar>(
        _ activation: Activation, _ step: BackwardStep<S>, _ weights: LayerWeights<S>, _ engine: Engine<S>
    ) {
        engine.rnnBackward(activation, tape: step.tape, dy: step.dy, dh: step.dh, dbias: step.dvectors)
        engine.multiply(step.tape, weights.transposed!.recurrent, into: step.drecurrent)
    }

    static func weightGradients<S: Scalar>(
        _ run: Run<S>, into gradient: LayerGradient<S>, accumulate: Bool, _ engine: Engine<S>
    ) {
        engine.multiply(transposing: run.x, run.tape, into: gradient.input, accumulate: accumulate)
        engine.multiply(transposing: run.recurrent, run.tape, into: gradient.recurrent, accumulate: accumulate)
    }
}

// MARK: Biases

extension RNN {
    static func packVectors<S: Scalar>(_ vectors: LayerVectors<S>, into packed: MatrixView<S>) {
        vectors.sumOfBiases(into: packed)
    }

    static func vectorGradients<S: Scalar>(_ sums: MatrixView<S>, into gradient: LayerVectors<S>) {
        gradient.setBiases(sums)
    }
}
