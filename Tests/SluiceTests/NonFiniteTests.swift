import Testing
import TestSupport

@testable import Sluice

@Suite struct NonFiniteTests {
    static let configuration = Configuration(
        cell: .lstm, inputSize: 2, hiddenSize: 4, layers: 3, head: Head(outputSize: 1))
    static let packing = Packing(lengths: [3, 5, 2])

    private func trainer(_ loss: Loss = .meanSquaredError) -> Trainer<Double> {
        var random = Random(seed: 1)
        let network = Network<Double>(Self.configuration, .pyTorch, using: &random)
        return Trainer(network, loss: loss, optimizer: .adam())
    }

    private func batch() -> Batch<Double> {
        var random = Random(seed: 2)
        return Batch(
            x: .random(rows: 10, columns: 2, using: &random), targets: .random(rows: 10, columns: 1, using: &random),
            packing: Self.packing)
    }

    /// A step on the batch that leaves everything as it was, and what is then found.
    private func found(_ trainer: Trainer<Double>, _ batch: Batch<Double>) -> NonFinite? {
        var trainer = trainer
        let before = trainer.network.parameters.values.elements.map(\.bitPattern)
        let loss = trainer.step(batch)
        #expect(!loss.isFinite || !trainer.gradientNorm!.isFinite)
        #expect(trainer.network.parameters.values.elements.map(\.bitPattern) == before)
        #expect(trainer.optimizerState.updates == 0)
        return trainer.firstNonFinite(in: batch)
    }

    @Test func nothingIsFoundWhereAllIsWell() {
        var trainer = trainer()
        let batch = batch()
        #expect(trainer.step(batch).isFinite && trainer.firstNonFinite(in: batch) == nil)
    }

    @Test func aParameter() {
        var trainer = trainer()
        var network = trainer.network
        network.parameters["weight_hh_l1"][2, 3] = .infinity
        trainer = Trainer(network, loss: .meanSquaredError, optimizer: .adam())
        let found = found(trainer, batch())
        #expect(found?.quantity == .parameter("weight_hh_l1") && found?.layer == 1 && found?.update == 1)
        #expect(found?.description == "in update 1, what was first not finite: the parameter weight_hh_l1 (layer 1)")
    }

    @Test func anInput() {
        var batch = batch()
        batch.x[Self.packing.row(sequence: 0, step: 2), 1] = .nan
        let found = found(trainer(), batch)
        #expect(found?.quantity == .inputs && found?.sequence == 0 && found?.step == 2)
        #expect(
            found?.description == "in update 1, what was first not finite: the inputs of sequence 0 at step 2")
    }

    @Test func aTarget() {
        var batch = batch()
        batch.targets[Self.packing.row(sequence: 1, step: 4), 0] = .infinity
        let found = found(trainer(), batch)
        #expect(found?.quantity == .targets && found?.sequence == 1 && found?.step == 4)
    }

    @Test func theOutputsOfALayer() {
        var configuration = Self.configuration
        configuration.cell = .rnn(.relu)
        var random = Random(seed: 1)
        var network = Network<Double>(configuration, .pyTorch, using: &random)
        network.parameters["bias_ih_l0"] = Matrix(rows: 1, columns: 4, [100, 100, 100, 100])
        network.parameters["weight_ih_l1"] = Matrix(rows: 4, columns: 4, Array(repeating: 1e308, count: 16))
        let found = found(Trainer(network, loss: .meanSquaredError, optimizer: .adam()), batch())
        #expect(found?.quantity == .layerOutputs && found?.layer == 1 && found?.step == 0)
        // The longest sequence stands first.
        #expect(found?.sequence == 1)
        #expect(
            found?.description
                == "in update 1, what was first not finite: the outputs of layer 1 of sequence 1 at step 0")
    }

    @Test func theOutputsOfTheHead() {
        let trainer = trainer()
        var network = trainer.network
        network.parameters["head.bias"][0, 0] = 1.7e308
        network.parameters["head.weight"] = Matrix(rows: 4, columns: 1, [1.7e308, 1.7e308, 1.7e308, 1.7e308])
        network.parameters["bias_ih_l2"] = Matrix(rows: 1, columns: 16, Array(repeating: 3, count: 16))
        let found = found(Trainer(network, loss: .meanSquaredError, optimizer: .adam()), batch())
        #expect(found?.quantity == .outputs && found?.layer == nil && found?.step == 0)
    }

    @Test func theLoss() {
        var batch = batch()
        batch.targets[3, 0] = 1e200
        let found = found(trainer(), batch)
        #expect(found?.quantity == .loss && found?.layer == nil)
        #expect(found?.description == "in update 1, what was first not finite: the loss")
    }

    /// Its squares are too large together, each number is finite.
    @Test func theNormOfTheGradient() {
        var network = trainer().network
        network.parameters["head.weight"] = Matrix(rows: 4, columns: 1, [1e160, -1e160, 0, 0])
        let found = found(Trainer(network, loss: .meanAbsoluteError, optimizer: .adam()), batch())
        #expect(found?.quantity == .gradientNorm)
        #expect(found?.description.hasSuffix("the gradient's norm, whose squares are too large together") == true)
    }

    /// Inputs of 1e9, small weights, and a head that hands on gradients of 1e305: only their product in the first layer
    /// is too large.
    @Test func theGradientOfAParameter() {
        var network = trainer().network
        network.parameters["head.weight"] = Matrix(rows: 4, columns: 1, Array(repeating: 1e306, count: 4))
        network.parameters["weight_ih_l0"] = Matrix(rows: 2, columns: 16, Array(repeating: 1e-10, count: 32))
        var batch = batch()
        batch.x = Matrix(rows: 10, columns: 2, Array(repeating: 1e9, count: 20))
        let found = found(Trainer(network, loss: .meanAbsoluteError, optimizer: .sgd()), batch)
        #expect(found?.quantity == .gradient("weight_ih_l0") && found?.layer == 0)
        #expect(
            found?.description == "in update 1, what was first not finite: the gradient of weight_ih_l0 (layer 0)")
    }
}
