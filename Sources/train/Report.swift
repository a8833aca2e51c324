import Sluice
import SluiceIO

/// What a run ends with.
struct Outcome {
    let settings: Settings
    /// The epochs done: those asked for, unless the run stopped before.
    let epochs: Int
    /// The last epoch's.
    let losses: (train: Double, test: Double)
    let evaluation: Evaluation
    /// The time of the training loop.
    let seconds: Double
    /// The files written.
    let files: [String]
}

/// What a run ends with that a signal ended.
struct Interruption {
    let signal: Int32
    /// The epochs done, and the steps of the one begun.
    let epochs: Int
    let steps: Int
    /// The last epoch's; not numbers if there was none.
    let losses: (train: Double, test: Double)
    /// The files written.
    let files: [String]

    /// What is said on standard error, and the exit code.
    func failure(in directory: OutputDirectory) -> Failure {
        let begun = steps == 0 ? "" : " and \(counted(steps, "step"))"
        let end =
            files.isEmpty
            ? "; nothing was learnt yet, and no file was written"
            : "; what was learnt so far is in \(directory.path.inOneLine(limit: 200))"
        return Failure(
            "stopped by \(Interrupt.name(of: signal)) after \(counted(epochs, "epoch"))\(begun)\(end)",
            exitCode: Failure.interrupted(by: signal))
    }
}

/// Tells on standard output how a run goes.
struct Report {
    /// For whom the report is.
    enum Style {
        /// A person: lines, and a bar beneath them on a terminal.
        case text
        /// A person who wants the result only.
        case quiet
        /// A program: one JSON object a line.
        case json
    }

    let style: Style
    /// The epochs between two lines.
    let interval: Int
    /// The epochs in all.
    let epochs: Int
    private var bar: ProgressBar?

    init(style: Style, interval: Int, epochs: Int) {
        self.style = style
        self.interval = interval
        self.epochs = epochs
    }

    /// The run begins.
    mutating func begin(_ settings: Settings) {
        switch style {
        case .text:
            Console.out(Self.text(settings))
            if Console.isTerminal { bar = ProgressBar(total: epochs) }
        case .quiet: break
        case .json: Console.out(Self.json(settings).text + "\n")
        }
    }

    /// An epoch is done; `number` counts from 1.
    mutating func epoch(_ number: Int, _ losses: (train: Double, test: Double), isLast: Bool) {
        guard (number - 1).isMultiple(of: interval) || isLast else {
            bar?.update(done: number)
            return
        }
        switch style {
        case .text:
            let line = Self.line(number, train: losses.train, test: losses.test)
            if bar == nil { Console.out(line + "\n") } else { bar?.print(line, done: number) }
        case .quiet: break
        case .json: Console.out(Self.json(number, train: losses.train, test: losses.test).text + "\n")
        }
    }

    /// Training is over, by success or not.
    mutating func endTraining() {
        bar?.clear()
        bar = nil
    }

    /// A signal ended the run before its time.
    func end(_ interruption: Interruption) {
        if style == .json { Console.out(Self.json(interruption).text + "\n") }
    }

    /// The run is over.
    func end(_ outcome: Outcome) {
        Console.out(style == .json ? Self.json(outcome).text + "\n" : Self.text(outcome))
    }
}

// MARK: For people

extension Report {
    /// The line of an epoch. Iterations count from 0, as in the original: that of 50 is of the 51st epoch, after its update.
    static func line(_ epoch: Int, train: Double, test: Double) -> String {
        "Iteration: \(epoch - 1), train loss: \(fixed(train, 4)), test loss: \(fixed(test, 4))"
    }

    static func text(_ settings: Settings) -> String {
        let batches = settings.miniBatch == settings.batch ? "" : " in mini-batches of \(grouped(settings.miniBatch))"
        return """
            GRU \(settings.variant.rawValue), \(counted(settings.hidden, "hidden unit")), \
            \(settings.scalar.rawValue), \(settings.backend.rawValue), \(counted(settings.threads, "thread")), \
            seed \(settings.seed)
            \(grouped(settings.batch)) training\(batches) and \(grouped(settings.testBatch)) test examples of \
            \(settings.bits) bits, \(counted(settings.epochs, "epoch")), learning rate \(settings.learningRate)

            """ + settings.recipe.differences.map { "\($0)\n" }.joined()
    }

    static func text(_ outcome: Outcome) -> String {
        let evaluation = outcome.evaluation, epochs = outcome.epochs
        let shares = evaluation.shares.map { share in
            "\(fixed(100 * Double(share.exact) / Double(share.pairs), 1)) % at \(share.bits) bits"
        }
        let time = duration(seconds: outcome.seconds), each = duration(seconds: outcome.seconds / Double(epochs))
        var text = """
            \(evaluation.manual.text)
            Exact sums of \(grouped(Evaluation.pairs)) random pairs: \(shares.joined(separator: ", "))
            Trained \(counted(epochs, "epoch")) in \(time), \(each) each, seed \(outcome.settings.seed)

            """
        if !outcome.files.isEmpty {
            text += "Wrote \(outcome.files.map { $0.inOneLine(limit: 4_096) }.joined(separator: ", "))\n"
        }
        return text
    }
}

// MARK: For programs

extension Report {
    static func json(_ settings: Settings) -> JSON {
        .object([("event", .string("start"))] + fields(settings) + [("threads", .integer(settings.threads))])
    }

    /// What decides the result; not the threads, as a file must not depend on them.
    static func fields(_ settings: Settings) -> [(String, JSON)] {
        [
            ("bits", .integer(settings.bits)), ("batch", .integer(settings.batch)),
            ("test_batch", .integer(settings.testBatch)), ("mini_batch", .integer(settings.miniBatch)),
            ("variant", .string(settings.variant.rawValue)), ("hidden", .integer(settings.hidden)),
            ("epochs", .integer(settings.epochs)), ("learning_rate", .number(settings.learningRate)),
            ("seed", .unsigned(settings.seed)), ("scalar", .string(settings.scalar.rawValue)),
            ("backend", .string(settings.backend.rawValue)),
        ] + settings.recipe.fields
    }

    /// An epoch's event: `iteration` is the number of epochs done, as in losses.csv.
    static func json(_ epoch: Int, train: Double, test: Double) -> JSON {
        .object([
            ("event", .string("progress")), ("iteration", .integer(epoch)), ("train_loss", .number(train)),
            ("test_loss", .number(test)),
        ])
    }

    static func json(_ interruption: Interruption) -> JSON {
        .object([
            ("event", .string("interrupted")), ("signal", .string(Interrupt.name(of: interruption.signal))),
            ("iteration", .integer(interruption.epochs)), ("train_loss", .number(interruption.losses.train)),
            ("test_loss", .number(interruption.losses.test)), ("files", .array(interruption.files.map(JSON.string))),
        ])
    }

    static func json(_ outcome: Outcome) -> JSON {
        let manual = outcome.evaluation.manual
        let shares = outcome.evaluation.shares.map { share in
            JSON.object([
                ("bits", .integer(share.bits)), ("pairs", .integer(share.pairs)), ("exact", .integer(share.exact)),
            ])
        }
        return .object([
            ("event", .string("result")), ("iteration", .integer(outcome.epochs)),
            ("train_loss", .number(outcome.losses.train)), ("test_loss", .number(outcome.losses.test)),
            (
                "manual",
                .object([
                    ("a", .unsigned(manual.addends.a)), ("b", .unsigned(manual.addends.b)),
                    ("computed", .unsigned(manual.computed)), ("exact", .boolean(manual.isExact)),
                ])
            ),
            ("exact_sums", .array(shares)), ("seconds", .number(outcome.seconds)),
            ("seed", .unsigned(outcome.settings.seed)), ("files", .array(outcome.files.map(JSON.string))),
        ])
    }
}
