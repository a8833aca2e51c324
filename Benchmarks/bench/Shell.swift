#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Commands of the system's shell.
enum Shell {
    /// The first line that a command prints, if it succeeds.
    static func firstLine(of command: String) -> String? {
        guard let pipe = unsafe popen(command, "r") else { return nil }
        var buffer = [CChar](repeating: 0, count: 256)
        let isRead = unsafe fgets(&buffer, Int32(buffer.count), pipe) != nil
        guard unsafe pclose(pipe) == 0, isRead else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// What runs a Python script of the peers, in the environment that Benchmarks/peers/run makes; nil: it is not there.
    ///
    /// - Parameter python: another one.
    static func peerScript(_ name: String, python: String?) -> String? {
        let environment = unsafe getenv("SLUICE_PEERS_VENV").map { unsafe String(cString: $0) }
        let folder = ReleaseBuild.packageFolder
        let python = python ?? "\(environment ?? folder + "/.venv-peers")/bin/python"
        guard unsafe access(python, X_OK) == 0 else { return nil }
        return "'\(python)' -B '\(folder)/Benchmarks/peers/\(name)'"
    }
}
