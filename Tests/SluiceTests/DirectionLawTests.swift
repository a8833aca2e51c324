@testable import Sluice
import Testing
import TestSupport

/// What holds between the directions: the same parameters forward, backward and both ways, outputs and every gradient.
@Suite struct DirectionLawTests {
    struct Case: Sendable, CustomStringConvertible {
        /// Forward, of one layer.
        let configuration: Configuration
        let lengths: [Int]
        var description: String { "\(configuration.testDescription) \(lengths)" }
    }

    /// Ragged and equal; and one step, one sequence, one input, one hidden unit.
    static let cases = [(3, 17, [4, 1, 7, 4, 2]), (1, 1, [1]), (2, 3, [5]), (1, 4, [3, 3]), (2, 1, [2, 4])].flatMap {
        (inputs, hidden, lengths) in
        Configuration.everyCell(inputSize: inputs, hiddenSize: hidden).map { Case(configuration: $0, lengths: lengths) }
    }

    /// The same products on the same rows; only what two directions add up may be added in another order.
    private static let tolerance = 1e-13

    @Test(arguments: cases, Backend.available)
    func bothDirectionsAreOneBesideTheOther(_ test: Case, _ backend: Backend) {
        for direction in [Direction.bidirectional, .bidirectionalSum] {
            var both = test.configuration, backward = test.configuration
            both.direction = direction
            backward.direction = .backward
            let whole = LawPass(both, test.lengths, backend)
            let width = both.stateSize
            let parts = [(test.configuration, "", 0), (backward, "_reverse", 1)].map { configuration, suffix, index in
                let columns = direction == .bidirectional ? index * width..<(index + 1) * width : 0..<width
                var parameters = Parameters<Double>(ParameterLayout(configuration))
                for entry in parameters.layout.entries {
                    parameters[entry.name] = whole.parameters[entry.name + suffix]
                }
                return LawPass(
                    Network(configuration, parameters, backend: backend), whole.packing, whole.x,
                    initial: whole.initial.scan(index), dOutputs: whole.dOutputs.columns(columns),
                    dState: whole.dState.scan(index))
            }

            let outputs = parts.map(\.outputs)
            expect(
                whole.outputs,
                direction == .bidirectional ? outputs[0].beside(outputs[1]) : outputs[0].plus(outputs[1]), "outputs")
            expect(
                whole.gradients.inputs!, parts[0].gradients.inputs!.plus(parts[1].gradients.inputs!), "inputs' gradient"
            )
            for (index, part) in parts.enumerated() {
                expect(whole.state.scan(index), part.state, "final states")
                expect(
                    whole.gradients.initialState.scan(index), part.gradients.initialState, "initial states' gradient")
                for entry in part.parameters.layout.entries {
                    let name = entry.name + ["", "_reverse"][index]
                    expect(whole.gradients.parameters[name], part.gradients.parameters[entry.name], name)
                }
            }
        }
    }

    @Test(arguments: cases, Backend.available)
    func backwardIsForwardOverReversedSequences(_ test: Case, _ backend: Backend) {
        var configuration = test.configuration
        configuration.direction = .backward
        let backward = LawPass(configuration, test.lengths, backend)
        let packing = backward.packing
        let forward = LawPass(
            Network(test.configuration, backward.parameters, backend: backend), packing,
            packing.reversed(backward.x), initial: backward.initial, dOutputs: packing.reversed(backward.dOutputs),
            dState: backward.dState)
        expect(backward.outputs, packing.reversed(forward.outputs), "outputs")
        expect(backward.state, forward.state, "final states")
        expect(backward.gradients.parameters.values, forward.gradients.parameters.values, "parameters' gradient")
        expect(backward.gradients.inputs!, packing.reversed(forward.gradients.inputs!), "inputs' gradient")
        expect(backward.gradients.initialState, forward.gradients.initialState, "initial states' gradient")
    }

    private func expect(_ a: Matrix<Double>, _ b: Matrix<Double>, _ what: String) {
        let difference = relativeDifference(a, b)
        #expect(difference < Self.tolerance, "\(what): \(difference)")
    }

    private func expect(_ a: State<Double>, _ b: State<Double>, _ what: String) {
        for (a, b) in zip(a.matrices, b.matrices) { expect(a, b, what) }
    }
}
