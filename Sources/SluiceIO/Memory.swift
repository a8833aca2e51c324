#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How much memory a file may ask for: a few bytes of one can claim any number.
enum Memory {
    /// The bytes that this process can have at most: the machine's, or less where a container or the process has a limit.
    static let limit: Double = {
        let machine = Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE)))
        var space = rlimit()
        #if canImport(Glibc)
        let isKnown = unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0
        #else
        let isKnown = unsafe getrlimit(RLIMIT_AS, &space) == 0
        #endif
        return min(machine, container ?? machine, isKnown ? Double(space.rlim_cur) : machine)
    }()

    /// The container's limit on Linux, if it has one.
    private static var container: Double? {
        guard let file = unsafe fopen("/sys/fs/cgroup/memory.max", "r") else { return nil }
        defer { unsafe fclose(file) }
        var limit: UInt64 = 0
        while true {
            let character = unsafe getc(file)
            guard (0x30...0x39).contains(character), limit < 1 << 56 else { break }
            limit = 10 * limit + UInt64(character - 0x30)
        }
        return limit > 0 ? Double(limit) : nil
    }

    /// What keeps so many bytes from being held.
    static func problem(ofBytes bytes: Double) -> String? {
        bytes <= limit ? nil : "needs \(text(bytes)) of memory, and there are \(text(limit))"
    }

    private static func text(_ bytes: Double) -> String {
        let tenths = (bytes * 0x1p-30 * 10).rounded()
        return "\(tenths / 10) GiB"
    }
}
