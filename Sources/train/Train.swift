import ArgumentParser
import Sluice
import SluiceIO

@main
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Teaches a recurrent network to add binary numbers.",
        usage: """
            train [<options>]
            train add <a> <b> [--model <path>]
            """,
        discussion: """
            The network reads two numbers bit by bit, the lowest bit first, and learns to put out the bits of their sum. It \
            is trained on numbers of a few bits and then adds longer ones.

            Examples:
              train --hidden 16 --epochs 5000
              train --variant resetAfter --scalar float --seed 7 --out runs/seven
              train --bits 32 --fresh --learning-rate 0.02 --schedule cosine --epochs 1000
              train add 1024 16
            """,
        subcommands: [Add.self])

    @OptionGroup(title: "Task") var task: TaskOptions
    @OptionGroup(title: "Network") var network: NetworkOptions
    @OptionGroup(title: "Training") var training: TrainingOptions
    @OptionGroup(title: "Recipe") var recipe: RecipeOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    /// Parses and runs. What the parser refuses becomes one line, as every other failure does, without the usage behind it.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            guard let failure = refusal(error) else { exit(withError: error) }
            Console.error(failure.message)
            exit(withError: ExitCode(failure.exitCode))
        }
    }

    /// What is wrong with the arguments; nil for any other end, such as `--help` or a failure already reported.
    static func refusal(_ error: any Error) -> Failure? {
        guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { return nil }
        let lines = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
        let line = lines.inOneLine(limit: 300)
        return .usage("\(line) (options: train --help)")
    }

    func run() throws {
        try reportingFailure { () throws(Failure) in
            let settings = try settings()
            switch settings.scalar {
            case .float: try train(Float.self, settings)
            case .double: try train(Double.self, settings)
            }
        }
    }

    /// What the options say, checked.
    func settings() throws(Failure) -> Settings {
        let settings = Settings(
            bits: task.bits, batch: task.batch, testBatch: task.testBatch, miniBatch: training.miniBatch ?? task.batch,
            variant: network.variant, hidden: network.hidden, epochs: training.epochs,
            learningRate: training.learningRate, seed: training.seed, scalar: machine.scalar,
            backend: machine.backend, threads: machine.threads, recipe: recipe.recipe)
        try settings.check()
        return settings
    }

    private func train<S: Scalar>(_: S.Type, _ settings: Settings) throws(Failure) {
        guard output.reportInterval >= 1 else {
            throw .usage("--report-interval must be at least 1, not \(output.reportInterval)")
        }
        var report = Report(style: try output.style, interval: output.reportInterval, epochs: settings.epochs)
        let directory = try OutputDirectory(output.out)
        Interrupt.watch()
        report.begin(settings)

        var run = TrainingRun<S>(settings)
        let seconds = try train(&run, settings, &report)
        if let signal = Interrupt.signal { throw try interrupted(run, by: signal, settings, report, directory) }

        let evaluation = Evaluation(of: run.network, seed: settings.seed)
        let saved = Result { () throws(Failure) in try directory.write(run, settings) }
        report.end(
            Outcome(
                settings: settings, epochs: run.epochs, losses: run.losses, evaluation: evaluation, seconds: seconds,
                files: (try? saved.get()) ?? []))
        _ = try saved.get()
    }

    /// Writes what was learnt until a signal came; returns what is said of it.
    private func interrupted<S>(
        _ run: TrainingRun<S>, by signal: Int32, _ settings: Settings, _ report: Report, _ directory: OutputDirectory
    ) throws(Failure) -> Failure {
        let files = run.epochs > 0 || run.steps > 0 ? try directory.write(run, settings) : []
        let interruption = Interruption(
            signal: signal, epochs: run.epochs, steps: run.steps, losses: run.losses, files: files)
        report.end(interruption)
        return interruption.failure(in: directory)
    }

    /// Trains, epoch after epoch, until the end or a signal; returns the seconds it took.
    private func train<S: Scalar>(
        _ run: inout TrainingRun<S>, _ settings: Settings, _ report: inout Report
    ) throws(Failure) -> Double {
        defer { report.endTraining() }
        let start = ContinuousClock.now
        while !run.isFinished && Interrupt.signal == nil {
            guard try run.epoch() else { break }
            report.epoch(run.epochs, run.losses, isLast: run.isFinished || Interrupt.signal != nil)
        }
        return (ContinuousClock.now - start).inSeconds
    }
}

/// Runs `body`; a failure becomes one line on standard error and the exit code.
func reportingFailure(_ body: () throws(Failure) -> Void) throws {
    do {
        try body()
    } catch {
        Console.error(error.message)
        throw ExitCode(error.exitCode)
    }
}
