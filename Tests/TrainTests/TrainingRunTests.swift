import ArgumentParser
import Sluice
import SluiceIO
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@testable import train

@Suite struct TrainingRunTests {
    private func settings(_ arguments: String...) throws -> Settings { try Train.parse(arguments).settings() }

    private func trained<S: Scalar>(_: S.Type = S.self, _ settings: Settings) throws -> TrainingRun<S> {
        var run = TrainingRun<S>(settings)
        while run.epochs < settings.epochs { try run.epoch() }
        return run
    }

    @Test func lossesAreOfBeforeAndAfterTheUpdate() throws {
        let settings = try settings("--epochs", "2")
        let run = try trained(Double.self, settings)

        // The same numbers, drawn in the documented order, and the same steps without the program.
        var random = Random(seed: settings.seed)
        let training = Batch<Double>(Addends.random(100, bits: 5, using: &random), bits: 5)
        let test = Batch<Double>(Addends.random(100, bits: 5, using: &random), bits: 5)
        let network = Network<Double>(
            settings.configuration, Initialization(all: .truncatedNormal(standardDeviation: 0.01)), using: &random)
        var trainer = Trainer(network, loss: .halfSquaredError, optimizer: .adam())
        for epoch in 0..<2 {
            #expect(run.history.train[epoch] == trainer.step(training.x, training.targets, training.packing))
            #expect(run.history.test[epoch] == trainer.evaluate(test.x, test.targets, test.packing))
        }
    }

    @Test(.enabled(if: Backend.default != .reference, "naive loops take minutes"))
    func learnsToAdd() throws {
        let run = try trained(Double.self, try settings())
        #expect(run.losses.train < 0.001)
        let evaluation = Evaluation(of: run.network, seed: 1)
        #expect(evaluation.manual.text == "1024 + 16 = 1040")
        #expect(evaluation.shares.map(\.bits) == [5, 20, 64])
        #expect(evaluation.shares[0].exact > 900)
    }

    @Test func threadsDoNotChangeTheResult() throws {
        let one = try trained(Float.self, try settings("--epochs", "20", "--batch", "300"))
        let two = try trained(Float.self, try settings("--epochs", "20", "--batch", "300", "--threads", "2"))
        #expect(one.history.csv == two.history.csv)
    }

    @Test func miniBatchesLearnFasterAnEpoch() throws {
        let whole = try trained(Double.self, try settings("--epochs", "30"))
        let small = try trained(Double.self, try settings("--epochs", "30", "--mini-batch", "16"))
        #expect(small.epochs == 30)
        #expect(small.losses.train < 0.9 * whole.losses.train)
    }

    @Test func aRecipeIsFollowed() throws {
        let recipe = [
            "--optimizer", "adamW", "--schedule", "cosine", "--warm-up", "3", "--clip-norm", "0.1",
            "--recurrent-dropout",
            "0.2", "--input-dropout", "0.1", "--zoneout", "0.1", "--mini-batch", "40", "--epochs", "4",
        ]
        let settings = try Train.parse(recipe).settings()
        #expect(settings.updates == 12)
        let run = try trained(Double.self, settings)

        var random = Random(seed: settings.seed)
        var training = MiniBatches<Double>(Addends.random(100, bits: 5, using: &random), size: 40, bits: 5)
        _ = Addends.random(100, bits: 5, using: &random)
        let network = Network<Double>(
            settings.configuration, Initialization(all: .truncatedNormal(standardDeviation: 0.01)), using: &random)
        var trainer = Trainer(
            network, loss: .halfSquaredError, optimizer: .adamW(learningRate: 0.001),
            schedule: .warmUp(updates: 3, then: .cosine(updates: 9)), clipping: .norm(0.1),
            regularization: Regularization(inputDropout: 0.1, recurrentDropout: 0.2, zoneout: 0.1),
            random: Random(seed: random.next()))
        for _ in 0..<4 {
            training.shuffle(using: &random)
            for number in 0..<training.count {
                training.load(number)
                _ = trainer.step(training.batch.x, training.batch.targets, training.batch.packing)
            }
        }
        #expect(run.network.parameters.values == trainer.network.parameters.values)
    }

    @Test func freshExamplesAreNewInEveryEpoch() throws {
        let fixed = try trained(Double.self, try settings("--epochs", "3"))
        let fresh = try trained(Double.self, try settings("--epochs", "3", "--fresh"))
        #expect(fresh.history.train[0] == fixed.history.train[0] && fresh.history.test[0] == fixed.history.test[0])
        #expect(fresh.history.train[1] != fixed.history.train[1])
    }

    /// A rate that only leads away: the first epoch's network is the best.
    @Test func patienceStopsAndKeepsTheBest() throws {
        let settings = try settings("--epochs", "50", "--patience", "2", "--learning-rate", "3")
        var run = TrainingRun<Double>(settings)
        var networks: [Matrix<Double>] = []
        while !run.isFinished {
            try run.epoch()
            networks.append(run.network.parameters.values)
        }
        let best = try #require(run.history.test.indices.min { run.history.test[$0] < run.history.test[$1] })
        #expect(run.epochs < 50 && run.epochs == best + 1 + 2)
        #expect(run.network.parameters.values == networks[best] && networks[best] == networks[run.epochs - 1])
    }

    @Test func aLossThatIsNotFiniteStopsTheRun() throws {
        let failure = #expect(throws: Failure.self) {
            try trained(Double.self, try settings("--epochs", "5", "--learning-rate", "1e300"))
        }
        #expect(failure?.exitCode == 1)
        #expect(failure?.message.hasPrefix("the test loss of epoch 1 is not finite") == true)
    }

    @Test func lossesAsATable() {
        var history = LossHistory<Double>(epochs: 2)
        history.append(train: 0.1, test: 1.0 / 3)
        history.append(train: 2.4e-05, test: 0)
        #expect(history.csv == "iteration,train_loss,test_loss\n1,0.1,0.3333333333333333\n2,2.4e-05,0.0\n")
    }
}

@Suite struct OutputDirectoryTests {
    /// Calls `body` with the path of a directory that is there for it alone.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/train-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { removeTree(path) }
        try body(path)
    }

    private func removeTree(_ path: String) {
        for name in names(in: path) where remove("\(path)/\(name)") != 0 { removeTree("\(path)/\(name)") }
        remove(path)
    }

    /// What a directory holds, in alphabetical order.
    private func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    @Test func makesAllDirectoriesAndLeavesThemEmpty() throws {
        try withDirectory { path in
            let directory = try OutputDirectory(path + "/a//b/")
            #expect(names(in: path) == ["a"] && names(in: path + "/a") == ["b"] && names(in: path + "/a/b") == [])
            #expect(directory[.model] == path + "/a//b/model.safetensors")
            _ = try OutputDirectory(path + "/a")
        }
    }

    @Test func whatIsInTheWayIsNamed() throws {
        try withDirectory { path in
            try writeAtomically("file", to: path + "/file")
            _ = try OutputDirectory(path + "/run/loss.svg")
            _ = try OutputDirectory(path + "/piped")
            try #require(mkfifo(path + "/piped/losses.csv", 0o600) == 0)
            for bad in [
                "", path + "/file", path + "/file/below", path + "/run", path + "/piped", "/proc", "/proc/nothing",
            ] {
                let failure = #expect(throws: Failure.self) { try OutputDirectory(bad) }
                #expect(failure?.exitCode == 64)
                #expect(failure?.message.hasPrefix("--out") == true)
            }
        }
    }

    @Test(arguments: ["double", "float"]) func aSavedRunAddsAsBefore(scalar: String) throws {
        try withDirectory { path in
            let settings = try Train.parse(["--epochs", "3", "--scalar", scalar]).settings()
            let expected =
                scalar == "double"
                ? try save(Double.self, settings, in: path) : try save(Float.self, settings, in: path)
            #expect(names(in: path) == ["loss.svg", "losses.csv", "model.safetensors"])
            let file = try ModelFile(contentsOf: path + "/model.safetensors")
            #expect(file.configuration == settings.configuration)
            #expect(file.scalarType == settings.scalar)
            #expect(try Add.parse(["1024", "16", "--model", path + "/model.safetensors"]).addition() == expected)
        }
    }

    /// Threads change nothing that is computed, so they must not change the files either.
    @Test func threadsDoNotChangeTheFiles() throws {
        try withDirectory { path in
            for threads in ["1", "2"] {
                let settings = try Train.parse(["--epochs", "3", "--batch", "100", "--threads", threads]).settings()
                _ = try save(Double.self, settings, in: try OutputDirectory("\(path)/\(threads)").path)
            }
            for name in OutputDirectory.Name.allCases.map(\.rawValue) {
                #expect(try readFile("\(path)/1/\(name)") == readFile("\(path)/2/\(name)"), "\(name)")
            }
        }
    }

    @Test func aModelThatIsNotFiniteAddsNothing() throws {
        try withDirectory { path in
            let run = TrainingRun<Double>(try Train.parse([]).settings())
            var network = run.network
            network.parameters["head.bias"] = Matrix(rows: 1, columns: 1, [.nan])
            try network.save(to: path + "/model")
            let failure = #expect(throws: Failure.self) {
                try Add.parse(["1", "2", "--model", path + "/model"]).addition()
            }
            #expect(failure?.exitCode == 65)
            #expect(failure?.message.contains(path + "/model") == true)
        }
    }

    private func save<S: Scalar>(_: S.Type, _ settings: Settings, in path: String) throws -> Addition {
        var run = TrainingRun<S>(settings)
        while run.epochs < settings.epochs { try run.epoch() }
        let files = try OutputDirectory(path).write(run, settings)
        #expect(files == ["loss.svg", "losses.csv", "model.safetensors"].map { "\(path)/\($0)" })
        return Evaluation(of: run.network, seed: 1).manual
    }
}
