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

    @Test(arguments: [(1, 1), (3, 5), (8, 8), (17, 33), (64, 16), (9, 40)])
    func transposes(_ rows: Int, _ columns: Int) {
        func check<S: Scalar>(_: S.Type) {
            let a = Matrix<S>(rows: rows, columns: columns + 3, (0..<rows * (columns + 3)).map { S($0) })
            var b = Matrix<S>(rows: columns, columns: rows + 2)
            b.mutableView().columns(1..<rows + 1).copyTransposed(a.view.columns(2..<columns + 2))
            for row in 0..<columns {
                #expect(b[row, 0] == 0 && b[row, rows + 1] == 0)
                for column in 0..<rows { #expect(b[row, column + 1] == a[column, row + 2]) }
            }
        }
        check(Float.self)
        check(Double.self)
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
