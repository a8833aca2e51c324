#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How much memory there is.
enum Memory {
    /// The bytes that a program can have now: the machine's, or on Linux those available, and not more than the container's.
    static func limit() -> Double {
        let physical = Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE)))
        let container = Double(text(of: "/sys/fs/cgroup/memory.max").prefix { $0.isNumber })
        return min(physical, available() ?? physical, container ?? physical)
    }

    /// What Linux thinks it can give without swapping, in bytes.
    private static func available() -> Double? {
        let line = text(of: "/proc/meminfo").split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 * 1024 }
    }

    /// The beginning of one of the system's files; empty where there is no such file.
    private static func text(of path: String) -> String {
        guard let file = unsafe fopen(path, "r") else { return "" }
        defer { unsafe fclose(file) }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = unsafe fread(buffer.baseAddress, 1, buffer.count, file)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Bytes as a person says them: "35.2 GiB".
    static func text(_ bytes: Double) -> String {
        bytes >= 0x1p30 ? "\(fixed(bytes * 0x1p-30, 1)) GiB" : "\(fixed(bytes * 0x1p-20, 1)) MiB"
    }
}
