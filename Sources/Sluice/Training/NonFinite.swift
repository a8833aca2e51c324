/// A number that is not finite, and where in a step it first appeared.
public struct NonFinite: Error, Hashable, Sendable {
    /// In the order in which a step comes to them.
    public enum Quantity: Hashable, Sendable {
        /// Of that name, as the step found it.
        case parameter(String)
        case inputs
        case targets
        /// What ``NonFinite/layer`` puts out.
        case layerOutputs
        /// What the head puts out.
        case outputs
        case loss
        /// By the parameter of that name.
        case gradient(String)
        /// The sum of the gradient's squares, though each number of it is finite.
        case gradientNorm
        /// Of the schedule, in the network's scalar.
        case learningRate
    }

    /// Which number was not finite.
    public let quantity: Quantity
    /// The layer, numbered from 0 as in the parameters' names; nil: no layer's.
    public let layer: Int?
    /// The sequence, in the batch's order, where the quantity has one.
    public let sequence: Int?
    /// The step of that sequence, where the quantity has one: of those it appeared in, the earliest.
    public let step: Int?
    /// The update that was not done, counted from 1; of a validation the last that was.
    public internal(set) var update: Int
    /// Whether it was in an evaluation after that update and not in a step.
    public internal(set) var isValidation = false {
        didSet { if isValidation && !oldValue { update -= 1 } }
    }
}

extension NonFinite: CustomStringConvertible {
    public var description: String {
        let when = isValidation ? "in the validation after update \(update)" : "in update \(update)"
        var place = ""
        if let sequence { place = " of sequence \(sequence)" + (step.map { " at step \($0)" } ?? "") }
        return "\(when), what was first not finite: \(name)\(place)"
    }

    private var name: String {
        let layer = layer.map { " (layer \($0))" } ?? ""
        switch quantity {
        case .parameter(let name): return "the parameter \(name)\(layer)"
        case .inputs: return "the inputs"
        case .targets: return "the targets"
        case .layerOutputs: return "the outputs of layer \(self.layer ?? 0)"
        case .outputs: return "the outputs of the head"
        case .loss: return "the loss"
        case .gradient(let name): return "the gradient of \(name)\(layer)"
        case .gradientNorm: return "the gradient's norm, whose squares are too large together"
        case .learningRate: return "the learning rate"
        }
    }
}

// MARK: Finding it

extension Trainer {
    /// Looks for the first number that is not finite in a step on a batch: computes it again, layer by layer, without
    /// what is left out at random, and looks through the gradient that the last step left. For after a step whose loss
    /// or ``gradientNorm`` was not finite; a step itself looks at these two alone.
    ///
    /// - Parameters:
    ///   - batch: the step's.
    ///   - validation: whether the batch was only evaluated, after the last update.
    /// - Returns: nil if there is none.
    public func firstNonFinite(in batch: Batch<S>, validation: Bool = false) -> NonFinite? {
        guard var found = firstNonFiniteInStep(batch) else { return nil }
        if validation { found.isValidation = true }
        return found
    }

    private func firstNonFiniteInStep(_ batch: Batch<S>) -> NonFinite? {
        let layout = network.parameters.layout, packing = batch.packing
        if let entry = layout.entries.first(where: { !network.parameters.view($0).isFinite }) {
            return found(.parameter(entry.name), layer: layer(of: entry))
        }
        if let row = batch.x.view.firstNonFiniteRow { return found(.inputs, row: row, of: packing) }
        let isSummedUp = network.configuration.isSummedUp
        if let row = batch.targets.view.firstNonFiniteRow {
            return found(.targets, row: row, of: packing, isSequence: isSummedUp)
        }
        for layer in 0..<network.configuration.layers {
            let outputs = network.upTo(layer).forward(batch.x, packing).outputs
            if let row = outputs.view.firstNonFiniteRow {
                return found(.layerOutputs, layer: layer, row: row, of: packing)
            }
        }
        let outputs = network.forward(batch.x, packing).outputs
        if let row = outputs.view.firstNonFiniteRow {
            return found(.outputs, row: row, of: packing, isSequence: isSummedUp)
        }
        let value = loss.evaluate(outputs, batch.targets, sequences: packing.sequenceCount).value
        // A mean over no row is not a number, though nothing went wrong.
        if !value.isFinite && !isBatchEmpty { return found(.loss) }
        return firstNonFiniteGradient ?? (isLearningRateFinite ? nil : found(.learningRate))
    }

    /// In the gradient that the last step left, in the order of the way back: the head, then from the last layer to the
    /// first.
    private var firstNonFiniteGradient: NonFinite? {
        guard let gradientNorm, !gradientNorm.isFinite else { return nil }
        let layout = gradient.layout
        for part in layout.parts(network.configuration).reversed() {
            for entry in layout.entries where part.contains(entry.offset) && !gradient.view(entry).isFinite {
                return found(.gradient(entry.name), layer: layer(of: entry))
            }
        }
        return found(.gradientNorm)
    }

    private func layer(of entry: ParameterLayout.Entry) -> Int? {
        let part = network.parameters.layout.parts(network.configuration).firstIndex { $0.contains(entry.offset) }
        return part == network.configuration.layers ? nil : part
    }

    func found(
        _ quantity: NonFinite.Quantity, layer: Int? = nil, row: Int? = nil, of packing: Packing? = nil,
        isSequence: Bool = false
    ) -> NonFinite {
        var sequence: Int?, step: Int?
        if let row, isSequence {
            sequence = row
        } else if let row, let packing {
            step = (0..<packing.stepCount).first { packing.rows(at: $0).contains(row) }!
            sequence = packing.order[row - packing.rows(at: step!).lowerBound]
        }
        return NonFinite(
            quantity: quantity, layer: layer, sequence: sequence, step: step, update: optimizerState.updates + 1)
    }
}

extension Network {
    /// The network that ends with a layer: its parameters are this one's first.
    fileprivate func upTo(_ layer: Int) -> Network {
        var configuration = configuration
        configuration.layers = layer + 1
        configuration.head = nil
        var parameters = Parameters<S>(ParameterLayout(configuration))
        let values = parameters.values.mutableView()
        values.copy(self.parameters.values.view.columns(0..<values.columns))
        return Network(configuration, parameters, backend: backend, level: engine.level, workers: workers)
    }
}

extension MatrixView {
    fileprivate var isFinite: Bool { firstNonFiniteRow == nil }

    /// The first row that holds a number that is not finite.
    fileprivate var firstNonFiniteRow: Int? {
        (0..<rows).first { row in (0..<columns).contains { !self[row, $0].isFinite } }
    }
}
