#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The memory that this process uses, as Linux counts it.
enum PeerMemory {
    /// Gives freed memory back, so that a later need of it is seen, and starts a new peak. Returns the bytes in use.
    static func settle() throws -> Int {
        // glibc's, which Swift's module of it leaves out; RTLD_DEFAULT is a null pointer.
        if let symbol = unsafe dlsym(nil, "malloc_trim") {
            typealias Trim = @convention(c) (Int) -> Int32
            _ = unsafe unsafeBitCast(symbol, to: Trim.self)(0)
        }
        guard let file = unsafe fopen("/proc/self/clear_refs", "w") else {
            throw PeerFailure(description: "/proc/self/clear_refs cannot be written")
        }
        unsafe fputs("5", file)
        unsafe fclose(file)
        return try status("VmRSS")
    }

    static func peak() throws -> Int { try status("VmHWM") }

    private static func status(_ key: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        let kibibytes = line?.split { !$0.isNumber }.first.flatMap { Int($0) }
        return try kibibytes.needed("\(key) in /proc/self/status") * 1024
    }
}
