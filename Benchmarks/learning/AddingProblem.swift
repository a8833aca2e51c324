import Sluice

/// The adding problem (Hochreiter and Schmidhuber 1997) as Bai et al. 2018 (arXiv 1803.01271) pose it.
///
/// A sequence of T steps has two channels: values uniform in [0, 1), and markers, which are 1 at two steps, one in each
/// half, and 0 elsewhere. The target, after the last step, is the sum of the two marked values. Who always answers 1, their
/// mean, is off by 1/6 in the mean square.
enum AddingProblem {
    /// The mean squared error of the answer 1.
    static let errorOfTheMean = 1.0 / 6

    /// Room for B sequences of T steps, at least 2.
    static func batch<S: Scalar>(sequences: Int, steps: Int) -> Batch<S> {
        let packing = Packing(sequences: sequences, steps: steps)
        return Batch(
            x: Matrix(rows: packing.rowCount, columns: 2), targets: Matrix(rows: sequences, columns: 1),
            packing: packing)
    }

    /// Draws new sequences, one after another: of each its values, then the marked step of the first half and that of the
    /// second.
    static func draw<S: Scalar>(_ batch: inout Batch<S>, using random: inout Random) {
        let steps = batch.packing.stepCount, sequences = batch.packing.sequenceCount
        batch.targets.withMutableSpan { targets in
            batch.x.withMutableSpan { x in
                for sequence in 0..<sequences {
                    for step in 0..<steps {
                        x[2 * (step * sequences + sequence)] = S(random.uniform())
                        x[2 * (step * sequences + sequence) + 1] = 0
                    }
                    let marked = (
                        place(0..<steps / 2, using: &random) * sequences + sequence,
                        place(steps / 2..<steps, using: &random) * sequences + sequence
                    )
                    x[2 * marked.0 + 1] = 1
                    x[2 * marked.1 + 1] = 1
                    targets[sequence] = x[2 * marked.0] + x[2 * marked.1]
                }
            }
        }
    }

    /// Uniform in a range, up to 2^-53.
    private static func place(_ range: Range<Int>, using random: inout Random) -> Int {
        range.lowerBound + Int(random.uniform() * Double(range.count))
    }
}
