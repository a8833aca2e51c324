/// What a step of time reads and writes going forward. B is the number of sequences alive at the step.
struct ForwardStep<S: Scalar> {
    /// [B, tape columns] in, the input product; out, what the backward pass reads.
    let tape: MatrixView<S>
    /// [B, H] the state before the step.
    let previous: MatrixView<S>
    /// [B, H] the state after the step.
    let next: MatrixView<S>
    /// The recurrent products; [B, columns] is laid over it as each needs.
    let scratch: MatrixView<S>
}

/// What a step of time reads and writes going back.
struct BackwardStep<S: Scalar> {
    /// [B, tape columns] becomes its gradients.
    let tape: MatrixView<S>
    /// [B, H] the state before the step.
    let previous: MatrixView<S>
    /// [B, H] gradient of the state after the step as an output, if it is one.
    let dy: MatrixView<S>?
    /// [B, H] in, gradient of the state after the step from later steps; out, of the state before.
    let dh: MatrixView<S>
    /// Gradients of gated states; [B, columns] is laid over it.
    let scratch: MatrixView<S>
    /// [1, tape columns] sums of the gradients over rows; accumulates.
    let dbias: MatrixView<S>
}

/// A run of steps whose rows follow one another: the unit of the weight-gradient products. R is the number of rows.
struct Run<S: Scalar> {
    /// [R, I] the inputs.
    let x: MatrixView<S>
    /// [R, H] the states before each step.
    let previous: MatrixView<S>
    /// [R, tape columns] the gradients.
    let tape: MatrixView<S>
}

/// Where a layer's gradients go, in the shapes of its parameters.
struct LayerGradient<S: Scalar> {
    /// [I, GH]
    let input: MatrixView<S>
    /// [H, GH]
    let recurrent: MatrixView<S>
    /// [1, GH]
    let bias: MatrixView<S>
    /// [1, GH], where the cell has one.
    let recurrentBias: MatrixView<S>?
}

/// One layer's weights as the time loop reads them: views only.
struct LayerWeights<S: Scalar>: Sendable {
    let forward: LayerFactors<S>
    /// The transposes, where the pass goes backward too.
    let transposed: LayerFactors<S>?
    /// The biases of a step in the tape's order, [1, tape columns].
    let bias: MatrixView<S>
}

/// The right factors of a layer's products.
struct LayerFactors<S: Scalar>: Sendable {
    /// W [I, GH], its gates in the tape's order.
    let input: WeightView<S>
    /// U, or the part of it that multiplies the state: see ``Cell/recurrentGates``.
    let recurrent: WeightView<S>
    /// The part of U that multiplies a gated state, in cells that have one.
    let gated: WeightView<S>?
}
