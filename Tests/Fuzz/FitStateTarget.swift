import Foundation
import Sluice

/// A run that goes on from whatever a file holds: it is refused, by the decoder or by the run, or takes two steps.
func fuzzFitState(_ bytes: UnsafeRawBufferPointer) {
    let data = Data(bytes)
    for run in FuzzedRun.allCases {
        guard let state = try? JSONDecoder().decode(FitState<Float>.self, from: data) else { return }
        var fit = run.fit
        guard (try? fit.resume(from: state)) != nil else { continue }
        for _ in 0..<2 { _ = try? fit.step() }
        _ = fit.bestNetwork.forward(FuzzedRun.inputs, FuzzedRun.packing)
    }
}

/// Small runs whose states the fuzzer begins from.
enum FuzzedRun: CaseIterable {
    case classes, momentum, made

    static let packing = Packing(lengths: [2, 1, 3])
    static let inputs = Matrix<Float>(rows: 6, columns: 1, [0.5, -1, 2, 0, 1, -0.5])
    private static let network: Network<Float> = {
        var random = Random(seed: 1)
        return Network(
            Configuration(cell: .rnn(.tanh), inputSize: 1, hiddenSize: 2, head: Head(outputSize: 2)), .pyTorch,
            using: &random)
    }()

    /// Before its first step.
    var fit: Fit<Float> {
        let classes = Matrix<Float>(rows: 6, columns: 1, [0, 1, 1, -100, 0, 1])
        let values = Matrix<Float>(rows: 6, columns: 2)
        let targets = self == .classes ? classes : values
        let examples = Examples(inputs: Self.inputs, targets: targets, lengths: [2, 1, 3])
        let batch = Batch(x: Self.inputs, targets: targets, packing: Self.packing)
        let stopping = EarlyStopping(patience: 3)
        switch self {
        case .classes:
            let trainer = Trainer(
                Self.network, loss: .crossEntropy(classWeights: [1, 2]), optimizer: .adam(amsGrad: true),
                schedule: .warmUp(updates: 3, then: .reduceOnPlateau(patience: 1)), clipping: .norm(1))
            return Fit(
                trainer, Batches(examples, Batching(size: 2, bucketing: .all)), epochs: 9, accumulating: 2,
                validation: [batch], earlyStopping: stopping)
        case .momentum:
            let trainer = Trainer(
                Self.network, loss: .huber(), optimizer: .rmsProp(momentum: 0.9), schedule: .oneCycle(updates: 9),
                clipping: .value(1), regularization: Regularization(inputDropout: 0.2))
            return Fit(trainer, Batches(examples, Batching(size: 1)), epochs: 9, accumulating: 2)
        case .made:
            let trainer = Trainer(
                Self.network, loss: .quantile(level: 0.5), optimizer: .sgd(momentum: 0.9),
                schedule: .cosine(updates: 9))
            return Fit(trainer, Batches(perEpoch: 2) { _, _ in batch }, epochs: 9, validation: [batch])
        }
    }

    /// States after a few steps, as JSON.
    static var seeds: [Data] {
        allCases.flatMap { run -> [Data] in
            var fit = run.fit
            return [1, 3].map { count in
                for _ in 0..<count { _ = try? fit.step() }
                return (try? JSONEncoder().encode(fit.state)) ?? Data()
            }
        }
    }
}
