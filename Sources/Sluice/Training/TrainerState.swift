/// All that the future of a trainer depends on but for its batches: what it has learnt, how it goes on learning, and
/// what it has accumulated. As long as parameters are finite, any encoder of numbers gives back the same bits.
public struct TrainerState<S: Scalar>: Codable, Sendable {
    /// The network's.
    public let configuration: Configuration
    /// `[1, count]` in the configuration's layout.
    public let parameters: Matrix<S>
    let loss: Loss
    let optimizer: Optimizer
    let schedule: Schedule
    let clipping: Clipping?
    let regularization: Regularization
    /// Of the masks.
    let random: Random
    let optimizerState: OptimizerState<S>
    let accumulation: Accumulation<S>?
}
