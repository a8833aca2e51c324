/// What a step of time reads and writes going forward. B is the number of sequences alive at the step.
struct ForwardStep<S: Scalar> {
    /// [B, tape columns] in, the input product; out, what the backward pass reads.
    let tape: MatrixView<S>
    /// [B, P] the state before the step.
    let previous: MatrixView<S>
    /// [B, P] the same as U's products read it: itself, unless the scan drops some of it.
    let recurrent: MatrixView<S>
    /// [B, P] the state after the step.
    let next: MatrixView<S>
    /// [B, H] the cell state before the step and after it, which may be the same memory; empty in cells without one.
    let previousCell: MatrixView<S>
    let nextCell: MatrixView<S>
    /// Products on their way; [B, columns] is laid over it as each needs.
    let scratch: MatrixView<S>
}

/// What a step of time reads and writes going back.
struct BackwardStep<S: Scalar> {
    /// [B, tape columns] becomes its gradients.
    let tape: MatrixView<S>
    /// [B, P] the state before the step.
    let previous: MatrixView<S>
    /// [B, P] the same as U's products read it: itself, unless the scan drops some of it.
    let recurrent: MatrixView<S>
    /// [B, H] the cell state before the step; empty in cells without one.
    let previousCell: MatrixView<S>
    /// [B, P] gradient of the state after the step as an output, if it is one.
    let dy: MatrixView<S>?
    /// [B, P] in, gradient of the state after the step from later steps; out, of the state before.
    let dh: MatrixView<S>
    /// [B, P] gradient of `recurrent`: `dh` itself, unless the scan drops some of it. Accumulates in cells that leak
    /// (``CellShape/leaks``), else overwrites.
    let drecurrent: MatrixView<S>
    /// [B, H] as `dh`, of the cell state; empty in cells without one.
    let dc: MatrixView<S>
    /// Gradients on their way; [B, columns] is laid over it.
    let scratch: MatrixView<S>
    /// [1, vector columns] sums over rows: the gradients of biases and vectors; accumulates.
    let dvectors: MatrixView<S>
}

/// A run of steps whose rows follow one another: the unit of the weight-gradient products. R is the number of rows.
struct Run<S: Scalar> {
    /// [R, I] the inputs.
    let x: MatrixView<S>
    /// [R, P] the states before each step, as U's products read them.
    let recurrent: MatrixView<S>
    /// [R, tape columns] the gradients.
    let tape: MatrixView<S>
    /// H
    let hidden: Int
}

/// Where the weights' gradients of a scan go, in the shapes of its parameters.
struct LayerGradient<S: Scalar> {
    /// [I, GH]
    let input: MatrixView<S>
    /// [P, GH]
    let recurrent: MatrixView<S>
    /// [H, P], where the state is projected.
    let projection: MatrixView<S>?
}

/// One scan's weights as the time loop reads them: views only.
struct LayerWeights<S: Scalar>: Sendable {
    let forward: LayerFactors<S>
    /// The transposes, where the pass goes backward too.
    let transposed: LayerFactors<S>?
    /// The biases and vectors in the order that the kernels read, [1, vector columns].
    let vectors: MatrixView<S>
}

/// The right factors of a scan's products.
struct LayerFactors<S: Scalar>: Sendable {
    /// W [I, GH], its gates in the tape's order.
    let input: WeightView<S>
    /// U, or the part of it that multiplies the state: see ``CellShape/recurrentGates``.
    let recurrent: WeightView<S>
    /// The part of U that multiplies a gated state, in cells that have one.
    let gated: WeightView<S>?
    /// [H, P], where the state is projected.
    let projection: WeightView<S>?
}
