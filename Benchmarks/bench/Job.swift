import Sluice

/// A batch of equal sequences and a layer: B sequences, T steps, I inputs, H hidden units.
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
    let variant: GRU.Variant

    /// What `--filter` looks into.
    var name: String { "\(pass.rawValue) \(scalar.rawValue) \(shape.description)" }

    /// The floating-point operations of the pass: two for each weight, row and step, the usual count. A training step
    /// has the products of the forward pass (I + H), those of dW and dU (I + H) and that of dh (H); the trainer needs no
    /// gradient of the inputs, so their product (I) is neither done nor counted. Gates, update and the head of one output
    /// are not counted.
    var flops: Double {
        let forward = shape.inputs + shape.hidden
        let terms = pass == .forward ? forward : 2 * forward + shape.hidden
        return Double(2 * shape.batch * shape.steps * 3 * shape.hidden * terms)
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
    /// Times 2, for two results that each err. Outputs are of the order of 1; a gradient's difference is divided by the
    /// largest gradient.
    var bound: Double {
        let forward = shape.inputs + shape.hidden
        let terms = pass == .forward ? forward : forward + 3 * shape.hidden + shape.steps * shape.batch
        return 2 * Double(terms) * (scalar == .float ? Double(Float.ulpOfOne) : Double.ulpOfOne)
    }
}
