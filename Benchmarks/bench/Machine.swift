import ArgumentParser
import Sluice

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
#if OpenBLAS
import COpenBLAS
#endif

/// What the figures were measured on.
struct Machine: Encodable {
    let date: String
    /// Of the sources, with `-dirty` where they have been changed since; nil without git.
    let commit: String?
    let processor: String
    /// What this process may use.
    let cores: Int
    /// Version and chosen kernels; nil in a build without it.
    let openBLAS: String?
    /// The level of the fused kernels.
    let kernelLevel: KernelLevel
    /// The threads of a pass.
    let threads: Int

    init(threads: Int) {
        date = Date.now.formatted(.iso8601)
        commit = Shell.firstLine(
            of: "git -C '\(ReleaseBuild.packageFolder)' describe --always --dirty --exclude '*' 2>/dev/null")
        processor = Self.processorName ?? "unknown processor"
        cores = ProcessInfo.processInfo.activeProcessorCount
        #if OpenBLAS
        let version = unsafe String(cString: openblas_get_config()).split(separator: " ").prefix(2)
        let isForced = unsafe getenv("OPENBLAS_CORETYPE") != nil
        let kernels = unsafe String(cString: openblas_get_corename()) + (isForced ? " (by OPENBLAS_CORETYPE)" : "")
        openBLAS = (version + [kernels[...]]).joined(separator: " ")
        #else
        openBLAS = nil
        #endif
        kernelLevel = .best
        self.threads = threads
    }

    /// More threads than any machine has cores would only keep the system busy with making them.
    static func check(threads: Int) throws {
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 256, not \(threads).")
        }
    }

    var description: String {
        """
        \(date), \(commit.map { "commit \($0)" } ?? "no commit")
        \(processor), \(cores) cores, \(openBLAS ?? "no OpenBLAS"), fused kernels \(kernelLevel.rawValue), \
        \(threads) \(threads == 1 ? "thread" : "threads")
        """
    }

    private static var processorName: String? {
        guard let information = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
        let line = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line.map { String($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) }
    }
}
