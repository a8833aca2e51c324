import Foundation
import Sluice
import SluiceIO
import Testing

@testable import train

/// The program itself, as a shell starts it: what signals and a full disk leave behind.
@Suite(.serialized) struct ProcessTests {
    /// The program, beside the tests.
    private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "train").path

    /// A program that runs, and what it has said.
    private final class Running {
        let number: pid_t
        private let output = Pipe(), errors = Pipe()
        private(set) var text = ""
        /// What it ended with: its exit code, or the signal that ended it.
        private(set) var exitCode: Int32?
        private(set) var signal: Int32?

        /// - Parameter prelude: what the shell does before it becomes the program.
        init(_ prelude: String, _ arguments: [String]) throws {
            // The threads of tests block signals, which a program would inherit.
            var attributes = posix_spawnattr_t(), actions = posix_spawn_file_actions_t(), none = sigset_t(),
                all = sigset_t()
            posix_spawnattr_init(&attributes)
            posix_spawn_file_actions_init(&actions)
            defer {
                posix_spawnattr_destroy(&attributes)
                posix_spawn_file_actions_destroy(&actions)
            }
            sigemptyset(&none)
            sigemptyset(&all)
            for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&all, signal) }
            posix_spawnattr_setsigmask(&attributes, &none)
            posix_spawnattr_setsigdefault(&attributes, &all)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
            posix_spawn_file_actions_adddup2(&actions, output.fileHandleForWriting.fileDescriptor, 1)
            posix_spawn_file_actions_adddup2(&actions, errors.fileHandleForWriting.fileDescriptor, 2)
            let words = ["sh", "-c", "\(prelude); exec \"$0\" \"$@\"", ProcessTests.program] + arguments
            var list = words.map { strdup($0) } + [nil]
            defer { list.forEach { free($0) } }
            var number = pid_t()
            try #require(posix_spawn(&number, "/bin/sh", &actions, &attributes, &list, environ) == 0)
            self.number = number
            try output.fileHandleForWriting.close()
            try errors.fileHandleForWriting.close()
        }

        /// Waits for words on standard output.
        func wait(for words: String) throws {
            while !text.contains(words) {
                let data = output.fileHandleForReading.availableData
                try #require(!data.isEmpty, "ended without \(words): \(text)")
                text += String(decoding: data, as: UTF8.self)
            }
        }

        func send(_ signal: Int32) { kill(number, signal) }

        /// Waits for the end; returns what was said on standard error.
        func end() -> String {
            text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            var status: Int32 = 0
            while waitpid(number, &status, 0) < 0 && errno == EINTR {}
            if status & 0x7F == 0 { exitCode = status >> 8 & 0xFF } else { signal = status & 0x7F }
            return words
        }
    }

    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "train-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private static let long = ["--epochs", "10000000", "--report-interval", "1", "--out"]
    private static let files = ["loss.svg", "losses.csv", "model.safetensors"]

    private func names(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    @Test(
        .timeLimit(.minutes(60)),
        arguments: [(SIGINT, 130, "SIGINT"), (SIGTERM, 143, "SIGTERM"), (SIGHUP, 129, "SIGHUP")])
    func aSignalEndsTheRunInOrder(_ signal: Int32, _ code: Int32, _ name: String) throws {
        try withDirectory { path in
            let run = try Running("true", Self.long + [path])
            try run.wait(for: "Iteration: 2,")
            run.send(signal)
            let words = run.end()
            #expect(run.exitCode == code)
            let rows = String(decoding: try readFile("\(path)/losses.csv"), as: UTF8.self).split(separator: "\n")
                .dropFirst()
            let epochs = counted(rows.count, "epoch")
            #expect(words == "train: stopped by \(name) after \(epochs); what was learnt so far is in \(path)\n")
            #expect(rows.count >= 3 && run.text.contains("Iteration: \(rows.count - 1),"))
            let left = try names(path)
            #expect(left == Self.files)
            let model = try ModelFile(contentsOf: "\(path)/model.safetensors")
            #expect(model.metadata["interrupted"] == "after \(rows.count) of 10000000 epochs")
            #expect(model.metadata["test_loss"].map { rows.last?.hasSuffix($0) } == true)
        }
    }

    /// Of an epoch of many steps, the one begun is finished and no more.
    @Test(.timeLimit(.minutes(60))) func aSignalEndsAnEpochAfterAStep() throws {
        try withDirectory { path in
            let slow = ["--batch", "100000", "--mini-batch", "100", "--hidden", "64", "--json", "--out", path]
            let run = try Running("true", slow)
            try run.wait(for: "start")
            usleep(500_000)
            run.send(SIGTERM)
            let words = run.end()
            #expect(run.exitCode == 143)
            #expect(words.hasPrefix("train: stopped by SIGTERM after 0 epochs and "), "\(words)")
            #expect(run.text.contains(#"{"event":"interrupted","signal":"SIGTERM","iteration":0,"train_loss":null"#))
            let left = try names(path)
            #expect(left == Self.files)
        }
    }

    /// What whoever started the program has it ignore stays ignored.
    @Test(.timeLimit(.minutes(60))) func anIgnoredSignalStaysIgnored() throws {
        try withDirectory { path in
            let run = try Running("trap '' INT HUP", Self.long + [path])
            try run.wait(for: "Iteration: 2,")
            run.send(SIGINT)
            run.send(SIGHUP)
            try run.wait(for: "Iteration: 50,")
            run.send(SIGTERM)
            let words = run.end()
            #expect(run.exitCode == 143 && words.contains("SIGTERM"))
        }
    }

    /// The second ends at once what the first would have ended in order, even in a step that takes minutes.
    @Test(.timeLimit(.minutes(60))) func aSecondSignalEndsAtOnce() throws {
        try withDirectory { path in
            let slow = [
                "--hidden", "1024", "--bits", "64", "--batch", "400", "--scalar", "float", "--json", "--out", path,
            ]
            let run = try Running("true", slow)
            try run.wait(for: "start")
            // The first step takes some five seconds: long enough to be in it by now. One that comes before it ends in order.
            usleep(1_500_000)
            run.send(SIGINT)
            usleep(300_000)
            run.send(SIGINT)
            let words = run.end()
            #expect(run.signal == SIGINT)
            let left = try names(path)
            #expect(left == [] && words == "")
        }
    }

    /// Files may grow to 32 kB here: the chart and the losses fit, the model does not, and all three stay as they were.
    @Test(.timeLimit(.minutes(60))) func aFullDiskLeavesAllThreeFilesAsTheyWere() throws {
        try withDirectory { path in
            let first = try Running("true", ["--epochs", "2", "--out", path])
            _ = first.end()
            try #require(first.exitCode == 0)
            let before = try Self.files.map { try readFile("\(path)/\($0)") }
            let second = try Running("ulimit -f 64; trap '' XFSZ", ["--epochs", "3", "--hidden", "64", "--out", path])
            let words = second.end()
            #expect(second.exitCode == Failure.cannotCreate)
            #expect(words == "train: \(path)/model.safetensors: cannot be written: File too large\n")
            let after = try Self.files.map { try readFile("\(path)/\($0)") }
            #expect(after == before)
            let left = try names(path)
            #expect(left == Self.files)
        }
    }

    @Test func whatATerminalWouldObeyIsEscaped() throws {
        let evil = "/nowhere/\u{1B}[2J\u{202E}\n" + String(repeating: "x", count: 5_000)
        for arguments in [["--out", evil], ["add", "1", "2", "--model", evil], ["--hidden", evil], [evil]] {
            let run = try Running("true", arguments)
            let words = run.end()
            #expect(run.exitCode != 0 && run.exitCode != nil)
            #expect(words.hasPrefix("train: ") && words.dropLast().unicodeScalars.allSatisfy(\.isVisible), "\(words)")
            #expect(words.unicodeScalars.count <= 420 && words.hasSuffix("\n"), "\(words)")
        }
    }
}
