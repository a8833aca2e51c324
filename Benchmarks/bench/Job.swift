import Sluice

/// The sizes of a batch and of its network: B sequences, T steps (of the longest), I inputs, H hidden units.
struct Shape: Encodable {
    let batch: Int
    var steps: Int
    let inputs: Int
    let hidden: Int

    init(_ batch: Int, _ steps: Int, _ inputs: Int, _ hidden: Int) {
        self.batch = batch
        self.steps = steps
        self.inputs = inputs
        self.hidden = hidden
    }

    /// A streaming step, long and short sequences, small and large batches, and the addition task (100,5,2,16).
    static let all = [
        Shape(1, 1, 64, 64), Shape(1, 100, 128, 128), Shape(1, 50, 512, 512), Shape(32, 50, 64, 128),
        Shape(32, 100, 256, 256), Shape(64, 50, 512, 512), Shape(128, 35, 1024, 1024), Shape(100, 5, 2, 16),
    ]
    static let quick = [Shape(1, 1, 64, 64), Shape(1, 100, 128, 128), Shape(32, 50, 64, 128), Shape(100, 5, 2, 16)]

    var description: String { "\(batch),\(steps),\(inputs),\(hidden)" }
}

/// One line of the benchmark.
struct Job {
    enum Pass: String, Encodable, CaseIterable {
        /// All states of a batch, in a kept workspace.
        case forward
        /// `Trainer.step`: forward, loss, backward, update, weights repacked.
        case training
    }

    var shape: Shape
    let pass: Pass
    let scalar: ScalarType
    let form: Form

    /// What `--filter` looks into.
    var name: String { "\(pass.rawValue) \(scalar.rawValue) \(shape.description)" }

    /// The floating-point operations of the pass: two for each weight and row, the usual count. A training step has those of
    /// the forward pass, as many for the weights' gradients, and as many for what the products were taken of, but for the
    /// inputs: the trainer asks for no gradient of them. Gates, update and the head of one output are not counted, nor is
    /// padding.
    var flops: Double {
        let configuration = form.configuration(shape), rows = form.packing(shape).rowCount
        let weights = configuration.weightCount
        let factors = pass == .forward ? weights : 3 * weights - configuration.inputWeightCount
        return Double(2 * rows * factors)
    }

    /// How far the two backends' results may lie apart.
    ///
    /// Rounding errors of a sum of n terms grow like sqrt(n) eps where they are independent, and the bound allows n eps,
    /// n the terms that are added one after another on the way to a result:
    ///
    ///     forward     I + H                  a pre-activation; the steps before add little, as these weights contract
    ///                                        (U's spectral radius is near 1/sqrt(3)) and states stay within 1
    ///     training    I + H + 3H + T B       the same, 3H of dh = [dn dr dz] U', and the rows summed in a weight's gradient
    ///
    /// and with G gates in place of 3, a projection's H and N rows in place of T B; layers add up. Times 2, for two results
    /// that each err. Outputs are of the order of 1; a gradient's difference is divided by the largest gradient.
    var bound: Double {
        let configuration = form.configuration(shape)
        let forward = configuration.stateSize + (configuration.projectionSize == nil ? 0 : shape.hidden)
        let backward = pass == .forward ? 0 : form.cell.gateCount * shape.hidden
        let layers = (0..<form.layers).reduce(0) { $0 + configuration.inputSize(ofLayer: $1) + forward + backward }
        let rows = pass == .forward ? 0 : form.packing(shape).rowCount
        return 2 * Double(layers + rows) * (scalar == .float ? Double(Float.ulpOfOne) : Double.ulpOfOne)
    }
}
