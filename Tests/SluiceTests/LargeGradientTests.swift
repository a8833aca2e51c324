import Testing
import TestSupport

@testable import Sluice

/// A gradient that is finite and whose square is not, in Float.
@Suite struct LargeGradientTests {
    static let optimizers: [Optimizer] = [.sgd(learningRate: 1e-30), .rmsProp(), .adam(), .adamW()]

    /// One input and one unit, of weight 1: the gradient of the absolute error is the input.
    private func trainer(_ optimizer: Optimizer, _ clipping: Clipping? = nil) -> Trainer<Float> {
        let configuration = Configuration(cell: .rnn(.relu), inputSize: 1, hiddenSize: 1, biases: Biases.none)
        var parameters = Parameters<Float>(ParameterLayout(configuration))
        parameters["weight_ih_l0"] = Matrix(rows: 1, columns: 1, [1])
        return Trainer(
            Network(configuration, parameters), loss: .meanAbsoluteError, optimizer: optimizer, clipping: clipping)
    }

    private func batch(_ x: Float) -> Batch<Float> {
        Batch(
            x: Matrix(rows: 1, columns: 1, [x]), targets: Matrix(rows: 1, columns: 1, [0]),
            packing: Packing(sequences: 1, steps: 1))
    }

    /// The update is not done, and said not to be; the next one is, where v had stayed infinite before.
    @Test(arguments: optimizers) func isFollowedOrSaidNotToBe(_ optimizer: Optimizer) throws {
        var trainer = trainer(optimizer)
        let before = trainer.network.parameters
        trainer.step(batch(1e25))
        if case .sgd = optimizer {
            #expect(trainer.gradientNorm == Double(Float(1e25)) && trainer.network.parameters != before)
            return
        }
        #expect(trainer.gradientNorm == .infinity && trainer.network.parameters == before)
        let found = try #require(trainer.firstNonFinite(in: batch(1e25)))
        #expect("\(found)".contains("the gradient's norm, whose squares are too large together"))
        trainer.step(batch(1))
        #expect(trainer.gradientNorm == 1 && trainer.network.parameters != before)
    }

    @Test(arguments: optimizers, [Clipping.norm(1), .value(1)])
    func isFollowedWhereItIsClipped(_ optimizer: Optimizer, _ clipping: Clipping) {
        var trainer = trainer(optimizer, clipping)
        let before = trainer.network.parameters
        trainer.step(batch(1e25))
        #expect(trainer.gradientNorm == Double(Float(1e25)))
        if case .sgd = optimizer { return } // a rate of 1e-30 for what is now 1
        #expect(trainer.network.parameters != before)
    }
}
