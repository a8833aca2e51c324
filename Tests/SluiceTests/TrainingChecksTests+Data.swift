import Testing

@testable import Sluice

/// Runs, examples, batches and windows that cannot be.
extension TrainingChecksTests {
    private static func fit(
        _ words: String, trainer: Trainer<Float> = trainer(), targets: Matrix<Float> = classes([0, 1, 2, 0, 0, 0]),
        inputs: Int = 2, epochs: Int = 1, accumulating: Int = 1, validation: [Batch<Float>] = [],
        earlyStopping: EarlyStopping? = nil
    ) -> Misuse {
        let batches = Batches(examples(targets, inputs: inputs), Batching(size: 2))
        return Misuse(
            words,
            {
                _ = try Fit(
                    checking: trainer, batches, epochs: epochs, accumulating: accumulating, validation: validation,
                    earlyStopping: earlyStopping)
            }
        ) {
            _ = Fit(
                trainer, batches, epochs: epochs, accumulating: accumulating, validation: validation,
                earlyStopping: earlyStopping)
        }
    }

    private static func pairs(_ words: String, _ inputs: [Int], _ targets: [Int]) -> Misuse {
        let inputs = inputs.map { zeros($0, 2) }, targets = targets.map { zeros($0, 1) }
        return Misuse(words, { _ = try Examples(checking: inputs, targets: targets) }) {
            _ = Examples(inputs: inputs, targets: targets)
        }
    }

    private static func flat(_ words: String, _ rows: Int, _ targets: Int, _ lengths: [Int]) -> Misuse {
        Misuse(words, { _ = try Examples(checking: zeros(rows, 2), targets: zeros(targets, 1), lengths: lengths) }) {
            _ = Examples(inputs: zeros(rows, 2), targets: zeros(targets, 1), lengths: lengths)
        }
    }

    private static func batching(_ words: String, _ batching: Batching) -> Misuse {
        Misuse(words, { try batching.validate(sequences: 3) }) {
            _ = Batches(examples(zeros(6, 1)), batching)
        }
    }

    private static func windows(
        _ words: String, _ window: Int, _ direction: Direction = .forward, steps: Head.Steps = .all,
        targets: Matrix<Float> = zeros(6, 1)
    ) -> Misuse {
        let configuration = Configuration(
            cell: .lstm, inputSize: 2, hiddenSize: 2, direction: direction, head: Head(outputSize: 1, steps: steps))
        let network = Network<Float>(configuration, Parameters(ParameterLayout(configuration)))
        let trainer = Trainer(network, loss: .meanSquaredError, optimizer: .sgd()), x = zeros(6, 2)
        return Misuse(
            words, { try trainer.validate(Batch(x: x, targets: targets, packing: packing), window: window) }
        ) {
            var trainer = trainer, state = State<Float>(configuration, sequences: 3)
            _ = trainer.truncatedSteps(x, targets, packing, window: window, state: &state)
        }
    }

    static let dataMisuses: [Misuse] = [
        fit("-1 epochs: at least 0 are needed", epochs: -1),
        fit("an update of 0 batches: at least 1 is needed", accumulating: 0),
        fit("early stopping with a patience of 0 epochs", earlyStopping: EarlyStopping(patience: 0)),
        fit("a minimumChange of nan", earlyStopping: EarlyStopping(patience: 1, minimumChange: .nan)),
        fit("examples of 3 inputs for a network of 2", inputs: 3),
        fit("examples: targets of 6 x 2 for outputs of 6 x 3", targets: zeros(6, 2)),
        fit("examples: targets of 6 x 1 for outputs of 6 x 3", trainer: trainer(.huber()), targets: zeros(6, 1)),
        fit("examples: class 4.0 in row 5", targets: classes([0, 1, 2, 0, 0, 4])),
        fit(
            "examples with a target for each sequence, for a network with an output for each step", targets: zeros(3, 1)
        ),
        fit(
            "validation batch 1: class 4.0 in row 0",
            validation: [batch(zeros(6, 1)), batch(classes([4, 0, 0, 0, 0, 0]))]),
        fit("validation batch 0: inputs of 6 x 3 for 6 rows of 2 inputs", validation: [batch(zeros(6, 1), inputs: 3)]),
        pairs("sequence 1 has 1 steps and 3 rows of targets: one row for each sequence is needed", [3, 1], [1, 3]),
        pairs("sequence 1 has 3 steps and 1 rows of targets: one row for each step is needed", [2, 3, 1], [2, 1, 3]),
        pairs(
            "sequence 0 has 3 steps and 2 rows of targets: one row for each step or for the sequence", [3, 1], [2, 2]),
        pairs("sequence 0 has 1 steps and 2 rows of targets", [1, 1], [2, 0]),
        pairs("sequence 1 has length 0; at least 1 is needed", [2, 0], [1, 1]),
        pairs("2 sequences and targets of 1", [2, 1], [1]),
        pairs("no example", [], []),
        flat("inputs of 6 rows, of which sequence 1 would be 5 from row 2 on", 6, 2, [2, 5]),
        flat("of which sequence 1 would be 9223372036854775807 from row 2 on", 6, 2, [2, .max]),
        flat("inputs of 6 rows for 5 steps", 6, 5, [2, 3]),
        flat("targets of 4 rows for 6 steps of 2 sequences", 6, 4, [2, 4]),
        batching("batches of 0 sequences: at least 1 is needed", Batching(size: 0)),
        batching("buckets in windows of 0 batches", Batching(size: 1, bucketing: .windows(batches: 0))),
        batching("3 sequences do not fill one batch of 4", Batching(size: 4, dropsLast: true)),
        Misuse(
            "inputs of 5 rows for a packing of 6",
            { _ = try Batch(checking: zeros(5, 2), targets: zeros(6, 1), packing: packing) }
        ) { _ = Batch(x: zeros(5, 2), targets: zeros(6, 1), packing: packing) },
        Misuse(
            "targets of 4 rows for 6 steps of 3 sequences",
            { _ = try Batch(checking: zeros(6, 2), targets: zeros(4, 1), packing: packing) }
        ) { _ = Batch(x: zeros(6, 2), targets: zeros(4, 1), packing: packing) },
        Misuse("class 7.0 in row 0", { try trainer().validate(batch(classes([7, 0, 0, 0, 0, 0]))) }) {
            let made = Batches<Float>(perEpoch: 2) { _, _ in batch(classes([7, 0, 0, 0, 0, 0])) }
            var fit = Fit(trainer(), made, epochs: 1)
            _ = try? fit.step()
        },
        windows("windows of 0 steps: at least 1 is needed", 0),
        windows("inputs of 6 and targets of 3 rows for 6 steps", 2, targets: zeros(3, 1)),
        windows("windows of a network whose head is on last and not on every step", 2, steps: .last),
        windows(
            "windows of a network that runs bidirectional: a scan back through time begins at the end", 2,
            .bidirectional),
        Misuse("-2 epochs", { throw InvalidValue("-2 epochs") }) {
            var fit = Fit(trainer(), Batches(examples(zeros(6, 1)), Batching(size: 2)), epochs: 1)
            fit.epochs = -2
        },
    ]
}
