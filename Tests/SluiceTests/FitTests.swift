import CAllocationCount
import Foundation
import Testing
import TestSupport

@testable import Sluice

@Suite struct FitTests {
    static let configuration = Configuration(
        cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 8, layers: 2, head: Head(outputSize: 1, steps: .last))

    /// Whether the sum of the first input is positive.
    static func examples<S: Scalar>(_ count: Int, seed: UInt64, equal: Bool = false) -> Examples<S> {
        var random = Random(seed: seed)
        let inputs = (0..<count).map { k in
            Matrix<S>.random(rows: equal ? 5 : 1 + (k * 7) % 6, columns: 2, using: &random)
        }
        let targets = inputs.map { x in
            Matrix<S>(rows: 1, columns: 1, [(0..<x.rows).reduce(0) { $0 + x[$1, 0] } > 0 ? 1 : 0])
        }
        return Examples(inputs: inputs, targets: targets)
    }

    static func trainer<S: Scalar>(
        _: S.Type = S.self, optimizer: Optimizer = .adam(learningRate: 0.01), schedule: Schedule = .constant,
        regularization: Regularization = .none
    ) -> Trainer<S> {
        var random = Random(seed: 1)
        let network = Network<S>(configuration, .pyTorch, using: &random)
        var trainer = Trainer(
            network, loss: .binaryCrossEntropy, optimizer: optimizer, schedule: schedule, clipping: .norm(0.5),
            regularization: regularization)
        trainer.metric = .binaryAccuracy()
        return trainer
    }

    // MARK: Epochs

    @Test func learnsAndReports() throws {
        let batches = Batches<Double>(Self.examples(200, seed: 2), Batching(size: 16, bucketing: .windows(batches: 4)))
        var fit = Fit(
            Self.trainer(), batches, epochs: 15, validation: Self.examples(100, seed: 3).batches(of: 32))
        var steps = 0
        let epochs = try fit.run { report, _ in
            steps += 1
            #expect(report.epoch == (steps - 1) / 13 + 1 && report.batch == (steps - 1) % 13 + 1)
            #expect(report.batches == 13 && report.updates == steps && report.isUpdate)
            #expect(report.gradientNorms.count == 3 && report.gradientNorm! > 0)
            let sum = report.gradientNorms.reduce(0) { $0 + $1 * $1 }
            #expect(abs(sum.squareRoot() - report.gradientNorm!) < 1e-12)
            #expect(report.pace.sequencesPerSecond > 0 && report.pace.steps >= report.pace.sequences)
            #expect((report.epochEnd != nil) == (report.batch == 13))
        }
        #expect(steps == 15 * 13 && fit.isFinished && epochs.count == 15)
        #expect(epochs.map(\.epoch) == Array(1...15) && epochs.map(\.isLast) == (1...15).map { $0 == 15 })
        #expect(epochs.allSatisfy { $0.pace.sequences == 200 && $0.pace.batches == 13 })
        #expect(epochs[14].loss < 0.5 * epochs[0].loss && epochs[14].metric! > 0.9)
        #expect(epochs[14].validation!.metric! > 0.85)
        #expect(try fit.step() == nil)
    }

    /// The epoch's loss and metric are those of all its sequences, where the parameters stay.
    @Test(arguments: [1, 3]) func anEpochsLossIsTheMeanOverItsSequences(accumulating: Int) throws {
        let examples: Examples<Double> = Self.examples(50, seed: 2)
        var trainer = Self.trainer(Double.self, optimizer: .sgd(learningRate: 0))
        let expected = trainer.evaluate(examples.batches(of: 50))
        var fit = Fit(trainer, Batches(examples, Batching(size: 8)), epochs: 1, accumulating: accumulating)
        var updates: [Bool] = []
        let epoch = try fit.run { report, _ in updates.append(report.isUpdate) }[0]
        #expect(abs(epoch.loss - expected.loss) < 1e-13 && abs(epoch.metric! - expected.metric!) < 1e-13)
        #expect(
            updates
                == (accumulating == 1
                    ? Array(repeating: true, count: 7) : [false, false, true, false, false, true, true]))
    }

    /// Accumulated batches are one large batch.
    @Test func accumulationIsTheLargeBatch() throws {
        let examples: Examples<Double> = Self.examples(24, seed: 2, equal: true)
        func parameters(_ size: Int, _ accumulating: Int) throws -> Matrix<Double> {
            var fit = Fit(
                Self.trainer(), Batches(examples, Batching(size: size, shuffles: false)), epochs: 3,
                accumulating: accumulating)
            try fit.run()
            #expect(fit.trainer.optimizerState.updates == 6)
            return fit.trainer.network.parameters.values
        }
        #expect(relativeDifference(try parameters(4, 3), try parameters(12, 1)) < 1e-10)
    }

    @Test func aCallbackStopsAndTheRunGoesOn() throws {
        func fit() -> Fit<Double> {
            Fit(Self.trainer(), Batches(Self.examples(40, seed: 2), Batching(size: 8)), epochs: 3)
        }
        var whole = fit(), stopped = fit()
        try whole.run()
        for stop in [1, 4, 2, 3] {
            var steps = 0
            try stopped.run { _, stopping in
                steps += 1
                stopping = steps == stop
            }
            #expect(steps == stop && !stopped.isFinished)
        }
        try stopped.run()
        #expect(stopped.trainer.network.parameters == whole.trainer.network.parameters)
    }

    // MARK: Validation

    /// What has learnt 100 examples by heart gets worse at others: the run ends, and the best network is one of before.
    @Test func earlyStoppingGivesTheBestBack() throws {
        let validation: [Batch<Double>] = Self.examples(60, seed: 3).batches(of: 60)
        var fit = Fit(
            Self.trainer(), Batches(Self.examples(100, seed: 2), Batching(size: 10)), epochs: 100,
            validation: validation, earlyStopping: EarlyStopping(patience: 3, minimumChange: 0.001))
        let epochs = try fit.run()
        let losses = epochs.map { $0.validation!.loss }
        #expect(fit.isFinished && epochs.last!.isStoppedEarly && epochs.count < 100)
        #expect(epochs.map(\.isBest) == losses.indices.map { losses[...$0].min() == losses[$0] })
        #expect(fit.best!.loss == losses.min() && losses[fit.best!.epoch - 1] == losses.min())
        var judge = Trainer(fit.bestNetwork, loss: .binaryCrossEntropy, optimizer: .adam())
        #expect(judge.evaluate(validation).loss == losses.min())

        // The rule itself: the last three epochs are no gain on the last gain before them.
        var gain = Double.infinity, waited = 0, end = 0
        for (index, loss) in losses.enumerated() where end == 0 {
            if loss < gain - 0.001 { (gain, waited) = (loss, 0) } else { waited += 1 }
            if waited == 3 { end = index + 1 }
        }
        #expect(end == epochs.count)
    }

    @Test func thePlateauIsTold() throws {
        let schedule = Schedule.reduceOnPlateau(factor: 0.5, patience: 0, threshold: 0.1)
        var fit = Fit(
            Self.trainer(Double.self, optimizer: .sgd(learningRate: 0.1), schedule: schedule),
            Batches(Self.examples(20, seed: 2), Batching(size: 20)), epochs: 6,
            validation: Self.examples(20, seed: 3).batches(of: 20))
        var rates: [Double] = [], plateau = Plateau(), expected: [Double] = []
        try fit.run { report, _ in
            rates.append(report.learningRate)
            expected.append(schedule.learningRate(0.1, afterUpdates: 0, plateau: plateau))
            plateau.report(report.epochEnd!.validation!.loss, schedule, base: 0.1)
        }
        #expect(rates == expected && Set(rates).count >= 3)
    }

    // MARK: Errors

    @Test func whatIsNotFiniteStopsWithItsPlace() throws {
        var examples: Examples<Double> = Self.examples(30, seed: 2, equal: true)
        var inputs = examples.inputs
        inputs[5 * 17 + 3, 1] = .nan
        examples = Examples(inputs: inputs, targets: examples.targets, lengths: examples.lengths)
        var fit = Fit(Self.trainer(), Batches(examples, Batching(size: 5, shuffles: false)), epochs: 2)
        let error = #expect(throws: NonFinite.self) { try fit.run() }
        #expect(error?.quantity == .inputs && error?.sequence == 2 && error?.step == 3 && error?.update == 4)
        #expect(fit.trainer.network.parameters.values.elements.allSatisfy { $0.isFinite })
        #expect(fit.trainer.optimizerState.updates == 3)
        // The next batch is a good one.
        #expect(try fit.step()?.batch == 5)
    }

    @Test func aValidationThatIsNotFinite() throws {
        var bad: [Batch<Double>] = Self.examples(10, seed: 3).batches(of: 5)
        bad[1].targets[2, 0] = .infinity
        var fit = Fit(
            Self.trainer(), Batches(Self.examples(20, seed: 2), Batching(size: 10)), epochs: 2, validation: bad)
        let error = #expect(throws: NonFinite.self) { try fit.run() }
        #expect(error?.isValidation == true && error?.quantity == .targets && error?.update == 2)
        #expect(
            error?.description
                == "in the validation after update 2, what was first not finite: the targets of sequence 2")
    }

    // MARK: Memory

    /// A few allocations of the process's other threads, which run tests, are counted too: so one quiet stretch of
    /// three is enough.
    @Test(.enabled(if: allocation_count_is_on())) func stepsAllocateNothing() async {
        await #expect(processExitsWith: .success) {
            var random = Random(seed: 1)
            for lengths in [Array(repeating: 6, count: 46), (0..<46).map { 1 + $0 % 6 }] {
                let rows = lengths.reduce(0, +)
                let examples = Examples<Float>(
                    inputs: .random(rows: rows, columns: 3, using: &random),
                    targets: .random(rows: rows, columns: 2, using: &random), lengths: lengths)
                let configuration = Configuration(
                    cell: .lstm, inputSize: 3, hiddenSize: 32, layers: 2, head: Head(outputSize: 2))
                let network = Network<Float>(configuration, .keras, using: &random, workers: Workers(threads: 2))
                var trainer = Trainer(
                    network, loss: .huber(), optimizer: .adamW(weightDecay: .matrices(0.01)),
                    schedule: .reduceOnPlateau(), clipping: .norm(1))
                trainer.metric = .accuracy()
                var fit = Fit(
                    trainer, Batches(examples, Batching(size: 10, bucketing: .all)), epochs: 20, accumulating: 2,
                    validation: examples.batches(of: 23), earlyStopping: EarlyStopping(patience: 100))
                func epoch() throws {
                    while let report = try fit.step(), report.epochEnd == nil {}
                }
                for _ in 0..<2 { try epoch() }
                let counts = try (0..<3).map { _ in
                    let before = allocation_count()
                    for _ in 0..<4 { try epoch() }
                    return allocation_count() - before
                }
                precondition(counts.contains(0), "\(counts) in 4 epochs each")
            }
        }
    }
}

/// Stopped and resumed anywhere, a run goes on to the same bits.
@Suite struct FitStateTests {
    struct Kind: Sendable, CustomStringConvertible {
        let name: String
        let optimizer: Optimizer
        let schedule: Schedule
        let batching: Batching
        var accumulating = 1
        var regularization = Regularization.none
        var description: String { name }
    }

    static let kinds = [
        Kind(
            name: "shuffled, Adam on a plateau", optimizer: .adam(learningRate: 0.05, amsGrad: true),
            schedule: .reduceOnPlateau(factor: 0.5, patience: 0, threshold: 0.2), batching: Batching(size: 8)),
        Kind(
            name: "bucketed, accumulated, momentum", optimizer: .sgd(learningRate: 0.1, momentum: 0.9),
            schedule: .warmUp(updates: 4, then: .cosine(updates: 9)),
            batching: Batching(size: 6, bucketing: .windows(batches: 2), dropsLast: true), accumulating: 3),
        Kind(
            name: "sorted, RMSProp", optimizer: .rmsProp(learningRate: 0.01, momentum: 0.5), schedule: .constant,
            batching: Batching(size: 7, bucketing: .all), accumulating: 2),
        Kind(
            name: "dropout and zoneout", optimizer: .adamW(learningRate: 0.01), schedule: .constant,
            batching: Batching(size: 9), accumulating: 2,
            regularization: Regularization(dropout: 0.2, recurrentDropout: 0.3, zoneout: 0.1)),
    ]

    private func fit<S: Scalar>(_ kind: Kind, _: S.Type, epochs: Int = 4) -> Fit<S> {
        Fit(
            FitTests.trainer(
                optimizer: kind.optimizer, schedule: kind.schedule, regularization: kind.regularization),
            Batches(FitTests.examples(40, seed: 2), kind.batching, random: Random(seed: 5)), epochs: epochs,
            accumulating: kind.accumulating, validation: FitTests.examples(20, seed: 3).batches(of: 8),
            earlyStopping: EarlyStopping(patience: 2, minimumChange: 0.02))
    }

    /// All that a run has come to.
    private struct Outcome: Equatable {
        var losses: [UInt64] = []
        var parameters: [UInt64] = []
        var best: [UInt64] = []
        var rate = 0.0
        var random: BatchPosition?

        mutating func note<S: Scalar>(_ report: StepReport<S>) {
            losses.append(Double(report.loss).bitPattern)
            if let epoch = report.epochEnd {
                losses += [epoch.loss, epoch.validation!.loss, epoch.metric!].map(\.bitPattern)
            }
        }

        mutating func end<S: Scalar>(_ fit: Fit<S>) {
            parameters = fit.trainer.network.parameters.values.elements.map { Double($0).bitPattern }
            best = fit.bestNetwork.parameters.values.elements.map { Double($0).bitPattern }
            rate = fit.trainer.learningRate
            random = fit.batches.position
        }
    }

    private func check<S: Scalar>(_ kind: Kind, _: S.Type) throws {
        var whole = fit(kind, S.self), expected = Outcome()
        var steps = 0
        while let report = try whole.step() {
            expected.note(report)
            steps += 1
        }
        expected.end(whole)
        #expect(steps > 10)
        for stop in [0, 1, 2, 4, 5, 6, 7, steps - 1, steps] {
            for asList in [false, true] {
                var first = fit(kind, S.self), outcome = Outcome()
                for _ in 0..<stop { outcome.note(try #require(try first.step())) }
                let state: FitState<S>
                if asList {
                    let data = try PropertyListEncoder().encode(first.state)
                    state = try PropertyListDecoder().decode(FitState<S>.self, from: data)
                } else {
                    let data = try JSONEncoder().encode(first.state)
                    state = try JSONDecoder().decode(FitState<S>.self, from: data)
                }
                // Made as the other was, but for what the state brings.
                var second = Fit(
                    Trainer(
                        Network<S>(
                            FitTests.configuration, Parameters(ParameterLayout(FitTests.configuration))),
                        loss: .meanSquaredError, optimizer: .adam()),
                    Batches(FitTests.examples(40, seed: 2), kind.batching, random: Random(seed: 99)), epochs: 4,
                    accumulating: kind.accumulating, validation: FitTests.examples(20, seed: 3).batches(of: 8),
                    earlyStopping: EarlyStopping(patience: 2, minimumChange: 0.02))
                second.trainer.metric = .binaryAccuracy()
                try second.resume(from: state)
                while let report = try second.step() { outcome.note(report) }
                outcome.end(second)
                #expect(outcome == expected, "stopped after \(stop) steps, as \(asList ? "a list" : "JSON")")
            }
        }
    }

    @Test(arguments: kinds) func goesOnToTheSameBits(_ kind: Kind) throws {
        try check(kind, Double.self)
        try check(kind, Float.self)
    }

    @Test func generatedBatchesGoOnToo() throws {
        func fit() -> Fit<Double> {
            Fit(
                FitTests.trainer(),
                Batches(perEpoch: 4, random: Random(seed: 8)) { _, random in
                    FitTests.examples(6, seed: random.next()).batches(of: 6)[0]
                }, epochs: 3)
        }
        var whole = fit(), first = fit(), second = fit()
        try whole.run()
        for _ in 0..<5 { _ = try first.step() }
        try second.resume(
            from: JSONDecoder().decode(FitState<Double>.self, from: JSONEncoder().encode(first.state)))
        try second.run()
        #expect(second.trainer.network.parameters == whole.trainer.network.parameters)
    }

    @Test func aStateOfAnotherNetworkIsRefused() async {
        await #expect(processExitsWith: .failure) {
            var trainer = FitTests.trainer(Double.self)
            var random = Random(seed: 1)
            let other = Network<Double>(
                Configuration(cell: .lstm, inputSize: 2, hiddenSize: 3), .pyTorch, using: &random)
            trainer.state = Trainer(other, loss: .meanSquaredError, optimizer: .adam()).state
        }
    }
}

@Suite struct MetricTests {
    private let packing = Packing(sequences: 4, steps: 1)

    private func measure(_ metric: Metric<Double>, _ outputs: [Double], _ targets: [Double], classes: Bool) -> Double {
        var measured = Measured(
            outputs: Matrix<Double>(rows: 4, columns: outputs.count / 4, outputs),
            targets: Matrix<Double>(rows: 4, columns: targets.count / 4))
        let matrix = Matrix<Double>(rows: 4, columns: targets.count / 4, targets)
        let sum = metric.measure(&measured, matrix.view, packing)
        return withExtendedLifetime(matrix) { sum.sum / sum.count }
    }

    @Test func accuracies() {
        let outputs: [Double] = [0, 1, 2, 5, 1, 2, 0, 9, 2, 1, 1, 0]
        #expect(measure(.accuracy(), outputs, [2, 0, 0, 0], classes: true) == 0.75)
        #expect(measure(.accuracy(ignoredClass: 2), outputs, [2, 0, 0, 0], classes: true) == 2.0 / 3)
        let shares: [Double] = [0, 0.1, 0.9, 0.4, 0.6, 0, 0, 1, 0, 1, 0, 0]
        #expect(measure(.accuracy(), outputs, shares, classes: false) == 0.75)
        #expect(measure(.binaryAccuracy(), [-1, 2, 0.1, -3], [0, 1, 0, 0], classes: false) == 0.75)
        #expect(measure(.binaryAccuracy(threshold: 0.5), [0.4, 0.6, 0.1, 1], [0, 1, 1, 1], classes: false) == 0.75)
    }

    /// A metric sees the outputs of every row in its place, however the batch is cut: as an evaluation of half the
    /// squared error, it is the loss.
    @Test(arguments: [Head.Steps.all, .last], [Checkpointing.none, .steps(1)])
    func aClosureSeesAllOutputs(_ steps: Head.Steps, _ checkpointing: Checkpointing) {
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 3, hiddenSize: 32, head: Head(outputSize: 2, steps: steps))
        var random = Random(seed: 1)
        let packing = Packing(lengths: (0..<60).map { 1 + ($0 * 7) % 31 })
        let network = Network<Double>(configuration, .pyTorch, using: &random, workers: Workers(threads: 2))
        let rows = configuration.outputRowCount(packing)
        let x = Matrix<Double>.random(rows: packing.rowCount, columns: 3, using: &random)
        let targets = Matrix<Double>.random(rows: rows, columns: 2, using: &random)
        var trainer = Trainer(network, loss: .meanSquaredError, optimizer: .adam(), checkpointing: checkpointing)
        trainer.metric = Metric("mean squared error") { outputs, targets, packing in
            let errors = zip(outputs.elements, targets.elements).map { ($0 - $1) * ($0 - $1) }
            return (errors.reduce(0, +), Double(errors.count))
        }
        let evaluation = trainer.evaluate([Batch(x: x, targets: targets, packing: packing)])
        #expect(abs(evaluation.metric! - evaluation.loss) < 1e-13)
        let loss = trainer.step(x, targets, packing)
        #expect(abs(trainer.totals.metric - loss) < 1e-13)
    }
}
