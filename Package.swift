// swift-tools-version: 6.2
import PackageDescription

// MARK: Settings

/// `swift run train` and `swift run bench` are typed without `-c release`, so the numeric targets are optimised in debug
/// builds too. Tools version 6.2 lets a package with these flags be depended on by version.
let optimized: [SwiftSetting] = [
    .strictMemorySafety(),
    .unsafeFlags(["-O"], .when(configuration: .debug)),
]
/// Tests walk over millions of numbers; they use unsafe pointers freely.
let optimizedTests: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]
let optimizedC: [CSetting] = [
    .unsafeFlags(["-O3", "-fno-math-errno"])
]

// MARK: Package

let package = Package(
    name: "sluice",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "Sluice", targets: ["Sluice"]),
        .library(name: "SluiceIO", targets: ["SluiceIO"]),
        .executable(name: "train", targets: ["train"]),
    ],
    traits: [
        .default(enabledTraits: ["OpenBLAS"]),
        .trait(name: "OpenBLAS", description: "Matrix products by OpenBLAS; without it, by naive Swift loops."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // MARK: Engine
        .systemLibrary(
            name: "COpenBLAS",
            pkgConfig: "openblas lapacke",
            providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]
        ),
        .target(name: "CSluiceKernels", cSettings: optimizedC),
        .target(
            name: "Sluice",
            dependencies: [
                "CSluiceKernels",
                .target(name: "COpenBLAS", condition: .when(traits: ["OpenBLAS"])),
            ],
            swiftSettings: optimized
        ),
        .target(name: "SluiceIO", dependencies: ["Sluice"], swiftSettings: optimized),

        // MARK: Programs
        .executableTarget(
            name: "train",
            dependencies: [
                "Sluice", "SluiceIO", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: optimized
        ),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Sluice",
                .target(name: "COpenBLAS", condition: .when(traits: ["OpenBLAS"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/bench",
            swiftSettings: optimized
        ),
        .executableTarget(
            name: "learning",
            dependencies: ["Sluice", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Benchmarks/learning",
            exclude: ["README.md", "run", "learn.py", "curves.py", "table.py", "torch_learner.py"],
            swiftSettings: optimized
        ),

        // MARK: Tests
        .target(
            name: "TestSupport", dependencies: ["Sluice", "SluiceIO"], path: "Tests/Support",
            swiftSettings: optimizedTests),
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
        .target(name: "CFork", path: "Tests/CFork"),
        .testTarget(
            name: "SluiceTests",
            dependencies: ["Sluice", "SluiceIO", "TestSupport", "CAllocationCount", "CFork"],
            swiftSettings: optimizedTests
        ),
        .testTarget(name: "SluiceIOTests", dependencies: ["Sluice", "SluiceIO", "TestSupport"]),
        .testTarget(
            name: "TrainTests",
            dependencies: [
                "train", "Sluice", "SluiceIO", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .testTarget(
            name: "BenchTests",
            dependencies: [
                "bench", "Sluice", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .testTarget(
            name: "LearningTests",
            dependencies: [
                "learning", "Sluice", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
    ]
)

// MARK: Documentation

/// `swift package generate-documentation` is a plugin that whoever depends on this package should not have to fetch: it is asked for
/// by an environment variable, which `scripts/documentation` sets.
if Context.environment["SLUICE_DOCUMENTATION"] != nil {
    package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}

// MARK: Fuzzing

/// The readers of files as libFuzzer calls them, built instrumented by `scripts/fuzz`.
if Context.environment["SLUICE_FUZZ"] != nil {
    package.targets.append(
        .target(name: "Fuzz", dependencies: ["Sluice", "SluiceIO"], path: "Tests/Fuzz", exclude: ["dictionary"]))
    package.products.append(.library(name: "Fuzz", type: .static, targets: ["Fuzz"]))
}
