import Foundation
import Sluice
import Testing
import TestSupport

@testable import SluiceIO

/// Elements of files as other scalars. Expected bits are from the formats' definitions (IEEE 754 binary16, bfloat16).
@Suite struct ElementsTests {
    private func bytes<T: FixedWidthInteger>(_ patterns: [T]) -> [UInt8] {
        patterns.flatMap { pattern in (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: pattern >> (8 * $0)) } }
    }

    @Test(
        arguments: [
            (0x0000, 0x0000_0000), (0x8000, 0x8000_0000), (0x3C00, 0x3F80_0000), (0xC000, 0xC000_0000), // 0, -0, 1, -2
            // the subnormal: 2^-24, the largest, -2^-24
            (0x0001, 0x3380_0000), (0x03FF, 0x387F_C000), (0x8001, 0xB380_0000),
            (0x0400, 0x3880_0000), (0x7BFF, 0x477F_E000), // the smallest normal, 65504
            (0x7C00, 0x7F80_0000), (0xFC00, 0xFF80_0000), (0x7E00, 0x7FC0_0000), (0x3555, 0x3EAA_A000),
        ] as [(UInt16, UInt32)]) func half(_ bits: UInt16, _ expected: UInt32)
    {
        let floats = elements(bytes([bits]), .half, as: Float.self),
            doubles = elements(bytes([bits]), .half, as: Double.self)
        #expect(floats?[0].bitPattern == expected)
        #expect(doubles?[0].bitPattern == Double(Float(bitPattern: expected)).bitPattern)
    }

    #if !(os(macOS) && arch(x86_64))
    /// All of them, beside the compiler's own type.
    @Test func everyHalf() throws {
        let patterns = (0...UInt16.max).map { $0 }
        let floats = try #require(elements(bytes(patterns), .half, as: Float.self))
        for (bits, float) in zip(patterns, floats) {
            let peer = Float(Float16(bitPattern: bits))
            #expect(peer.isNaN ? float.isNaN : float.bitPattern == peer.bitPattern)
        }
    }
    #endif

    @Test(arguments: [0x0000, 0x8000, 0x3F80, 0x0001, 0x7F7F, 0x7F80, 0xFF80, 0x4049] as [UInt16])
    func brain(_ bits: UInt16) {
        let expected = Float(bitPattern: UInt32(bits) << 16)
        #expect(elements(bytes([bits]), .brain, as: Float.self)?[0].bitPattern == expected.bitPattern)
        #expect(elements(bytes([bits]), .brain, as: Double.self)?[0].bitPattern == Double(expected).bitPattern)
        #expect(elements(bytes([0x7FC1 as UInt16]), .brain, as: Double.self)?[0].isNaN == true)
    }

    /// Rounded to the nearest, of two equally near to the even one, also among the subnormal.
    @Test(
        arguments: [
            (1, 0x3F80_0000), (1 + 0x1p-24, 0x3F80_0000), (1 + 0x1p-24 + 0x1p-52, 0x3F80_0001),
            (1 + 0x1.8p-23, 0x3F80_0002),
            (1 + 3 * 0x1p-24, 0x3F80_0002), (0x1p-149, 0x0000_0001), (0x1p-150, 0x0000_0000),
            (0x1.8p-149, 0x0000_0002), (-0x1p-151, 0x8000_0000), (-0.0, 0x8000_0000), (0x1.fffffep127, 0x7F7F_FFFF),
            (0x1.fffffefffffffp127, 0x7F7F_FFFF), (.infinity, 0x7F80_0000), (-.infinity, 0xFF80_0000),
            (0.1, 0x3DCC_CCCD),
        ] as [(Double, UInt32)]) func doubleToFloat(_ value: Double, _ expected: UInt32)
    {
        #expect(elements(bytes([value.bitPattern]), .double, as: Float.self)?[0].bitPattern == expected)
        // A double stays as it is, and a float becomes the double that it is.
        #expect(elements(bytes([value.bitPattern]), .double, as: Double.self)?[0].bitPattern == value.bitPattern)
        let single = Float(bitPattern: expected)
        #expect(elements(bytes([expected]), .single, as: Double.self)?[0].bitPattern == Double(single).bitPattern)
    }

    @Test func notANumberStaysSo() {
        for bits in [UInt64(0x7FF8_0000_0000_0000), 0xFFF8_0000_0000_0001, 0x7FF0_0000_0000_0001] {
            #expect(elements(bytes([bits]), .double, as: Float.self)?[0].isNaN == true)
        }
        #expect(elements(bytes([UInt32(0x7F80_0001)]), .single, as: Double.self)?[0].isNaN == true)
        // Of one's own scalar, to the bit.
        #expect(elements(bytes([UInt32(0x7F80_0001)]), .single, as: Float.self)?[0].bitPattern == 0x7F80_0001)
    }

    /// A finite number does not become infinite in silence.
    @Test func whatIsBeyondTheLargestIsAnError() throws {
        #expect(elements(bytes([(0x1.ffffffp127).bitPattern]), .double, as: Float.self) == nil)
        let tensor = Safetensors.Tensor(Matrix<Double>(rows: 1, columns: 2, [1, 1e300]))
        let error = #expect(throws: InvalidValue.self) { try tensor.matrix(converting: Float.self) }
        #expect(error?.description == "a number beyond the largest float")
        #expect(try tensor.matrix(converting: Double.self).elements == [1, 1e300])
        let words = try Safetensors.Tensor(type: "I64", shape: [1], bytes: bytes([UInt64(1)]))
        let other = #expect(throws: InvalidValue.self) { try words.matrix(converting: Float.self) }
        #expect(other?.description == "elements of type I64; F16, BF16, F32 or F64 is needed")
    }

    // MARK: Networks

    /// A network whose parameters F16 holds exactly, saved in every type, opens in both scalars, to the same numbers.
    @Test func networksOpenInTheOtherScalar() throws {
        try withTemporaryFolder { folder in
            var random = Random(seed: 3)
            let configuration = Configuration(cell: .lstm, inputSize: 3, hiddenSize: 5, head: Head(outputSize: 2))
            var network = Network<Double>(configuration, .pyTorch, using: &random)
            network.parameters.values = Matrix(
                rows: 1, columns: network.parameters.layout.count,
                network.parameters.values.elements.map { Double(Float(bitPattern: Float($0).bitPattern & 0xFFFF_0000)) }
            )
            let exact = network.parameters.values.elements
            try network.save(to: "\(folder)/F64")
            for type in ["F16", "BF16", "F32", "F64"] {
                let path = "\(folder)/\(type)"
                var file = try Safetensors(contentsOf: "\(folder)/F64")
                file.tensors = try file.tensors.mapValues { tensor in
                    let values: Matrix<Double> = try #require(tensor.matrix())
                    let bytes: [UInt8] =
                        switch type {
                        case "F16": self.bytes(values.elements.map { Float16($0).bitPattern })
                        case "BF16": self.bytes(values.elements.map { UInt16(Float($0).bitPattern >> 16) })
                        case "F32": self.bytes(values.elements.map { Float($0).bitPattern })
                        default: tensor.bytes
                        }
                    return try Safetensors.Tensor(type: type, shape: tensor.shape, bytes: bytes)
                }
                try file.write(to: path)
                let float = try Network<Float>(contentsOf: path, converting: true)
                let double = try Network<Double>(contentsOf: path, as: configuration, converting: true)
                let expected = type == "F16" ? exact.map { Double(Float16($0)) } : exact
                #expect(double.parameters.values.elements == expected, "\(type)")
                #expect(float.parameters.values.elements == expected.map(Float.init), "\(type)")
                #expect(try ModelFile(contentsOf: path).scalarType == (type == "F64" ? .double : .float))
                if type != "F32" {
                    let error = #expect(throws: FileError.self) { try Network<Float>(contentsOf: path) }
                    #expect(
                        error?.problem
                            == "weight_ih_l0 is of type \(type), and float is F32; with `converting: true` it opens")
                }
            }
        }
    }

    @Test func aNumberBeyondTheLargestIsNamedByItsParameter() throws {
        try withTemporaryFolder { folder in
            var random = Random(seed: 3)
            var network = Network<Double>(
                Configuration(cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 3), .pyTorch, using: &random)
            network.parameters["bias_hh_l0"][0, 4] = 1e39
            try network.save(to: "\(folder)/m")
            let error = #expect(throws: FileError.self) {
                try Network<Float>(contentsOf: "\(folder)/m", converting: true)
            }
            #expect(error?.problem == "bias_hh_l0 holds a number beyond the largest float")
        }
    }
}
