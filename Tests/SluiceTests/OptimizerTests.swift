import Foundation
import Testing
import TestSupport

@testable import Sluice

/// Every optimiser over 20 updates against PyTorch's and Keras's, which `scripts/golden/optimizers.py` writes.
@Suite struct OptimizerTests {
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        let optimizer: Optimizer
        var clipping: Clipping?
        var description: String { name }

        init(_ name: String, _ optimizer: Optimizer, _ clipping: Clipping? = nil) {
            self.name = name
            self.optimizer = optimizer
            self.clipping = clipping
        }
    }

    static let rate = 1.0 / 64
    static let kerasBetas = (0.875, 1 - 1.0 / 128)
    static let cases = [
        Case("sgd", .sgd(learningRate: rate)),
        Case("sgd.momentum", .sgd(learningRate: rate, momentum: 0.9)),
        Case("sgd.nesterov", .sgd(learningRate: rate, momentum: 0.9, nesterov: true, weightDecay: .everything(0.1))),
        Case("sgd.matrices", .sgd(learningRate: rate, momentum: 0.9, weightDecay: .matrices(0.1))),
        Case("sgd.clipNorm", .sgd(learningRate: rate, momentum: 0.9), .norm(2)),
        Case("sgd.clipValue", .sgd(learningRate: rate, momentum: 0.9), .value(0.5)),
        Case("rmsProp", .rmsProp(learningRate: rate)),
        Case(
            "rmsProp.momentum",
            .rmsProp(learningRate: rate, smoothing: 0.9, epsilon: 0.1, momentum: 0.9, weightDecay: .everything(0.1))),
        Case(
            "rmsProp.keras",
            .rmsProp(learningRate: rate, smoothing: 0.9, epsilon: 0.1, momentum: 0.5, form: .tensorFlow)),
        Case("adam", .adam(learningRate: rate, form: .pyTorch)),
        Case("adam.decay", .adam(learningRate: rate, epsilon: 0.1, form: .pyTorch, weightDecay: .everything(0.1))),
        Case(
            "adam.amsGrad",
            .adam(learningRate: rate, beta1: 0.8, beta2: 0.9, epsilon: 0.1, form: .pyTorch, amsGrad: true)),
        Case(
            "adam.keras", .adam(learningRate: rate, beta1: kerasBetas.0, beta2: kerasBetas.1, epsilon: 0.125)),
        Case(
            "adam.kerasAMSGrad",
            .adam(learningRate: rate, beta1: kerasBetas.0, beta2: kerasBetas.1, epsilon: 0.125, amsGrad: true)),
        Case("adamW", .adamW(learningRate: rate)),
        Case("adamW.matrices", .adamW(learningRate: rate, epsilon: 0.1, amsGrad: true, weightDecay: .matrices(0.1))),
        Case(
            "adamW.keras",
            .adamW(
                learningRate: rate, beta1: kerasBetas.0, beta2: kerasBetas.1, epsilon: 0.125, form: .tensorFlow,
                weightDecay: .everything(0.125))),
    ]

    static let layout = ParameterLayout(Configuration(cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 3))

    /// The parameters after each of the fixture's updates, `[20, count]`.
    private func path<S: Scalar>(_: S.Type, _ test: Case, _ engine: Engine<S>) throws -> Matrix<S> {
        let fixture = try Fixture("optimizers")
        let noise = try fixture.matrix("noise").cast(to: S.self), point = try fixture.matrix("point").cast(to: S.self)
        var parameters = try fixture.matrix("start").cast(to: S.self)
        var state = OptimizerState<S>(test.optimizer, count: Self.layout.count)
        var path = noise
        for t in 0..<noise.rows {
            var gradient = parameters
            for i in 0..<gradient.columns { gradient[0, i] = noise[t, i] + 0.5 * (parameters[0, i] - point[0, i]) }
            let view = gradient.mutableView()
            let norm = view.sumOfSquares().squareRoot()
            let clip: GradientConstants<S> = test.clipping?.constants(norm: norm) ?? GradientConstants()
            state.update(
                test.optimizer,
                Update(
                    parameters: parameters.mutableView(), gradient: view, decayRuns: DecayRun.all(Self.layout),
                    learningRate: test.optimizer.learningRate, clip: clip, engine: engine))
            for i in 0..<gradient.columns { path[t, i] = parameters[0, i] }
        }
        #expect(state.updates == 20)
        return path
    }

    /// Float: 20 updates that add up 20 rounded steps, Adam's divided by roots of small sums.
    @Test(arguments: cases)
    func agreesWithPeer(_ test: Case) throws {
        let golden = try Fixture("optimizers").matrix(test.name)
        for backend in Backend.available {
            for level in KernelLevel.available {
                let double = try path(Double.self, test, Engine(backend: backend, level: level))
                #expect(relativeDifference(double, golden) < 1e-12, "Double \(backend) \(level)")
                let float = try path(Float.self, test, Engine(backend: backend, level: level))
                #expect(relativeDifference(float.cast(to: Double.self), golden) < 1e-5, "Float \(backend) \(level)")
            }
        }
    }

    /// Kernels of every level and tail against the naive reference: a few roundings of difference.
    @Test(arguments: cases, [1, 7, 16, 33])
    func kernelsAgreeWithReference(_ test: Case, _ count: Int) {
        func run<S: Scalar>(_ backend: Backend, _ level: KernelLevel, _: S.Type) -> [Matrix<S>] {
            var random = Random(seed: 4)
            let engine = Engine<S>(backend: backend, level: level)
            var parameters = Matrix<S>.random(rows: 1, columns: count, using: &random)
            var state = OptimizerState<S>(test.optimizer, count: count)
            for _ in 0..<3 {
                var gradient = Matrix<S>.random(rows: 1, columns: count, scale: 3, using: &random)
                state.update(
                    test.optimizer,
                    Update(
                        parameters: parameters.mutableView(), gradient: gradient.mutableView(),
                        decayRuns: [DecayRun(range: 0..<count, isVector: false)], learningRate: 0.1,
                        clip: GradientConstants(scale: 0.5, limit: 2), engine: engine))
            }
            return [parameters] + [state.mean, state.square, state.peak, state.velocity].compactMap { $0 }
        }
        func compare<S: Scalar>(_: S.Type) {
            let expected = run(.reference, .baseline, S.self)
            for backend in Backend.available {
                for level in KernelLevel.available {
                    for (result, expected) in zip(run(backend, level, S.self), expected) {
                        #expect(relativeDifference(result, expected) < 50 * S.ulpOfOne, "\(S.self) \(backend) \(level)")
                    }
                }
            }
        }
        compare(Double.self)
        compare(Float.self)
    }

    /// An array of many blocks, decays that change within them, on any number of threads: the same bits.
    @Test(arguments: cases) func threadsDoNotChangeTheBits(_ test: Case) {
        let count = 2 * FlatBlocks.size + 101
        let runs = [0..<FlatBlocks.size - 7, FlatBlocks.size - 7..<FlatBlocks.size + 9, FlatBlocks.size + 9..<count]
        func run(_ threads: Int) -> [Matrix<Float>] {
            var parameters = Matrix<Float>(rows: 1, columns: count, (0..<count).map { Float($0 % 997) / 500 - 1 })
            var gradient = Matrix<Float>(rows: 1, columns: count, (0..<count).map { Float($0 % 1009) / 500 - 1 })
            var state = OptimizerState<Float>(test.optimizer, count: count)
            for _ in 0..<3 {
                state.update(
                    test.optimizer,
                    Update(
                        parameters: parameters.mutableView(), gradient: gradient.mutableView(),
                        decayRuns: runs.enumerated().map { DecayRun(range: $1, isVector: $0 == 1) },
                        learningRate: 0.1, engine: Engine(backend: .default, level: .best),
                        workers: Workers(threads: threads)))
            }
            return [parameters] + [state.mean, state.square, state.peak, state.velocity].compactMap { $0 }
        }
        let one = run(1)
        #expect(run(2) == one && run(3) == one)
        #expect(one[0].elements.allSatisfy { $0.isFinite })
    }

    /// The vectors of every layer and the head, and nothing else, are left out of a decay of matrices.
    @Test func decayLeavesVectorsOut() {
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 3, layers: 2, head: Head(outputSize: 2))
        let layout = ParameterLayout(configuration)
        for run in DecayRun.all(layout) {
            for entry in layout.entries where run.range.overlaps(entry.range) {
                #expect(entry.isVector == run.isVector && run.range.contains(entry.range.upperBound - 1))
            }
        }
        #expect(DecayRun.all(layout).flatMap { Array($0.range) } == Array(0..<layout.count))
        #expect(DecayRun.all(layout).count == 6)
    }

    @Test func norm() {
        for count in [0, 1, 7, 8, 9, 1000] {
            let numbers = Matrix<Float>(rows: 1, columns: count, (0..<count).map { Float($0) })
            let expected = (0..<count).reduce(0.0) { $0 + Double($1 * $1) }.squareRoot()
            // A view does not keep its matrix alive.
            let norm = withExtendedLifetime(numbers) { numbers.view.sumOfSquares().squareRoot() }
            #expect(abs(norm - expected) <= 1e-14 * expected)
        }
        let large = Matrix<Float>(rows: 1, columns: 2, [3e38, 4])
        #expect(withExtendedLifetime(large) { large.view.sumOfSquares().isFinite })
    }
}

/// Trainers that go on.
@Suite struct ResumingTests {
    private let packing = Packing(lengths: [3, 5])
    private func problem() -> (Network<Double>, Matrix<Double>, Matrix<Double>) {
        var random = Random(seed: 2)
        let configuration = Configuration(
            cell: .gru(.resetBefore), inputSize: 2, hiddenSize: 4, head: Head(outputSize: 2))
        return (
            Network(configuration, .pyTorch, using: &random),
            .random(rows: 8, columns: 2, using: &random), .random(rows: 8, columns: 2, using: &random)
        )
    }

    /// Written as JSON and read again in the middle, a run has the bits of one that was not stopped.
    @Test(
        arguments: OptimizerTests.cases.map(\.optimizer),
        [
            Schedule.exponential(factor: 0.9),
            .warmUp(updates: 3, then: .reduceOnPlateau(factor: 0.5, patience: 1)),
        ])
    func resumedRunHasTheSameBits(_ optimizer: Optimizer, _ schedule: Schedule) throws {
        let (network, x, y) = problem()
        func go(_ trainer: inout Trainer<Double>) {
            for _ in 0..<6 {
                _ = trainer.step(x, y, packing)
                trainer.report(loss: 1)
            }
        }
        var whole = Trainer(
            network, loss: .meanSquaredError, optimizer: optimizer, schedule: schedule, clipping: .norm(0.1))
        go(&whole)
        func copy<T: Codable>(_ value: T) throws -> T {
            try JSONDecoder().decode(T.self, from: JSONEncoder().encode(value))
        }
        var second = Trainer(
            whole.network, loss: try copy(whole.loss), optimizer: try copy(optimizer), schedule: try copy(schedule),
            clipping: try copy(whole.clipping!), resuming: try copy(whole.optimizerState))
        #expect(second.learningRate == whole.learningRate)
        go(&whole)
        go(&second)
        #expect(second.network.parameters == whole.network.parameters)
        #expect(second.learningRate == whole.learningRate && second.learningRate < optimizer.learningRate)
    }

    @Test func aDamagedMatrixIsRefused() {
        let text = Data(#"{"rows": 2, "columns": 2, "elements": [1, 2, 3]}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Matrix<Double>.self, from: text) }
    }

    /// Clipping is by the norm that is told.
    @Test func clippingByNorm() {
        let (network, x, y) = problem()
        var trainer = Trainer(
            network, loss: .meanSquaredError, optimizer: .sgd(learningRate: 1), clipping: .norm(1e-3))
        _ = trainer.step(x, y, packing)
        let moved = zip(network.parameters.values.elements, trainer.network.parameters.values.elements)
            .reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
        let norm = trainer.gradientNorm!
        #expect(norm > 1e-3 && abs(moved - 1e-3 * norm / (norm + 1e-6)) < 1e-12)
    }

    /// A finite loss just below the largest number, whose gradient's squares sum up to more.
    @Test func gradientWithoutAFiniteNormLeavesTheParameters() {
        let (network, _, _) = problem()
        var trainer = Trainer(
            network, loss: .halfSquaredError, optimizer: .sgd(learningRate: 1), clipping: .norm(1))
        let x = Matrix<Double>(rows: 1, columns: 2, [50, -50]),
            y = Matrix<Double>(rows: 1, columns: 2, [1.3e154, 0])
        #expect(trainer.step(x, y, Packing(sequences: 1, steps: 1)).isFinite)
        #expect(trainer.gradientNorm == .infinity && trainer.optimizerState.updates == 0)
        #expect(trainer.network.parameters == network.parameters)
    }

    @Test func aStateOfAnotherNetworkIsRefused() async {
        await #expect(processExitsWith: .failure) {
            let (network, _, _) = ResumingTests().problem()
            _ = Trainer(
                network, loss: .meanSquaredError, optimizer: .sgd(),
                resuming: OptimizerState(.sgd(), count: 3))
        }
    }
}

/// Rates against `torch.optim.lr_scheduler`.
@Suite struct ScheduleTests {
    static let base = 0.3

    @Test(arguments: [
        ("step", Schedule.step(every: 7)),
        ("exponential", .exponential(factor: 0.95)),
        ("cosine", .cosine(updates: 50, minimum: 0.01)),
        ("warmUp", .warmUp(updates: 8, start: 0.1, then: .cosine(updates: 30, minimum: 0.01))),
        ("oneCycle", .oneCycle(updates: 60)),
    ])
    func agreesWithPyTorch(_ golden: (name: String, schedule: Schedule)) throws {
        let rates = (0..<60).map { golden.schedule.learningRate(Self.base, afterUpdates: $0) }
        #expect(
            relativeDifference(Matrix(rows: 1, columns: 60, rates), try Fixture("schedules").matrix(golden.name))
                < 1e-12)
    }

    @Test func plateauAgreesWithPyTorch() throws {
        let fixture = try Fixture("schedules")
        let losses = try fixture.matrix("losses").elements
        let schedule = Schedule.reduceOnPlateau(
            factor: 0.3, patience: 3, threshold: 0.01, cooldown: 2, minimum: 0.001)
        var plateau = Plateau(), rates: [Double] = []
        for loss in losses {
            rates.append(schedule.learningRate(Self.base, afterUpdates: 0, plateau: plateau))
            plateau.report(loss, schedule, base: Self.base)
        }
        #expect(relativeDifference(Matrix(rows: 1, columns: 60, rates), try fixture.matrix("plateau")) < 1e-12)
        #expect(plateau.reductions >= 5 && rates.last == 0.001)
    }

    @Test func endsOfSchedules() {
        let cycle = Schedule.oneCycle(updates: 10)
        #expect(cycle.learningRate(1, afterUpdates: 99) == cycle.learningRate(1, afterUpdates: 9))
        #expect(Schedule.oneCycle(updates: 2, rising: 0.5).learningRate(1, afterUpdates: 0) == 1)
        #expect(Schedule.constant.learningRate(0.1, afterUpdates: 7) == 0.1)
        #expect(Schedule.warmUp(updates: 0).learningRate(0.1, afterUpdates: 0) == 0.1)
    }
}
