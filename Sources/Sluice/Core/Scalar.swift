/// The numbers a network computes in: `Float` or `Double`.
///
/// The protocol is closed. Its one requirement, ``Bindings``, can only be made inside this module.
public protocol Scalar: BinaryFloatingPoint, SIMDScalar, Codable, LosslessStringConvertible, Sendable
where RawSignificand: FixedWidthInteger {
    /// The C functions of this scalar.
    static var bindings: Bindings<Self> { get }
}

/// The known scalars by name, as a command line, a file or a configuration spells them.
public enum ScalarType: String, Codable, CaseIterable, Sendable {
    case float
    case double

    /// The bytes of a number.
    var bytes: Int { self == .float ? 4 : 8 }
}

/// What an algorithm needs of one scalar and Swift's own protocols do not give: one C symbol a line.
///
/// There is one object for each scalar, for as long as the process lives.
public final class Bindings<S>: Sendable {
    let type: ScalarType
    let exp: @Sendable (S) -> S
    let log: @Sendable (S) -> S
    let log1p: @Sendable (S) -> S
    let tanh: @Sendable (S) -> S
    /// One for each of ``KernelLevel/available``.
    let kernels: [Kernels]
    let blas: BLAS<S>

    init(
        type: ScalarType, exp: @escaping @Sendable (S) -> S, log: @escaping @Sendable (S) -> S,
        log1p: @escaping @Sendable (S) -> S, tanh: @escaping @Sendable (S) -> S, kernels: [Kernels], blas: BLAS<S>
    ) {
        self.type = type
        self.exp = exp
        self.log = log
        self.log1p = log1p
        self.tanh = tanh
        self.kernels = kernels
        self.blas = blas
    }
}

extension Scalar {
    /// Which of the known scalars this is.
    public static var type: ScalarType { bindings.type }
}
