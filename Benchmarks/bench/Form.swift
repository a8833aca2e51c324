import ArgumentParser
import Sluice

/// The kind of network that is measured, whatever its sizes, and of batch.
struct Form: Encodable {
    let cell: Cell
    let direction: Direction
    let layers: Int
    /// The width of an LSTM's projected state; nil: none.
    let projection: Int?
    let isRagged: Bool

    func configuration(_ shape: Shape, head: Head? = nil) -> Configuration {
        Configuration(
            cell: cell, inputSize: shape.inputs, hiddenSize: shape.hidden, layers: layers, direction: direction,
            projectionSize: projection, head: head)
    }

    /// Sequences of the shape's steps; if ragged, of lengths spread evenly from 1 to those, always in the same order.
    func packing(_ shape: Shape) -> Packing {
        guard isRagged else { return Packing(sequences: shape.batch, steps: shape.steps) }
        var random = Random(seed: 1)
        let span = shape.steps - 1, intervals = max(shape.batch - 1, 1)
        let lengths = (0..<shape.batch).map { shape.steps - span * $0 / intervals }
        return Packing(lengths: lengths.shuffled(using: &random))
    }

    /// In a line; nil: the GRU that is measured by default.
    var description: String? {
        var words: [String] = []
        if cell != .gru(.resetAfter) { words.append(cell.rawValue) }
        if layers > 1 { words.append("\(layers) layers") }
        if direction != .forward { words.append(direction.rawValue) }
        if let projection { words.append("projection to \(projection)") }
        if isRagged { words.append("lengths from 1 to T") }
        return words.isEmpty ? nil : words.joined(separator: ", ")
    }
}

/// The options that choose a form.
struct FormOptions: ParsableArguments {
    @Option(help: "The cell.") var cell = Cell.gru(.resetAfter)
    @Option(help: "Which way the layers run.") var direction = Direction.forward
    @Option(help: "The layers.") var layers = 1
    @Option(help: "The width of an LSTM's projected state, less than the hidden units.") var projection: Int?
    @Flag(help: "Sequences of all lengths from 1 to T.") var ragged = false

    var form: Form {
        Form(cell: cell, direction: direction, layers: layers, projection: projection, isRagged: ragged)
    }

    func validate() throws {
        try Sizes.check("--layers", layers)
        guard let projection else { return }
        guard case .lstm = cell else {
            throw ValidationError("--projection: only an LSTM has one, as with --cell \(Cell.lstm.rawValue).")
        }
        try Sizes.check("--projection", projection)
    }

    /// Checks them with the shapes and scalars that they are measured on.
    func validate(_ shapes: [Shape], _ scalars: [ScalarType]) throws {
        for shape in shapes {
            for scalar in scalars { try form.check(shape, scalar) }
        }
        guard let projection, let shape = shapes.first(where: { $0.hidden <= projection }) else { return }
        throw ValidationError("--projection \(projection): the shape \(shape.description) has no more hidden units.")
    }
}

extension Cell: ExpressibleByArgument {}
extension Direction: ExpressibleByArgument {}
