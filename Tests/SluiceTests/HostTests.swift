#if OpenBLAS
import Foundation
import Synchronization
import Testing

@testable import Sluice

/// Sluice as a guest in a program that uses OpenBLAS, or OpenMP, by itself.
///
/// Tests of OpenBLAS's threads run in processes of their own: the number is the whole process's.
@Suite struct HostTests {
    @Test func openBLASGetsItsThreadsBack() async {
        await #expect(processExitsWith: .success) {
            guard BLASThreads.build == .pthread else { return }
            BLASThreads.count = 2
            let first = BLASThreads.beginOne()
            precondition(BLASThreads.count == 1)
            let second = BLASThreads.beginOne()
            BLASThreads.endOne(second)
            precondition(BLASThreads.count == 1)
            BLASThreads.endOne(first)
            precondition(BLASThreads.count == 2)
        }
    }

    /// What the program sets while Sluice holds the number is what it has then.
    @Test func programMaySetItsThreadsMeanwhile() async {
        await #expect(processExitsWith: .success) {
            guard BLASThreads.build == .pthread else { return }
            BLASThreads.count = 2
            let hold = BLASThreads.beginOne()
            BLASThreads.count = 3
            BLASThreads.endOne(hold)
            precondition(BLASThreads.count == 3)
        }
    }

    /// From many threads, to and fro: never another number than one while it is held, and the program's after that.
    @Test func holdsOverlap() async {
        await #expect(processExitsWith: .success) {
            guard BLASThreads.build != .serial else { return }
            BLASThreads.count = 2
            let isRight = concurrently(4) { rank in
                for round in 0..<20_000 {
                    let hold = BLASThreads.beginOne()
                    if BLASThreads.count != 1 { return false }
                    if (round + rank) % 3 == 0 {
                        let inner = BLASThreads.beginOne()
                        BLASThreads.endOne(inner)
                        if BLASThreads.count != 1 { return false }
                    }
                    BLASThreads.endOne(hold)
                }
                return true
            }
            precondition(isRight == [true, true, true, true])
            precondition(BLASThreads.count == 2)
        }
    }

    /// A stream, idle or between its steps, leaves OpenBLAS as the program has set it, and so does one that comes and goes.
    @Test(arguments: [8, 300]) func streamLeavesThreadsAlone(_ hidden: Int) async {
        await #expect(processExitsWith: .success) { [hidden] in
            guard BLASThreads.build != .serial else { return }
            BLASThreads.count = 2
            var random = Random(seed: 1)
            var outputs = Matrix<Double>(rows: 40, columns: 3)
            let x = Matrix<Double>.random(rows: 40, columns: hidden, using: &random)
            let configuration = Configuration(
                cell: .lstm(.standard), inputSize: hidden, hiddenSize: hidden, head: Head(outputSize: 3, steps: .all))
            do {
                let stream = StreamingNetwork(
                    Network<Double>(configuration, .pyTorch, using: &random), sequences: 40)
                precondition(BLASThreads.count == 2)
                stream.step(x, into: &outputs)
                precondition(BLASThreads.count == 2)
                BLASThreads.count = 3
                stream.step(x, into: &outputs)
                precondition(BLASThreads.count == 3)
            }
            precondition(BLASThreads.count == 3)
        }
    }

    /// Outputs and gradients are the same bits on 1, 2 and 5 threads, with OpenBLAS's own threads at their default, and a
    /// stream's and an initialiser's with 1 and with more.
    @Test func sameBitsForAnyNumberOfThreads() async {
        await #expect(processExitsWith: .success) {
            if let expected = ProcessInfo.processInfo.environment["SLUICE_TEST_OPENBLAS"] {
                precondition("\(BLASThreads.build)".lowercased() == expected, "this is another build of OpenBLAS")
            }
            if BLASThreads.build != .serial { BLASThreads.count = 4 }
            for shape in Shape.all { precondition(shape.hasSameBits(), "other bits: \(shape)") }
            if BLASThreads.build == .openMP {
                // Passes in an OpenMP program's own threads.
                precondition(inOpenMPThreads { Shape.all[0].hasSameBits() }, "other bits in OpenMP's threads")
            }
        }
    }

    /// The same with the other builds of OpenBLAS, where Debian or Ubuntu has them installed: this program again.
    @Test(arguments: ["pthread", "openmp", "serial"]) func sameBitsWithEachBuild(_ build: String) throws {
        let folders = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/openblas-\(build)" }
        let isInstalled = { FileManager.default.fileExists(atPath: $0 + "/libopenblas.so.0") }
        guard let folder = folders.first(where: isInstalled) else { return }
        let process = Process(), file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let output = try FileHandle(forWritingTo: file)
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            "--testing-library", "swift-testing", "--filter",
            "HostTests/(sameBitsForAnyNumberOfThreads|holdsOverlap|streamLeavesThreadsAlone)",
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["LD_LIBRARY_PATH": folder, "SLUICE_TEST_OPENBLAS": build], uniquingKeysWith: { $1 })
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(process.terminationStatus == 0 && text.contains("3 tests"), "\(text)")
    }
}

/// A network and a batch.
private struct Shape {
    var cell = Cell.gru(.resetAfter)
    var inputs: Int
    var hidden: Int
    var lengths: [Int]
    var direction = Direction.forward
    var projection: Int?

    static let all: [Shape] = [
        Shape(inputs: 122, hidden: 127, lengths: Array(repeating: 24, count: 37)),
        Shape(cell: .lstm(.standard), inputs: 131, hidden: 129, lengths: Array(repeating: 12, count: 48)),
        Shape(cell: .gru(.resetBefore), inputs: 48, hidden: 97, lengths: (0..<53).map { 3 + $0 * 7 % 24 }),
        Shape(cell: .rnn(.tanh), inputs: 3, hidden: 257, lengths: Array(repeating: 12, count: 24)),
        Shape(inputs: 24, hidden: 64, lengths: (0..<33).map { 1 + $0 % 12 }, direction: .bidirectional),
        Shape(
            cell: .lstm(.standard), inputs: 65, hidden: 113, lengths: Array(repeating: 31, count: 19), projection: 61),
        Shape(inputs: 67, hidden: 401, lengths: [12]),
        Shape(inputs: 12, hidden: 3, lengths: (0..<100).map { 1 + $0 % 3 }),
    ]

    /// Whether a pass forward and back gives the same bits on 1, 2 and 5 threads, time after time.
    func hasSameBits() -> Bool { hasSameBits(Double.self) && hasSameBits(Float.self) }

    private func hasSameBits<S: Scalar>(_: S.Type) -> Bool {
        var random = Random(seed: 5)
        let packing = Packing(lengths: lengths)
        let configuration = Configuration(
            cell: cell, inputSize: inputs, hiddenSize: hidden, direction: direction,
            projectionSize: projection, head: Head(outputSize: 3, steps: .all))
        let parameters = Network<S>(configuration, .pyTorch, using: &random).parameters
        let x = Matrix<S>.random(rows: packing.rowCount, columns: inputs, using: &random)
        var expected: Gradients<S>?, expectedOutputs: Matrix<S>?
        for threads in [1, 2, 5] {
            let network = Network<S>(configuration, parameters, workers: Workers(threads: threads))
            for _ in 0..<(threads == 2 ? 4 : threads == 1 ? 1 : 2) {
                let recording = network.record(x, packing), outputs = recording.outputs
                let gradients = recording.backward(outputs: outputs)
                if let expected, let expectedOutputs {
                    guard
                        expected.parameters == gradients.parameters, expected.inputs == gradients.inputs,
                        expectedOutputs == outputs
                    else { return false }
                } else {
                    (expected, expectedOutputs) = (gradients, outputs)
                }
            }
        }
        return true
    }
}

/// What is done by a thread of OpenMP's, in a parallel region of two, through GNU's library for it.
private func inOpenMPThreads(_ body: @escaping @Sendable () -> Bool) -> Bool {
    typealias Body = @convention(c) (UnsafeMutableRawPointer?) -> Void
    typealias Run = @convention(c) (Body, UnsafeMutableRawPointer?, UInt32, UInt32) -> Void
    guard let symbol = dlsym(nil, "GOMP_parallel") else { return true }
    let results = OpenMPResults(body)
    unsafeBitCast(symbol, to: Run.self)(
        { context in
            let results = Unmanaged<OpenMPResults>.fromOpaque(context!).takeUnretainedValue()
            if results.body() {
                results.right.add(1, ordering: .relaxed)
            } else {
                results.wrong.add(1, ordering: .relaxed)
            }
        }, Unmanaged.passUnretained(results).toOpaque(), 2, 0)
    return results.right.load(ordering: .relaxed) == 2 && results.wrong.load(ordering: .relaxed) == 0
}

private final class OpenMPResults: Sendable {
    let body: @Sendable () -> Bool
    let right = Atomic<Int>(0)
    let wrong = Atomic<Int>(0)

    init(_ body: @escaping @Sendable () -> Bool) { self.body = body }
}
#endif
