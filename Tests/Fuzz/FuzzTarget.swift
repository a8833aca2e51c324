import Foundation

/// What libFuzzer calls with each input, and what writes the inputs that it begins with. `SLUICE_FUZZ_TARGET` says which reader is
/// tried: see `scripts/fuzz`.
enum FuzzTarget: String, CaseIterable {
    case safetensors, configuration, fitState

    /// The one that this process tries.
    static let current: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["SLUICE_FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            fatalError("SLUICE_FUZZ_TARGET is \"\(name)\"; \(allCases.map(\.rawValue)) are possible")
        }
        return target
    }()

    func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .safetensors: fuzzSafetensors(bytes)
        case .configuration: fuzzConfiguration(bytes)
        case .fitState: fuzzFitState(bytes)
        }
    }

    /// Inputs that are right.
    var seeds: [Data] {
        switch self {
        case .safetensors: FuzzedTensors.seeds
        case .configuration: FuzzedConfiguration.seeds
        case .fitState: FuzzedRun.seeds
        }
    }
}

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    if let folder = ProcessInfo.processInfo.environment["SLUICE_FUZZ_SEEDS"] {
        for (index, seed) in FuzzTarget.current.seeds.enumerated() {
            do { try seed.write(to: URL(fileURLWithPath: "\(folder)/seed-\(index)")) } catch { fatalError("\(error)") }
        }
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    FuzzTarget.current.run(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}
