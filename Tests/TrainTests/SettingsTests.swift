import ArgumentParser
import Sluice
import Testing

@testable import train

@Suite struct SettingsTests {
    private func settings(_ arguments: String...) throws -> Settings { try Train.parse(arguments).settings() }

    @Test func defaultsAreTheOriginals() throws {
        let settings = try settings()
        #expect(settings.bits == 5 && settings.batch == 100 && settings.testBatch == 100 && settings.miniBatch == 100)
        #expect(settings.hidden == 16 && settings.epochs == 5000 && settings.learningRate == 0.001)
        #expect(settings.variant == .chung2014 && settings.scalar == .double && settings.threads == 1)
        #expect(
            settings.configuration
                == Configuration(
                    cell: .gru(.chung2014), inputSize: 2, hiddenSize: 16, head: Head(outputSize: 1)))
    }

    @Test func optionsArriveWhereTheyBelong() throws {
        let settings = try settings(
            "--bits", "8", "--batch", "30", "--test-batch", "40", "--mini-batch", "7", "--variant", "resetAfter",
            "--hidden", "9", "--epochs", "11", "--learning-rate", "0.5", "--seed", "18446744073709551615",
            "--scalar", "float", "--backend", "reference", "--threads", "2")
        #expect(
            settings
                == Settings(
                    bits: 8, batch: 30, testBatch: 40, miniBatch: 7, variant: .resetAfter, hidden: 9, epochs: 11,
                    learningRate: 0.5, seed: .max, scalar: .float, backend: .reference, threads: 2))
    }

    @Test(arguments: [
        ("--hidden", "0"), ("--hidden", "-3"), ("--hidden", "8193"), ("--epochs", "0"), ("--bits", "2"),
        ("--bits", "65"),
        ("--batch", "0"), ("--test-batch", "0"), ("--mini-batch", "0"), ("--mini-batch", "101"), ("--threads", "0"),
        ("--threads", "65"), ("--learning-rate", "0"), ("--learning-rate", "-1"), ("--learning-rate", "nan"),
        ("--learning-rate", "inf"), ("--warm-up", "-1"), ("--warm-up", "5000"), ("--clip-norm", "0"),
        ("--clip-norm", "nan"),
        ("--zoneout", "1"), ("--input-dropout", "-0.1"), ("--recurrent-dropout", "nan"), ("--patience", "0"),
    ]) func badValuesAreNamed(option: String, value: String) throws {
        let failure = #expect(throws: Failure.self) { try settings(option, value) }
        #expect(failure?.exitCode == 64)
        #expect(failure?.message.hasPrefix(option) == true)
        #expect(failure?.message.contains("\n") == false)
    }

    @Test func thePlainRunHasThePlainRecipe() throws {
        let plain = try settings()
        #expect(plain.recipe == .plain && plain.recipe.differences.isEmpty && plain.recipe.fields.isEmpty)
        let other = try settings("--optimizer", "sgd", "--fresh", "--patience", "1")
        #expect(
            other.recipe.differences.count == 3 && other.recipe.fields.map(\.0) == ["optimizer", "fresh", "patience"])
        let failure = #expect(throws: Failure.self) { try settings("--schedule", "oneCycle", "--warm-up", "5") }
        #expect(failure?.exitCode == 64)
    }

    @Test(arguments: [("--bits", "3"), ("--bits", "64"), ("--mini-batch", "1"), ("--hidden", "1"), ("--epochs", "1")])
    func endsOfRangesAreGood(option: String, value: String) throws {
        _ = try settings(option, value)
    }

    @Test(arguments: [["--hidden", "many"], ["--nonsense"], ["--seed", "-1"], ["stray"]])
    func whatCannotBeReadIsRefused(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try Train.parseAsRoot(arguments) }
        #expect(error.map { Train.exitCode(for: $0).rawValue } == 64)
    }

    /// A value that cannot be read is told as shortly as one that is out of range.
    @Test(arguments: [
        (["--hidden", "many"], "'--hidden <n>'"), (["--hidden", "a\nb"], "'--hidden <n>'"),
        (["--nonsense"], "--nonsense"),
        (["--variant", "gru"], "chung2014"), (["add", "1"], "'<b>'"), (["add", "1", "x"], "'<b>'"),
        (["--out"], "--out"),
    ]) func aRefusalIsOneLine(arguments: [String], part: String) throws {
        let error = try #require(#expect(throws: (any Error).self) { try Train.parseAsRoot(arguments) })
        let refusal = try #require(Train.refusal(error))
        #expect(refusal.exitCode == 64)
        #expect(refusal.message.contains(part) && !refusal.message.contains("\n"))
        #expect(!refusal.message.contains("Usage"))
    }

    @Test func helpAndReportedFailuresAreNoRefusals() throws {
        var help = try Train.parseAsRoot(["--help"])
        let error = try #require(#expect(throws: (any Error).self) { try help.run() })
        #expect(Train.refusal(error) == nil)
        #expect(Train.refusal(ExitCode(64)) == nil)
    }

    @Test func tooMuchMemoryIsRefused() throws {
        var settings = try settings()
        try settings.checkMemory(available: 0x1p30)
        settings.hidden = 8192
        let failure = #expect(throws: Failure.self) { try settings.checkMemory(available: 0x1p34) }
        #expect(failure?.exitCode == 64)
        #expect(failure?.message.contains("16.0 GiB") == true)
        #expect(Memory.limit() > 0x1p26)
    }

    @Test func quietAndJsonExcludeEachOther() throws {
        #expect(throws: Failure.self) { try Train.parse(["--json", "--quiet"]).output.style }
        #expect(try Train.parse(["--json"]).output.style == .json)
        #expect(try Train.parse(["-q"]).output.style == .quiet)
        #expect(try Train.parse([]).output.style == .text)
    }

    @Test func addIsACommandOfItsOwn() throws {
        let add = try #require(try Train.parseAsRoot(["add", "1024", "16", "--model", "m"]) as? Add)
        #expect(add.a == 1024 && add.b == 16 && add.model == "m")
        #expect(try Train.parseAsRoot(["--hidden", "16", "--epochs", "5000"]) is Train)
    }
}
