import ArgumentParser
import Sluice

extension GRU.Variant: ExpressibleByArgument {
    public static var allValueDescriptions: [String: String] {
        [
            "chung2014": "Chung et al. 2014: h' = (1-z) h + z n",
            "resetBefore": "Cho et al. 2014, Keras with reset_after=False",
            "resetAfter": "cuDNN, PyTorch, Keras",
            "layerNormalized": "as resetAfter, its products layer-normalised",
        ]
    }
}
extension ScalarType: ExpressibleByArgument {}
extension Recipe.Rule: ExpressibleByArgument {}
extension Recipe.Course: ExpressibleByArgument {}
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

    @Option(parsing: .unconditional, help: ArgumentHelp("Step size of the optimizer.", valueName: "x"))
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

/// What may be varied in how it learns; by default, nothing.
struct RecipeOptions: ParsableArguments {
    @Option(help: "What follows the gradient (sgd: with momentum 0.9).")
    var optimizer = Recipe.Rule.adam

    @Option(help: "How the learning rate changes over the run.")
    var schedule = Recipe.Course.constant

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Updates over which the learning rate rises from a third of itself.", valueName: "n"))
    var warmUp = 0

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Norm that a longer gradient is scaled down to.", valueName: "x"))
    var clipNorm: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Share of the inputs left out, the same at every step of a sum.", valueName: "x"))
    var inputDropout = 0.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Share of the state left out of its products, the same at every step.", valueName: "x"))
    var recurrentDropout = 0.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Share of the state that stays as it was at a step.", valueName: "x"))
    var zoneout = 0.0

    @Flag(help: "New training examples in every epoch.")
    var fresh = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Epochs without a lower test loss after which to stop, keeping the network of the lowest (default: never).",
            valueName: "n"))
    var patience: Int?

    var recipe: Recipe {
        Recipe(
            rule: optimizer, course: schedule, warmUp: warmUp, clipNorm: clipNorm,
            regularization: Regularization(
                inputDropout: inputDropout, recurrentDropout: recurrentDropout, zoneout: zoneout),
            patience: patience, isFresh: fresh)
    }
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

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Epochs from line to line, which count from 0.", valueName: "n"))
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
