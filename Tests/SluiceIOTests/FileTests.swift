import Foundation
import Testing
import TestSupport

@testable import SluiceIO

@Suite struct FileTests {
    private func permissions(_ path: String) throws -> Int {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return Int(status.st_mode & 0o7777)
    }

    private func words(_ body: () throws -> Void) -> String {
        let error = #expect(throws: FileError.self) { try body() }
        return error?.problem ?? ""
    }

    @Test func writingKeepsTheOldFileUntilTheNewOneIsWhole() throws {
        try withTemporaryFolder { folder in
            try writeAtomically("one", to: "\(folder)/a")
            try writeAtomically("two", to: "\(folder)/a")
            #expect(try readFile("\(folder)/a") == Array("two".utf8))
            #expect(try names(in: folder) == ["a"])
            #expect(words { try writeAtomically("x", to: "\(folder)/no/a") }.contains("No such file"))
            #expect(words { _ = try readFile("\(folder)/b") } == "cannot be read: No such file or directory")
            #expect(words { _ = try readFile(folder) } == "is a directory, not a file")
        }
    }

    /// What is begun and dropped leaves nothing, and the old file as it was.
    @Test func aFileThatIsNotCommittedLeavesNothing() throws {
        try withTemporaryFolder { folder in
            try writeAtomically("old", to: "\(folder)/a")
            do {
                let file = try AtomicFile(replacing: "\(folder)/a")
                try file.write(Array("new".utf8))
                #expect(try names(in: folder).count == 2)
            }
            #expect(try names(in: folder) == ["a"])
            #expect(try readFile("\(folder)/a") == Array("old".utf8))
        }
    }

    @Test(arguments: [0o600, 0o644, 0o640, 0o755, 0o400]) func permissionsStay(_ mode: Int) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a"
            try writeAtomically("one", to: path)
            try #require(chmod(path, mode_t(mode)) == 0)
            try writeAtomically("two", to: path)
            #expect(try permissions(path) == mode)
            #expect(try readFile(path) == Array("two".utf8))
        }
    }

    /// A new file has the permissions that the process's mask leaves, as those of every other program.
    @Test func aNewFileIsReadableAsOthersAre() throws {
        try withTemporaryFolder { folder in
            try writeAtomically("one", to: "\(folder)/a")
            let plain = open("\(folder)/c", O_CREAT | O_WRONLY, 0o666)
            close(plain)
            #expect(try permissions("\(folder)/a") == permissions("\(folder)/c"))
        }
    }

    @Test func linksStayAndTheirTargetsAreReplaced() throws {
        try withTemporaryFolder { folder in
            let manager = FileManager.default
            try manager.createDirectory(atPath: "\(folder)/real", withIntermediateDirectories: false)
            try writeAtomically("one", to: "\(folder)/real/file")
            for (link, target) in [("near", "real/file"), ("far", "\(folder)/real/file"), ("twice", "near")] {
                try manager.createSymbolicLink(atPath: "\(folder)/\(link)", withDestinationPath: target)
                try writeAtomically(link, to: "\(folder)/\(link)")
                #expect(try manager.destinationOfSymbolicLink(atPath: "\(folder)/\(link)") == target)
                #expect(try readFile("\(folder)/real/file") == Array(link.utf8))
            }
            // One whose target is not there yet makes it.
            try manager.createSymbolicLink(atPath: "\(folder)/new", withDestinationPath: "real/other")
            try writeAtomically("other", to: "\(folder)/new")
            #expect(try names(in: "\(folder)/real") == ["file", "other"])
            // And a circle ends.
            try manager.createSymbolicLink(atPath: "\(folder)/circle", withDestinationPath: "circle")
            #expect(words { try writeAtomically("x", to: "\(folder)/circle") }.contains("symbolic links"))
        }
    }

    /// A link that somebody planted under the name that a temporary file would have had is not followed, as nobody guesses the name.
    @Test func temporaryNamesAreNeverTheSame() {
        let names = Set((0..<1_000).map { _ in Folder.temporaryName() })
        #expect(names.count == 1_000)
        #expect(names.allSatisfy { $0.utf8.count == 32 })
    }

    @Test(.timeLimit(.minutes(60))) func onlyRegularFilesAreReadAndReplaced() throws {
        try withTemporaryFolder { folder in
            try #require(mkfifo("\(folder)/pipe", 0o600) == 0)
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "pipe")
            for name in ["pipe", "link"] {
                #expect(words { try writeAtomically("x", to: "\(folder)/\(name)") } == "is a pipe, not a file")
                #expect(words { _ = try readFile("\(folder)/\(name)") } == "is a pipe, not a file")
                #expect(words { _ = try Safetensors(contentsOf: "\(folder)/\(name)") } == "is a pipe, not a file")
            }
            for device in ["/dev/null", "/dev/zero"] {
                #expect(words { try writeAtomically("x", to: device) } == "is a device, not a file")
                #expect(words { _ = try readFile(device) } == "is a device, not a file")
            }
            for path in [folder, "\(folder)/", "\(folder)/.", "\(folder)/.."] {
                #expect(words { try writeAtomically("x", to: path) } == "is a directory, not a file")
            }
            #expect(words { try writeAtomically("x", to: "") } == "an empty path names no file")
            #expect(words { _ = try readFile("") } == "an empty path names no file")
            // The system would stop at the zero and take another file.
            #expect(words { try writeAtomically("x", to: "\(folder)/a\0b") } == "its path holds a zero character")
            #expect(words { _ = try readFile("/dev/null\0") } == "its path holds a zero character")
            #expect(try names(in: folder) == ["link", "pipe"])
        }
    }

    @Test func namesUpToTheSystemsLimit() throws {
        try withTemporaryFolder { folder in
            let longest = String(repeating: "n", count: 255)
            try writeAtomically("one", to: "\(folder)/\(longest)")
            try writeAtomically("two", to: "\(folder)/\(longest)")
            #expect(try readFile("\(folder)/\(longest)") == Array("two".utf8))
            #expect(
                words { try writeAtomically("x", to: "\(folder)/\(longest)n") }
                    == "cannot be written: File name too long")
            #expect(try names(in: folder) == [longest])
        }
    }

    /// None of several is replaced where one cannot be written.
    @Test func severalFilesAreOneResult() throws {
        try withTemporaryFolder { folder in
            try writeAtomically("old", to: "\(folder)/a")
            let first = try AtomicFile(replacing: "\(folder)/a"), second = try AtomicFile(replacing: "\(folder)/b")
            try first.write(Array("new".utf8))
            #expect(try readFile("\(folder)/a") == Array("old".utf8))
            try second.write(Array("beside".utf8))
            try AtomicFile.commit([first, second])
            #expect(try names(in: folder) == ["a", "b"])
            #expect(try readFile("\(folder)/a") == Array("new".utf8))
        }
    }

    /// A file may grow to 64 kB here: the old one stays, and nothing else.
    @Test func aDiskThatIsFullLeavesTheOldFile() async throws {
        try await withTemporaryFolder { folder in
            try writeAtomically("old", to: "\(folder)/a")
            let path = "\(folder)/a"
            let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                [path = path as String] in
                signal(SIGXFSZ, SIG_IGN)
                var limit = rlimit(rlim_cur: 1 << 16, rlim_max: 1 << 16)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
                do { try writeAtomically([UInt8](repeating: 1, count: 1 << 20), to: path) } catch {
                    fatalError("\(error)")
                }
            }
            #expect(result.says("cannot be written: File too large"))
            #expect(try names(in: folder) == ["a"])
            #expect(try readFile(path) == Array("old".utf8))
        }
    }
}

/// Several writers at once, and writers that are killed.
@Suite struct FileWritersTests {
    /// Each writes a long text of one letter; what is read is always a whole one.
    private static func write(_ letter: UInt8, _ count: Int, to path: String) throws {
        for _ in 0..<count { try writeAtomically([UInt8](repeating: letter, count: 100_000), to: path) }
    }

    private static func isWhole(_ path: String) throws -> Bool {
        let bytes = try readFile(path)
        return bytes.count == 100_000 && Set(bytes).count == 1
    }

    @Test func threadsDoNotTearAFile() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/a"
            try Self.write(0, 1, to: path)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for letter in UInt8(1)...4 {
                    group.addTask {
                        try Self.write(letter, 50, to: path)
                        return try Self.isWhole(path)
                    }
                }
                for try await isWhole in group { #expect(isWhole) }
            }
            #expect(try names(in: folder) == ["a"])
        }
    }

    @Test func processesDoNotTearAFile() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/a"
            try Self.write(0, 1, to: path)
            await withTaskGroup(of: Void.self) { group in
                for letter in UInt8(1)...3 {
                    group.addTask {
                        await #expect(processExitsWith: .success) { [path = path as String, letter = letter as UInt8] in
                            for _ in 0..<30 {
                                try Self.write(letter, 1, to: path)
                                guard try Self.isWhole(path) else { fatalError("torn") }
                            }
                        }
                    }
                }
            }
            #expect(try Self.isWhole(path))
            #expect(try names(in: folder) == ["a"])
        }
    }

    /// What a killed process left is removed by the next save of any file there; what a living one writes stays.
    @Test func theNextSaveCleansUpAfterAKill() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/a"
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let file = try AtomicFile(replacing: path)
                try file.write([UInt8](repeating: 1, count: 1_000))
                kill(getpid(), SIGKILL)
            }
            let left = try names(in: folder)
            #expect(left.count == 1 && left[0].hasPrefix(".sluice-"))
            // Not ours: another program's file, and one that only begins so.
            let others = [".sluice-0123456789abcdeg.partial", ".sluice-notes"]
            for name in others {
                try #require(FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil))
            }

            let living = try AtomicFile(replacing: path)
            try living.write([2])
            #expect(try names(in: folder).count == 3)
            try writeAtomically([3], to: "\(folder)/b")
            #expect(try names(in: folder).count == 4)
            try AtomicFile.commit([living])
            #expect(try names(in: folder) == (others + ["a", "b"]).sorted())
            #expect(try readFile(path) == [2])
        }
    }
}
