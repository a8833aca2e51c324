import ArgumentParser
import Sluice

extension GRU.Variant: ExpressibleByArgument {
    public static var allValueDescriptions: [String: String] {
        [
            "chung2014": "Chung et al. 2014: h' = (1-z) h + z n",
            "resetBefore": "Cho et al. 2014, Keras with reset_after=False",
            "resetAfter": "cuDNN, PyTorch, Keras",
        ]
    }
}
extension ScalarType: ExpressibleByArgument {}
extension Backend: ExpressibleByArgument {}

/// What is learnt.
struct TaskOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("Bits of the examples, 3 to 64.", valueName: "n"))
    var bits = 5

    @Option(parsing: .unconditional, help: ArgumentHelp("Training examples.", valueName: "n"))
    var batch = 100

    @Option(parsing: .unconditional, help: ArgumentHelp("Test examples.", valueName: "n"))
    var testBatch = 100
}

/// What learns.
struct NetworkOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("Hidden units.", valueName: "n"))
    var hidden = 16

    @Option(help: "Which equations the GRU has.")
    var variant = GRU.Variant.chung2014
}

/// How it learns.
struct TrainingOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: ArgumentHelp("Passes over the training examples.", valueName: "n"))
    var epochs = 5000

    @Option(parsing: .unconditional, help: ArgumentHelp("Step size of Adam.", valueName: "x"))
    var learningRate = 0.001

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Examples of one update, shuffled anew in every epoch (default: all at once, not shuffled).",
            valueName: "n"))
    var miniBatch: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Start of all random numbers: same seed, same result.", valueName: "n"))
    var seed: UInt64 = 1
}

/// On what it is computed.
struct MachineOptions: ParsableArguments {
    @Option(help: "Numbers to compute in.")
    var scalar = ScalarType.double

    @Option(help: "Who computes.")
    var backend = Backend.default

    @Option(parsing: .unconditional, help: ArgumentHelp("Threads; the result does not depend on them.", valueName: "n"))
    var threads = 1
}

/// What is told.
struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Directory of loss.svg, losses.csv and model.safetensors.", valueName: "directory"))
    var out = OutputDirectory.standard

    @Option(parsing: .unconditional, help: ArgumentHelp("Epochs between two lines.", valueName: "n"))
    var reportInterval = 50

    @Flag(name: .shortAndLong, help: "Print the result only.")
    var quiet = false

    @Flag(help: "Print one JSON object a line, and nothing else.")
    var json = false

    var style: Report.Style {
        get throws(Failure) {
            if json && quiet { throw .usage("--json and --quiet exclude each other") }
            return json ? .json : quiet ? .quiet : .text
        }
    }
}
