import Foundation
import Testing
import TestSupport

@testable import Sluice

/// An optimiser changed in the middle of a run.
@Suite struct OptimizerChangeTests {
    private static let batch: Batch<Double> = {
        var random = Random(seed: 3)
        return Batch(
            x: .random(rows: 8, columns: 2, using: &random), targets: .random(rows: 8, columns: 2, using: &random),
            packing: Packing(lengths: [3, 5]))
    }()

    private static func trainer(
        _ optimizer: Optimizer, _ schedule: Schedule = .constant, from network: Network<Double>? = nil
    ) -> Trainer<Double> {
        var random = Random(seed: 2)
        let configuration = Configuration(
            cell: .gru(.resetBefore), inputSize: 2, hiddenSize: 4, head: Head(outputSize: 2))
        return Trainer(
            network ?? Network(configuration, .pyTorch, using: &random), loss: .meanSquaredError, optimizer: optimizer,
            schedule: schedule)
    }

    private static func steps(_ trainer: inout Trainer<Double>, _ count: Int) {
        for _ in 0..<count { trainer.step(batch) }
    }

    /// Adam's first step is about its rate in every direction, whatever was done before.
    @Test func adamBeginsAtItsOwnFirstUpdate() {
        var trainer = Self.trainer(.sgd(learningRate: 0.01))
        Self.steps(&trainer, 1000)
        let before = trainer.network
        trainer.optimizer = .adam(learningRate: 0.001)
        trainer.step(Self.batch)
        let moves = zip(trainer.network.parameters.values.elements, before.parameters.values.elements).map {
            abs($0 - $1)
        }
        #expect(moves.max()! <= 0.001 && moves.max()! > 0.00099)
        #expect(trainer.optimizerState.updates == 1001 && trainer.optimizerState.updatesBefore == 1000)
    }

    static let optimizers: [Optimizer] = [
        .sgd(learningRate: 0.01, momentum: 0.9), .rmsProp(learningRate: 0.01, momentum: 0.5),
        .adam(learningRate: 0.01, amsGrad: true), .adamW(learningRate: 0.01),
    ]

    /// A run that goes on with an optimiser of another kind is one that begins with it, to the bit, whichever the two are.
    @Test(arguments: optimizers, optimizers) func anotherKindBegins(_ first: Optimizer, _ second: Optimizer) {
        func isAdam(_ optimizer: Optimizer) -> Bool {
            switch optimizer {
            case .adam, .adamW: true
            default: false
            }
        }
        guard first != second, !(isAdam(first) && isAdam(second)) else { return }
        var trainer = Self.trainer(first)
        Self.steps(&trainer, 7)
        trainer.optimizer = second
        var fresh = Self.trainer(second, from: trainer.network)
        Self.steps(&trainer, 5)
        Self.steps(&fresh, 5)
        #expect(trainer.network.parameters == fresh.network.parameters)
        // And back: it does not find what it left.
        trainer.optimizer = first
        fresh = Self.trainer(first, from: trainer.network)
        Self.steps(&trainer, 5)
        Self.steps(&fresh, 5)
        #expect(trainer.network.parameters == fresh.network.parameters)
        #expect(trainer.optimizerState.updates == 17)
    }

    @Test func theSchedulesCountGoesOn() {
        var trainer = Self.trainer(.sgd(learningRate: 0.01), .exponential(factor: 0.5))
        Self.steps(&trainer, 3)
        trainer.optimizer = .adam(learningRate: 0.8)
        #expect(trainer.learningRate == 0.1)
        Self.steps(&trainer, 1)
        #expect(trainer.learningRate == 0.05)
    }

    /// Other rates, and Adam's decay in AdamW's place: the moments and their count go on.
    @Test(arguments: optimizers) func anotherRateRestartsNothing(_ optimizer: Optimizer) {
        var doubled: Optimizer
        switch optimizer {
        case .sgd: doubled = .sgd(learningRate: 0.02, momentum: 0.9)
        case .rmsProp: doubled = .rmsProp(learningRate: 0.02, momentum: 0.5)
        case .adam: doubled = .adam(learningRate: 0.02, amsGrad: true)
        case .adamW: doubled = .adamW(learningRate: 0.02)
        }
        var trainer = Self.trainer(optimizer), scheduled = Self.trainer(optimizer, .step(every: 4, factor: 2))
        Self.steps(&trainer, 4)
        trainer.optimizer = doubled
        Self.steps(&trainer, 4)
        Self.steps(&scheduled, 8)
        #expect(trainer.network.parameters == scheduled.network.parameters)
        #expect(trainer.optimizerState.updatesBefore == 0)
    }

    @Test func adamWGoesOnWithAdamsMoments() {
        var trainer = Self.trainer(.adam(learningRate: 0.01, form: .pyTorch))
        var other = Self.trainer(.adamW(learningRate: 0.01, weightDecay: .none))
        Self.steps(&trainer, 4)
        trainer.optimizer = .adamW(learningRate: 0.01, weightDecay: .none)
        Self.steps(&trainer, 4)
        Self.steps(&other, 8)
        #expect(trainer.network.parameters == other.network.parameters)
    }

    // MARK: Files

    private static func copy(_ state: TrainerState<Double>, without keys: [String] = []) throws -> TrainerState<Double>
    {
        var file = try JSONValue(JSONSerialization.jsonObject(with: JSONEncoder().encode(state)))
        for key in keys { file = file.replacing(["optimizerState", key], by: nil) }
        return try JSONDecoder().decode(TrainerState<Double>.self, from: file.data)
    }

    /// Written down at any place around a change, a run goes on to the same bits.
    @Test(arguments: [6, 7, 8, 9]) func aChangeIsWrittenDown(_ stop: Int) throws {
        func step(_ trainer: inout Trainer<Double>, _ update: Int) {
            if update == 7 { trainer.optimizer = .adam(learningRate: 0.01) }
            trainer.step(Self.batch)
        }
        var whole = Self.trainer(.rmsProp(learningRate: 0.01)), second = Self.trainer(.sgd())
        for update in 0..<12 { step(&whole, update) }
        var first = Self.trainer(.rmsProp(learningRate: 0.01))
        for update in 0..<stop { step(&first, update) }
        if stop == 7 { first.optimizer = .adam(learningRate: 0.01) }
        try second.resume(from: Self.copy(first.state))
        for update in stop..<12 { step(&second, update) }
        #expect(second.network.parameters == whole.network.parameters)
    }

    /// Files of before knew of no kinds: they go on with their count, and a change after them is one.
    @Test func oldFilesGoOn() throws {
        var whole = Self.trainer(.adam(learningRate: 0.01)), second = Self.trainer(.sgd())
        Self.steps(&whole, 5)
        try second.resume(from: Self.copy(whole.state, without: ["kind", "updatesBefore"]))
        for update in 0..<8 {
            for change in [0, 1] {
                func step(_ trainer: inout Trainer<Double>) {
                    if update == 4 { trainer.optimizer = .rmsProp(learningRate: 0.01) }
                    trainer.step(Self.batch)
                }
                if change == 0 { step(&whole) } else { step(&second) }
            }
        }
        #expect(second.network.parameters == whole.network.parameters)
        #expect(second.optimizerState.updatesBefore == 9)
    }

    /// A file of before, written between a change and the next update, has none of the new kind's moments: it begins.
    @Test func oldFilesOfAChangeBegin() throws {
        var first = Self.trainer(.sgd(learningRate: 0.01)), second = Self.trainer(.sgd())
        Self.steps(&first, 5)
        first.optimizer = .adam(learningRate: 0.01)
        try second.resume(from: Self.copy(first.state, without: ["kind", "updatesBefore"]))
        Self.steps(&first, 3)
        Self.steps(&second, 3)
        #expect(first.network.parameters == second.network.parameters)
        #expect(second.optimizerState.updates == 8 && second.optimizerState.updatesBefore == 5)
    }

    /// Numbers that no run can have left.
    @Test func missingMomentsAndNegativeSquares() throws {
        var trainer = Self.trainer(.adam(learningRate: 0.01))
        Self.steps(&trainer, 2)
        var other = Self.trainer(.sgd())
        let before = other.network.parameters
        var error = #expect(throws: InvalidValue.self) {
            try other.resume(from: Self.copy(trainer.state, without: ["mean"]))
        }
        #expect(error?.description == "optimizerState.mean is missing after 2 updates of this kind of optimizer")
        let file = try JSONValue(JSONSerialization.jsonObject(with: JSONEncoder().encode(trainer.state)))
            .replacing(["optimizerState", "square", "elements", "3"], by: .number(-0.5))
        error = #expect(throws: InvalidValue.self) {
            try other.resume(from: JSONDecoder().decode(TrainerState<Double>.self, from: file.data))
        }
        #expect(error?.description == "optimizerState.square is -0.5 at parameter 3: at least 0 is needed")
        #expect(other.network.parameters == before)
    }

    /// A schedule that grows beyond all numbers is not followed there, and is what is found.
    @Test func aRateThatIsNotFinite() throws {
        var trainer = Self.trainer(.sgd(learningRate: 1e-200), .exponential(factor: 1e200))
        Self.steps(&trainer, 1)
        trainer.schedule = .exponential(factor: 1e300)
        trainer.optimizer = .sgd(learningRate: 1e200)
        let before = trainer.network.parameters
        #expect(!trainer.learningRate.isFinite && trainer.step(Self.batch).isFinite)
        #expect(trainer.network.parameters == before && trainer.optimizerState.updates == 1)
        #expect(
            trainer.firstNonFinite(in: Self.batch)?.description
                == "in update 2, what was first not finite: the learning rate")
        var fit = Fit(trainer, Batches(perEpoch: 1) { _, _ in Self.batch }, epochs: 2)
        #expect(throws: NonFinite.self) { try fit.run() }
    }
}
