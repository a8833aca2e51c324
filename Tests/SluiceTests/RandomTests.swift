import Testing
import TestSupport

@testable import Sluice

@Suite struct RandomTests {
    /// SplitMix64's and xoshiro256**'s published algorithms, by an independent implementation in Python.
    @Test func sequenceIsFixed() {
        var random = Random(seed: 1)
        let expected: [UInt64] = [0xb3f2af6d0fc710c5, 0x853b559647364cea, 0x92f89756082a4514, 0x642e1c7bc266a3a7]
        #expect(expected.map { _ in random.next() } == expected)
    }

    @Test func moments() {
        var random = Random(seed: 2)
        let count = 200_000
        let normals = (0..<count).map { _ in random.normal() }
        let truncated = (0..<count).map { _ in random.truncatedNormal() }
        let uniforms = (0..<count).map { _ in random.uniform() }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        func variance(_ values: [Double]) -> Double { mean(values.map { $0 * $0 }) - mean(values) * mean(values) }
        // Five standard errors of each estimate.
        #expect(abs(mean(normals)) < 0.012 && abs(variance(normals) - 1) < 0.016)
        #expect(abs(mean(truncated)) < 0.010 && abs(variance(truncated) - 0.7737) < 0.01)
        #expect(truncated.allSatisfy { abs($0) <= 2 } && truncated.contains { abs($0) > 1.9 })
        #expect(abs(mean(uniforms) - 0.5) < 0.004 && abs(variance(uniforms) - 1 / 12.0) < 0.001)
        #expect(uniforms.allSatisfy { $0 >= 0 && $0 < 1 })
    }
}

@Suite struct InitializerTests {
    @Test(arguments: [(1, 1), (5, 5), (16, 48), (48, 16), (7, 300), (128, 129)])
    func orthogonalIsOrthonormal(_ rows: Int, _ columns: Int) {
        var random = Random(seed: 5)
        let q = Matrix<Double>.orthogonal(rows: rows, columns: columns, using: &random)
        let thin = min(rows, columns)
        var product = Matrix<Double>(rows: thin, columns: thin)
        Reference.multiply(
            q.view, rows > columns, q.view, rows <= columns, into: product.mutableView(), accumulate: false)
        for i in 0..<thin { for j in 0..<thin { #expect(abs(product[i, j] - (i == j ? 1 : 0)) < 1e-13) } }
    }

    #if OpenBLAS
    @Test(arguments: [(1, 1), (5, 5), (48, 16), (300, 7)])
    func householderAgreesWithLAPACK(_ rows: Int, _ columns: Int) {
        var random = Random(seed: 6)
        var a = Matrix<Double>.random(rows: rows, columns: columns, using: &random)
        var b = a
        a.orthonormalizeColumnsByLAPACK()
        b.orthonormalizeColumnsByHouseholder()
        #expect(relativeDifference(a, b) < 1e-12)
    }
    #endif

    @Test func boundsAndSeeds() {
        let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 10, hiddenSize: 25, head: Head(outputSize: 3))
        func draw<S: Scalar>(_: S.Type, _ initialization: Initialization, seed: UInt64) -> Parameters<S> {
            var random = Random(seed: seed)
            return Parameters<S>(configuration, initialization, using: &random)
        }
        let pyTorch = draw(Double.self, .pyTorch, seed: 1)
        #expect(pyTorch == draw(Double.self, .pyTorch, seed: 1))
        #expect(pyTorch != draw(Double.self, .pyTorch, seed: 2))
        let largest = pyTorch.values.elements.map { abs($0) }.max()!
        #expect(largest <= 0.2 && largest > 0.199)
        // The same numbers in Float, up to rounding.
        let float = draw(Float.self, .pyTorch, seed: 1)
        #expect(zip(float.values.elements, pyTorch.values.elements).allSatisfy { abs(Double($0) - $1) < 1e-8 })

        let keras = draw(Double.self, .keras, seed: 1)
        #expect(keras["bias_ih_l0"].elements.allSatisfy { $0 == 0 })
        let glorot = keras["weight_ih_l0"].elements.map { abs($0) }.max()!
        let bound = (6.0 / (10 + 75)).squareRoot()
        #expect(glorot <= bound && glorot > 0.99 * bound)

        let normal = draw(Double.self, Initialization(all: .truncatedNormal(standardDeviation: 0.01)), seed: 1)
        #expect(normal.values.elements.allSatisfy { abs($0) <= 0.02 })
    }
}
