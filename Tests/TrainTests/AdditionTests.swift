import ArgumentParser
import Sluice
import Testing

@testable import train

@Suite struct AdditionTests {
    @Test func outputsAreCutAtOneHalf() {
        // Three steps of two numbers; row t * 2 + s.
        let outputs = Matrix<Double>(rows: 6, columns: 1, [0.9, 0.1, 0.5, 0.51, -3, 7])
        #expect(Network<Double>.numbers(from: outputs, count: 2) == [0b001, 0b110])
    }

    @Test(arguments: [3, 20, 64]) func decodingUndoesEncoding(bits: Int) {
        var random = Random(seed: 5)
        let pairs = Addends.random(50, bits: bits, using: &random)
        let batch = Batch<Float>(pairs, bits: bits)
        #expect(Network<Float>.numbers(from: batch.targets, count: 50) == pairs.map(\.sum))
    }

    @Test func aWrongSumIsSaidToBeWrong() {
        let addends = Addends(a: 1024, b: 16)
        #expect(Addition(addends: addends, computed: 1040).text == "1024 + 16 = 1040")
        #expect(Addition(addends: addends, computed: 1056).text == "1024 + 16 = 1056 (should be 1040)")
    }

    @Test func widthOfASum() throws {
        #expect(try Add.bits(0, 0) == 20)
        #expect(try Add.bits(1 << 19, (1 << 19) - 1) == 20)
        #expect(try Add.bits(1 << 19, 1 << 19) == 21)
        #expect(try Add.bits(.max, 0) == 64)
        let failure = #expect(throws: Failure.self) { try Add.bits(.max, 1) }
        #expect(failure?.exitCode == 64)
        #expect(failure?.message == "18446744073709551615 + 1 does not fit in 64 bits")
    }

    @Test func onlyAnAdderAdds() throws {
        let cell = Cell.gru(.resetAfter)
        try Add.check(Configuration(cell: cell, inputSize: 2, hiddenSize: 3, head: Head(outputSize: 1)), path: "m")
        for other in [
            Configuration(cell: cell, inputSize: 3, hiddenSize: 3, head: Head(outputSize: 1)),
            Configuration(cell: cell, inputSize: 2, hiddenSize: 3, head: Head(outputSize: 2)),
            Configuration(cell: cell, inputSize: 2, hiddenSize: 3),
            Configuration(cell: cell, inputSize: 2, hiddenSize: 3, head: Head(outputSize: 1, steps: .last)),
        ] {
            let failure = #expect(throws: Failure.self) { try Add.check(other, path: "m") }
            #expect(failure?.exitCode == 65)
        }
    }

    @Test func aMissingModelIsNamed() throws {
        let failure = #expect(throws: Failure.self) {
            try Add.parse(["1", "2", "--model", "/nowhere/model.safetensors"]).addition()
        }
        #expect(failure?.exitCode == 66)
        #expect(failure?.message.contains("/nowhere/model.safetensors") == true)
    }
}
