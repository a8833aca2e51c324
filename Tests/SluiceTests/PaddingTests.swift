import Sluice
import Testing
import TestSupport

@Suite struct PaddingTests {
    @Test(arguments: PaddedOrder.allCases, [nil, 9])
    func packAndUnpackAreInverse(_ order: PaddedOrder, _ steps: Int?) {
        var random = Random(seed: 4)
        let packing = Packing(lengths: [3, 7, 1, 5])
        let packed = Matrix<Float>.random(rows: packing.rowCount, columns: 3, using: &random)
        let padded = packing.unpack(packed, order: order, steps: steps, padding: -1)
        #expect(padded.rows == 4 * (steps ?? 7) && packing.pack(padded, order: order) == packed)
        #expect(padded.elements.filter { $0 == -1 }.count == 3 * (4 * (steps ?? 7) - packing.rowCount))
        // Step 2 of sequence 0, found by hand.
        let row = order == .timeMajor ? 2 * 4 + 0 : 0 * (steps ?? 7) + 2
        #expect(padded[row, 1] == packed[packing.row(sequence: 0, step: 2), 1])
    }

    @Test func masks() {
        let packing = Packing(lengths: [2, 3, 1])
        #expect(packing.mask() == [[true, true, false], [true, true, true], [true, false, false]])
        #expect(Packing(mask: packing.mask(steps: 5)) == packing)
    }

    @Test func mistakesTrap() async {
        await #expect(processExitsWith: .failure) { _ = Packing(mask: [[true, false, true]]) }
        await #expect(processExitsWith: .failure) { _ = Packing(mask: [[true], [false]]) }
        await #expect(processExitsWith: .failure) {
            _ = Packing(lengths: [2, 3]).pack(Matrix<Float>(rows: 4, columns: 1), order: .timeMajor)
        }
        await #expect(processExitsWith: .failure) {
            _ = Packing(lengths: [2, 3]).unpack(Matrix<Float>(rows: 4, columns: 1), order: .batchMajor)
        }
    }
}
