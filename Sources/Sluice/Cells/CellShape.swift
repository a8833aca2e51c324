/// How a cell lays out the numbers of a step, for layers of H hidden units: what the scan, the workspace and the packed
/// weights must know of it.
struct CellShape: Sendable {
    /// G, the gates whose weights stand side by side.
    let gateCount: Int
    /// The columns of a row of the tape: what a step computes in and keeps for the backward pass.
    let tapeColumns: Int
    /// The tape's columns that hold the input product going forward and its gradient going back.
    let inputColumns: Range<Int>
    /// The input columns hold the gates in the parameters' order from this one on, then those before it.
    let firstInputGate: Int
    /// The gates whose recurrent product is with the state.
    let recurrentGates: Range<Int>
    /// The gates whose recurrent product is with a gated state, in cells that have one.
    let gatedGates: Range<Int>?
    /// Whether the state goes into the next one by itself too, as z*h does, and not by U's products alone.
    let leaks: Bool
    /// The columns of the scratch matrix of a step.
    let scratchColumns: Int
    /// The tape's columns that hold the cell state c after the step, in cells that have one.
    let cellColumns: Range<Int>?
    /// The cell's own vectors beside the biases.
    let vectors: [Vector]
    /// The numbers of the biases and vectors in the order that the kernels read.
    let vectorColumns: Int

    struct Vector: Sendable {
        /// The name in files, but for the layer.
        let name: String
        let role: ParameterRole
        let count: Int
    }
}

/// A scan's biases and its cell's own vectors as matrices of one row: the parameters, or their gradients.
struct LayerVectors<S: Scalar> {
    /// [1, GH]
    let bias: MatrixView<S>?
    /// [1, GH]
    let recurrentBias: MatrixView<S>?
    /// [1, n] the cell's own, one behind the other in the order of ``CellShape/vectors``.
    let own: MatrixView<S>

    /// Sets `sum` [1, GH] to the biases' sum, zero where there are none.
    func sumOfBiases(into sum: MatrixView<S>) {
        sum.fill(0)
        if let bias { sum.add(bias) }
        if let recurrentBias { sum.add(recurrentBias) }
    }

    /// Sets both biases' gradients, which are the same: where a step adds them, it adds their sum.
    func setBiases(_ gradient: MatrixView<S>) {
        bias?.copy(gradient)
        recurrentBias?.copy(gradient)
    }
}

/// What a parameter does.
public enum ParameterRole: String, CaseIterable, Sendable {
    case inputWeight, recurrentWeight, projectionWeight, bias, peephole, gain, headWeight, headBias

    /// Whether it is the right factor of a product; otherwise a vector.
    var isMatrix: Bool {
        switch self {
        case .inputWeight, .recurrentWeight, .projectionWeight, .headWeight: true
        case .bias, .peephole, .gain, .headBias: false
        }
    }
}
