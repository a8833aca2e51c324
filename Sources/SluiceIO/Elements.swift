import Sluice

/// The types of elements that a network's parameters may have in a file.
enum ElementType: String, CaseIterable {
    case half = "F16"
    /// A Float's upper half.
    case brain = "BF16"
    case single = "F32"
    case double = "F64"

    /// The bytes of one.
    var size: Int {
        switch self {
        case .half, .brain: 2
        case .single: 4
        case .double: 8
        }
    }

    /// The smallest scalar that holds each of them exactly.
    var scalarType: ScalarType { self == .double ? .double : .float }

    /// The type that a scalar is saved in.
    init(_ type: ScalarType) {
        switch type {
        case .float: self = .single
        case .double: self = .double
        }
    }
}

/// Elements as another scalar: exact where it holds them, otherwise rounded to the nearest, of two equally near to the even one.
///
/// - Returns: nil if a finite element is beyond the scalar's largest.
@specialized(where S == Float)
@specialized(where S == Double)
func elements<S: Scalar>(_ bytes: [UInt8], _ type: ElementType, as _: S.Type) -> [S]? {
    let count = bytes.count / type.size
    var isBeyond = false
    let elements = unsafe [S](unsafeUninitializedCapacity: count) { elements, initialized in
        unsafe bytes.withUnsafeBytes { bytes in
            if type == ElementType(S.type) {
                let all = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<(count * type.size)])
                unsafe UnsafeMutableRawBufferPointer(elements).copyMemory(from: all)
                return
            }
            for index in 0..<count {
                let value: S
                switch type {
                case .half:
                    value = unsafe S(float(half: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
                case .brain:
                    let upper = unsafe bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                    value = S(Float(bitPattern: UInt32(upper) << 16))
                case .single: value = unsafe S(bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self))
                case .double:
                    let exact = unsafe bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self)
                    value = S(exact)
                    if exact.isFinite && !value.isFinite { isBeyond = true }
                }
                unsafe elements.initializeElement(at: index, to: value)
            }
        }
        initialized = count
    }
    return isBeyond ? nil : elements
}

/// A number of 16 bits (1 sign, 5 exponent, 10 fraction) as a Float, which holds each of them.
func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16, exponent = UInt32(bits >> 10 & 0x1F), fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
        // Zero, or a subnormal number of units of 2^-24.
        let magnitude = Float(fraction) * 0x1p-24
        return Float(bitPattern: sign | magnitude.bitPattern)
    case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
}
