/// The gate kernels of one step for B sequences and H units, and what bounds them from below: what `bench kernels` times.
///
/// A kernel cannot be faster than its functions (sigmoid and tanh, by this library's own vector code, on as many numbers
/// that are in the cache) and the transport of its operands (a copy of as many bytes). The floor is their sum; it may be
/// beaten where both overlap.
package struct KernelTrial<S: Scalar> {
    /// A kernel, or the two of a step that has two.
    package enum Step: String, CaseIterable, Sendable {
        case gruAfter = "gru.resetAfter"
        case gruBefore = "gru.resetBefore"
        case lstm = "lstm.standard"
        case rnn = "rnn.tanh"
    }

    private let step: Step
    private let isForward: Bool
    private let engine = Engine<S>(backend: .default, level: .best)
    private let tape: Matrix<S> // [B, 4H]
    private let products: Matrix<S> // [B, 3H] hu, or in its columns the gradients dy, dh, dc
    private let states: Matrix<S> // [3B, H] before the step, after it, and the cell's after it
    private let vectors: Matrix<S> // [2, 4H] biases, and sums over rows
    private let values: Matrix<S> // [1, functions of the step]
    private let copy: Matrix<S> // [2, half of the operands]

    package init(_ step: Step, sequences: Int, hidden: Int, forward: Bool) {
        var random = Random(seed: 1)
        func uniform(_ rows: Int, _ columns: Int) -> Matrix<S> {
            Matrix(rows: rows, columns: columns, (0..<rows * columns).map { _ in S(random.uniform() - 0.5) })
        }
        let units = sequences * hidden
        let operands = forward ? step.forwardOperands : step.backwardOperands
        self.step = step
        isForward = forward
        tape = uniform(sequences, 4 * hidden)
        products = uniform(3 * sequences, hidden)
        states = uniform(3 * sequences, hidden)
        vectors = uniform(2, 4 * hidden)
        values = uniform(1, forward ? max(step.sigmoids, step.tanhs) * units : units)
        copy = uniform(2, operands * units / 2)
    }

    /// The kernel's step. Repeated, it goes on from what it left.
    package func compute() { isForward ? forward() : backward() }

    /// The functions that it evaluates.
    package func functions() {
        let units = tape.rows * states.columns, values = values.view
        unsafe engine.kernels.sigmoid(sigmoids * units, values.base, values.base)
        unsafe engine.kernels.tanh(tanhs * units, values.base, values.base)
    }

    /// A copy of half as many numbers as it reads and writes.
    package func transport() { copy.view.row(0).copy(copy.view.row(1)) }

    /// How often a unit's step evaluates a function: an LSTM computes tanh of the cell state again on the way back.
    private var sigmoids: Int { isForward ? step.sigmoids : 0 }
    private var tanhs: Int { isForward ? step.tanhs : step == .lstm ? 1 : 0 }

    private func forward() {
        let rows = tape.rows, H = states.columns, tape = tape.view
        let bias = vectors.view.row(0), previous = states.view.rows(0..<rows), next = states.view.rows(rows..<2 * rows)
        func hu(_ columns: Int) -> MatrixView<S> { products.view.reshaped(rows: rows, columns: columns) }
        switch step {
        case .gruAfter: engine.gruAfterForward(tape: tape, hu: hu(3 * H), bias: bias, previous: previous, next: next)
        case .gruBefore:
            engine.gruBeforeGates(tape: tape, hu: hu(2 * H), bias: bias, previous: previous)
            engine.gruBeforeUpdate(
                flipped: false, tape: tape, hu: hu(H), bias: bias, previous: previous, next: next)
        case .lstm:
            engine.lstmForward(
                gates: tape, bias: bias, peepholes: nil, cell: previous,
                nextCell: states.view.rows(2 * rows..<3 * rows),
                output: next)
        case .rnn:
            engine.rnnForward(.tanh, tape: tape.reshaped(rows: rows, columns: H), bias: bias.columns(0..<H), next: next)
        }
    }

    private func backward() {
        let rows = tape.rows, H = states.columns, tape = tape.view
        let sums = vectors.view.row(1), previous = states.view.rows(0..<rows)
        let dy = products.view.rows(0..<rows), dh = products.view.rows(rows..<2 * rows)
        let dc = products.view.rows(2 * rows..<3 * rows)
        switch step {
        case .gruAfter: engine.gruAfterBackward(tape: tape, previous: previous, dy: dy, dh: dh, dbias: sums)
        case .gruBefore:
            engine.gruBeforeUpdateBackward(
                flipped: false, tape: tape, previous: previous, dy: dy, dh: dh, dbias: sums)
            engine.gruBeforeGatesBackward(tape: tape, previous: previous, dq: dc, dh: dh, dbias: sums)
        case .lstm:
            engine.lstmBackward(
                gates: tape, nextCell: states.view.rows(2 * rows..<3 * rows), cell: previous, peepholes: nil, dy: dy,
                dh: dh, dc: dc, dbias: sums, dpeepholes: nil)
        case .rnn:
            engine.rnnBackward(
                .tanh, tape: tape.reshaped(rows: rows, columns: H), dy: dy, dh: dh, dbias: sums.columns(0..<H))
        }
    }
}

/// What a unit's step costs at least. Biases and sums stay in the first-level cache and are not counted.
extension KernelTrial.Step {
    fileprivate var sigmoids: Int {
        switch self {
        case .gruAfter, .gruBefore: 2
        case .lstm: 3
        case .rnn: 0
        }
    }

    fileprivate var tanhs: Int { self == .lstm ? 2 : 1 }

    /// Numbers read and written going forward: of the tape, the products, the states.
    fileprivate var forwardOperands: Int {
        switch self {
        case .gruAfter: 3 + 4 + 3 + 2 // n r z and q, hu, h and h'
        case .gruBefore: (2 + 3 + 2 + 1) + (2 + 1 + 1 + 2) // r z and q, hu, h; then n z, hu, h and h'
        case .lstm: 4 + 4 + 3 // the gates, c, c' and h'
        case .rnn: 1 + 1 + 1 // a, h'
        }
    }

    /// And going back.
    fileprivate var backwardOperands: Int {
        switch self {
        case .gruAfter: 4 + 4 + 1 + 1 + 2 // the tape, h, dy, dh
        case .gruBefore: (2 + 2 + 1 + 1 + 2) + (1 + 1 + 1 + 1 + 2) // n z, h, dy, dh; then r, h, dq, dh
        case .lstm: 4 + 4 + 2 + 2 + 2 // the gates, c and c', dy dh, dc
        case .rnn: 1 + 1 + 2 // a, dy dh
        }
    }
}
