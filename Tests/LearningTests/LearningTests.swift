import ArgumentParser
import Sluice
import Testing

@testable import learning

@Suite struct AddingProblemTests {
    @Test(arguments: [(1, 2), (3, 7), (50, 20)]) func twoMarkedValuesAddUp(sequences: Int, steps: Int) {
        var random = Random(seed: 3)
        var batch: Batch<Double> = AddingProblem.batch(sequences: sequences, steps: steps)
        for _ in 0..<3 { // drawn over the last batch, nothing of it may stay
            AddingProblem.draw(&batch, using: &random)
            for sequence in 0..<sequences {
                let rows = (0..<steps).map { batch.packing.row(sequence: sequence, step: $0) }
                let marked = (0..<steps).filter { batch.x[rows[$0], 1] != 0 }
                #expect(marked.count == 2)
                #expect(marked.allSatisfy { batch.x[rows[$0], 1] == 1 })
                #expect(marked.first.map { $0 < steps / 2 } == true && marked.last.map { $0 >= steps / 2 } == true)
                #expect(batch.targets[sequence, 0] == marked.reduce(0) { $0 + batch.x[rows[$1], 0] })
                #expect(rows.allSatisfy { (0..<1).contains(batch.x[$0, 0]) })
            }
        }
    }

    /// The mean of n squared errors of variance about 7/180 lies within five deviations of 1/6.
    @Test func theMeanIsOffByASixth() {
        var random = Random(seed: 5)
        var batch: Batch<Double> = AddingProblem.batch(sequences: 20_000, steps: 4)
        AddingProblem.draw(&batch, using: &random)
        let error = batch.targets.elements.reduce(0) { $0 + ($1 - 1) * ($1 - 1) } / 20_000
        #expect(abs(error - AddingProblem.errorOfTheMean) < 5 * (7.0 / 180 / 20_000).squareRoot())
    }

    @Test func everyStepOfAHalfIsMarked() {
        var random = Random(seed: 7)
        var batch: Batch<Float> = AddingProblem.batch(sequences: 1_000, steps: 9)
        AddingProblem.draw(&batch, using: &random)
        for step in 0..<9 {
            #expect(batch.packing.rows(at: step).contains { batch.x[$0, 1] == 1 })
        }
    }
}

@Suite struct BinaryAdditionTests {
    typealias Addends = BinaryAddition.Addends

    @Test(arguments: [
        Addends(a: 0, b: 0), Addends(a: .max, b: 1), Addends(a: .max, b: .max), Addends(a: 1 << 63, b: 1 << 63),
        Addends(a: 0x0123_4567_89ab_cdef, b: 0xfedc_ba98_7654_3210),
    ]) func sumsOf64BitsAreReadBack(pair: Addends) {
        var batch: Batch<Float> = BinaryAddition.batch(sequences: 2, bits: 64)
        BinaryAddition.encode([pair, Addends(a: 5, b: 6)], into: &batch)
        let logits = Matrix(rows: 130, columns: 1, batch.targets.elements.map { $0 - 0.5 })
        let sums = BinaryAddition.decode(logits, count: 2)
        let (high, low) = (pair.a.addingReportingOverflow(pair.b).overflow, pair.a &+ pair.b)
        #expect(sums[0] == BinaryAddition.Sum(low: low, carry: high))
        #expect(sums[1] == BinaryAddition.Sum(low: 11, carry: false))
        let bits = (0..<64).map { (batch.x[2 * $0, 0], batch.x[2 * $0, 1]) }
        #expect(bits.indices.reduce(0) { $0 | UInt64(bits[$1].0) << UInt64($1) } == pair.a)
        #expect(bits.indices.reduce(0) { $0 | UInt64(bits[$1].1) << UInt64($1) } == pair.b)
        #expect(batch.x[128, 0] == 0 && batch.x[128, 1] == 0)
    }

    @Test func oneWrongBitIsNotExact() {
        var sum = Addends(a: .max, b: 1).sum
        #expect(sum == BinaryAddition.Sum(low: 0, carry: true))
        sum[63] = true
        #expect(sum != Addends(a: .max, b: 1).sum)
        sum[63] = false
        sum[64] = false
        #expect(sum != Addends(a: .max, b: 1).sum)
    }

    @Test(arguments: [1, 5, 64]) func aLongCarryRunsOverAllBits(bits: Int) {
        var random = Random(seed: 1)
        for _ in 0..<20 {
            let pair = Addends.random(bits: bits, using: &random).withLongCarry(bits: bits)
            #expect(pair.a & 1 == 1 && pair.b & 1 == 1)
            var power = BinaryAddition.Sum()
            power[bits] = true
            #expect(pair.sum == power)
        }
    }

    @Test func numbersKeepToTheirBits() {
        var random = Random(seed: 1)
        let pairs = (0..<200).map { _ in Addends.random(bits: 5, using: &random) }
        #expect(Set(pairs.map(\.a)) == Set(0..<32))
        #expect((0..<100).contains { _ in Addends.random(bits: 64, using: &random).a >> 63 == 1 })
    }
}

@Suite struct CourseTests {
    private func adding(seed: UInt64, threads: Int = 1, learningRate: String = "0.03") throws -> Course<Float> {
        let recipe = try Adding.parse([
            "--steps", "8", "--hidden", "16", "--updates", "200", "--learning-rate", learningRate, "--seed", "\(seed)",
        ]).recipe
        return Course(
            recipe, head: Head(outputSize: 1, steps: .last), loss: .meanSquaredError, threads: threads,
            batch: AddingProblem.batch(sequences: 32, steps: 8), draw: AddingProblem.draw)
    }

    @Test func addingIsLearnt() throws {
        var course = try adding(seed: 1)
        let test: [Batch<Float>] = Adding.test(steps: 8)
        let before = course.test(test)
        _ = try course.advance(200)
        #expect(course.test(test) < min(before, AddingProblem.errorOfTheMean) / 10)
        #expect(course.updates == 200)
        #expect(course.trainer.learningRate < 1e-5)
    }

    @Test func aLossThatIsNotFiniteEndsARun() throws {
        var course = try adding(seed: 1, learningRate: "1e38")
        #expect(throws: NonFiniteLoss.self) { try course.advance(200) }
    }

    @Test func aSeedGivesTheSameBits() throws {
        var first = try adding(seed: 1), again = try adding(seed: 1, threads: 2), other = try adding(seed: 2)
        let loss = try first.advance(20)
        // However the updates are counted out.
        _ = try again.advance(5)
        _ = try again.advance(15)
        #expect(first.parametersHash == again.parametersHash)
        #expect(try loss != other.advance(20))
        #expect(first.parametersHash != other.parametersHash)
    }

    /// Units remember for 1 to M steps: the gate that keeps has a bias from 0 to log(M - 1), and an LSTM's input gate its
    /// negative.
    @Test(arguments: [Architecture.gru, .lstm], [1, 50]) func gatesThatKeepAreBiased(
        architecture: Architecture, memory: Int
    ) throws {
        let recipe = try Adding.parse([
            "--architecture", architecture.rawValue, "--hidden", "20", "--memory", "\(memory)",
        ]).recipe
        var random = Random(seed: 1)
        let network: Network<Double> = recipe.network(
            inputs: 2, head: Head(outputSize: 1), using: &random, threads: 1)
        let biases = network.parameters["bias_ih_l0"].elements
        let input = biases[0..<20], keep = biases[20..<40]
        #expect(keep.allSatisfy { (0..<3.92).contains($0) })
        #expect(memory == 1 ? keep.allSatisfy { $0 == 0 } : keep.min()! < 3 && keep.max()! > 3)
        #expect(zip(input, keep).allSatisfy { $0 == (architecture == .lstm ? -$1 : 0) })
        #expect(biases[40...].allSatisfy { $0 == 0 })
        #expect(network.parameters["bias_hh_l0"].elements.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [Architecture.gru, .lstm, .rnn]) func networksHave70000Parameters(architecture: Architecture)
        throws
    {
        let recipe = try Adding.parse(["--architecture", architecture.rawValue]).recipe
        var random = Random(seed: 1)
        let network: Network<Float> = recipe.network(
            inputs: 2, head: Head(outputSize: 1, steps: .last), using: &random, threads: 1)
        #expect((69_500...70_500).contains(network.parameters.layout.count))
    }

    @Test func additionIsLearnt() throws {
        let command = try Addition.parse(["--bits", "16", "--updates", "200", "--batch", "32"])
        var course = command.course(command.recipe(seed: 1))
        _ = try course.advance(200)
        var random = Random(seed: 9)
        let pairs = (0..<100).map { _ in BinaryAddition.Addends.random(bits: 64, using: &random) }
        #expect(BinaryAddition.exactCount(course.trainer.network, pairs, bits: 64) > 90)
    }
}

@Suite struct OptionTests {
    @Test(arguments: [
        ["--updates", "0"], ["--steps", "1"], ["--warm-up", "5001"], ["--learning-rate", "-1"], ["--clip", "nan"],
        ["--test-interval", "0"], ["--threads", "0"], ["--memory", "0"], ["--architecture", "cnn"],
    ]) func badOptionsAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try Adding.parse(arguments) }
    }

    @Test(arguments: [["--bits", "65"], ["--bits", "0"], ["--test-bits", "65"], ["--seeds", "0"]])
    func badSizesAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try Addition.parse(arguments) }
    }
}
