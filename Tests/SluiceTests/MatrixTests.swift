import Testing

@testable import Sluice

@Suite struct MatrixTests {
    @Test func copiesAreIndependent() {
        let a = Matrix<Double>(rows: 2, columns: 2, [1, 2, 3, 4])
        var b = a
        b[0, 1] = 9
        b.withMutableSpan { $0[3] = 8 }
        #expect(a.elements == [1, 2, 3, 4])
        #expect(b.elements == [1, 9, 3, 8])
    }

    @Test(arguments: [(1, 1), (3, 5), (17, 33), (64, 16)])
    func transposeIsItsOwnInverse(_ rows: Int, _ columns: Int) {
        let a = Matrix<Float>(rows: rows, columns: columns, (0..<rows * columns).map(Float.init))
        var b = Matrix<Float>(rows: columns, columns: rows), c = a
        b.mutableView().copyTransposed(a.view)
        #expect(b[columns - 1, 0] == a[0, columns - 1])
        c.mutableView().fill(0)
        c.mutableView().copyTransposed(b.view)
        #expect(c == a)
    }

    @Test func memoryIsAligned() {
        for count in [1, 7, 1000] {
            let matrix = Matrix<Float>(rows: 1, columns: count)
            #expect(UInt(bitPattern: matrix.view.base) % 64 == 0)
        }
    }

    @Test func wrongIndexTraps() async {
        await #expect(processExitsWith: .failure) { _ = Matrix<Double>(rows: 2, columns: 2)[2, 0] }
        await #expect(processExitsWith: .failure) { _ = Matrix<Double>(rows: 2, columns: 2, [1, 2, 3]) }
        await #expect(processExitsWith: .failure) {
            _ = Matrix<Double>(rows: 2, columns: 2).view.rows(1..<3)
        }
    }
}
