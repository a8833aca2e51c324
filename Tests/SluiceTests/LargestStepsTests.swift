import Testing
import TestSupport

@testable import Sluice

/// The steps at which a head on the largest values met them, where a scalar would round their numbers.
@Suite struct LargestStepsTests {
    /// Steps beside one another beyond Float's 2^24 and Double's 2^53: the gradient goes to the one that was met, and to none of
    /// its neighbours.
    @Test(arguments: [0, 1 << 24, 1 << 53]) func stepsBesideOneAnotherAreToldApart(_ first: Int) {
        check(Float.self)
        check(Double.self)

        func check<S: Scalar>(_: S.Type) {
            let columns = 5
            var room = Matrix<S>(rows: 2, columns: LargestSteps<S>.scalars(columns: columns))
            let steps = LargestSteps(room.mutableView(), columns: columns)
            var largest = Matrix<S>(rows: 2, columns: columns, Array(repeating: -.infinity, count: 2 * columns))
            // Number j is largest at step first + j, of the second sequence at first + 4 - j.
            for step in 0..<columns {
                let values = Matrix<S>(
                    rows: 2, columns: columns,
                    (0..<2 * columns).map { ($0 < columns ? $0 : 2 * columns - 1 - $0) == step ? 1 : 0 })
                largest.mutableView().raise(to: values.view, step: first + step, steps: steps)
                withExtendedLifetime(values) {}
            }
            let gradient = Matrix<S>(rows: 2, columns: columns, (1...2 * columns).map { S($0) })
            for step in 0..<columns {
                var taken = Matrix<S>(rows: 2, columns: columns)
                taken.mutableView().take(gradient.view, whereEqual: steps, step: first + step)
                for j in 0..<columns {
                    #expect(taken[0, j] == (j == step ? gradient[0, j] : 0), "\(S.self)")
                    #expect(taken[1, j] == (columns - 1 - j == step ? gradient[1, j] : 0), "\(S.self)")
                }
            }
            withExtendedLifetime((room, largest, gradient)) {}
        }
    }

    /// Sequences that have ended keep what they have.
    @Test func onlySequencesWithAStepAreRaised() {
        var room = Matrix<Float>(rows: 2, columns: LargestSteps<Float>.scalars(columns: 1))
        let steps = LargestSteps(room.mutableView(), columns: 1)
        var largest = Matrix<Float>(rows: 2, columns: 1, [-.infinity, -.infinity])
        let both = Matrix<Float>(rows: 2, columns: 1, [1, 2]), one = Matrix<Float>(rows: 1, columns: 1, [3])
        largest.mutableView().raise(to: both.view, step: 0, steps: steps)
        largest.mutableView().raise(to: one.view, step: 1, steps: steps)
        #expect(largest.elements == [3, 2] && steps[0, 0] == 1 && steps[1, 0] == 0)
        withExtendedLifetime((room, both, one)) {}
    }

    /// A whole pass over more steps than Float counts; it takes 2 GB and a minute or two, so it runs only with SLUICE_EXHAUSTIVE.
    @Test(.enabled(if: FunctionTests.isExhaustive)) func theGradientOfALongSequenceGoesToItsLargestStep() {
        let last = 1 << 24 + 1, packing = Packing(sequences: 1, steps: last + 1)
        let configuration = Configuration(
            cell: .rnn(.tanh), inputSize: 1, hiddenSize: 1, biases: Biases.none, head: Head(outputSize: 1, steps: .max))
        var parameters = Parameters<Float>(ParameterLayout(configuration))
        parameters["weight_ih_l0"] = Matrix(rows: 1, columns: 1, [1])
        parameters["head.weight"] = Matrix(rows: 1, columns: 1, [1])
        var x = Matrix<Float>(rows: packing.rowCount, columns: 1)
        x[last, 0] = 0.5
        let gradients = Network(configuration, parameters).record(x, packing)
            .backward(outputs: Matrix(rows: 1, columns: 1, [1]))
        gradients.inputs!.withSpan { span in
            #expect(span.indices.filter { span[$0] != 0 } == [last])
        }
    }
}
