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

    /// Does what multiplies with OpenBLAS held to one thread, where this backend uses it: threads are ours, one shard each.
    ///
    /// With OpenBLAS's usual build the number is the whole process's: a program that multiplies by itself meanwhile has one
    /// thread too, and one that sets another number meanwhile has that from then on.
    @inline(__always)
    func withOneThreadEach(_ body: () -> Void) {
        #if OpenBLAS
        if self == .openBLAS {
            let previous = BLASThreads.beginOne()
            body()
            BLASThreads.endOne(previous)
            return
        }
        #endif
        body()
    }
}
