#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Plain `swift run bench` makes a debug build, which says nothing about speed: it hands over to a release build.
enum ReleaseBuild {
    private static let guardVariable = "SLUICE_BENCH_HANDED_OVER"

    /// Does nothing in a release build. In a debug build this process becomes `swift run -c release bench ...` with the
    /// same arguments, traits and build folder; SwiftPM's lock on the folder is free once a program runs.
    static func handOverFromDebugBuild() {
        #if DEBUG
        var command = ["swift", "run", "-c", "release"]
        if realPath(".") != packageFolder { command += ["--package-path", packageFolder] }
        if let scratchFolder, scratchFolder != packageFolder + "/.build" {
            command += ["--scratch-path", scratchFolder]
        }
        #if !OpenBLAS
        command += ["--disable-default-traits"]
        #endif
        command += ["bench"] + CommandLine.arguments.dropFirst()

        guard unsafe getenv(guardVariable) == nil else {
            fail("was handed over to a debug build again; run it with: \(command.joined(separator: " "))")
        }
        Output.error("bench: this is a debug build; \(command.joined(separator: " "))")
        unsafe setenv(guardVariable, "1", 1)
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        unsafe execvp("swift", &arguments)
        fail("could not start swift: error \(errno)")
        #endif
    }

    private static func fail(_ message: String) -> Never {
        Output.error("bench: \(message)")
        exit(1)
    }

    /// The folder of Package.swift, two above this file's.
    static let packageFolder = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// SwiftPM's `--scratch-path`, from this program's place in it: SCRATCH/TRIPLE/debug/bench.
    private static var scratchFolder: String? {
        let parts = realPath("/proc/self/exe")?.split(separator: "/") ?? []
        guard parts.count > 3, parts.suffix(2) == ["debug", "bench"] else { return nil }
        return parts.dropLast(3).map { "/" + $0 }.joined()
    }

    static func realPath(_ path: String) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
