/// Who computes: OpenBLAS with the fused kernels, or naive Swift loops.
public enum Backend: String, Codable, CaseIterable, Sendable {
    /// Matrix products by OpenBLAS, everything between them by fused kernels for this processor.
    case openBLAS = "openblas"
    /// Naive Swift loops: slow, needs nothing, and readable as a textbook.
    case reference

    /// Whether this build contains the backend: OpenBLAS needs the package trait of that name, which is on by default.
    public var isAvailable: Bool {
        #if OpenBLAS
        true
        #else
        self == .reference
        #endif
    }

    /// The backends of this build.
    public static var available: [Backend] { allCases.filter(\.isAvailable) }

    /// The fastest backend of this build.
    public static var `default`: Backend { available[0] }

    /// Holds OpenBLAS to one thread, where this backend uses it, until ``endOneThreadEach()``: threads are ours, one shard each.
    func beginOneThreadEach() {
        #if OpenBLAS
        if self == .openBLAS { OpenBLAS.beginOneThread() }
        #endif
    }

    /// Gives back what OpenBLAS was set to, once nobody holds it any more.
    func endOneThreadEach() {
        #if OpenBLAS
        if self == .openBLAS { OpenBLAS.endOneThread() }
        #endif
    }
}
