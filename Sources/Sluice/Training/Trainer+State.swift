/// Sequences longer than a step of training: states that are carried from one to the next, as values without a gradient.
extension Trainer {
    /// One step of training on a batch, from given initial states.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - targets: what the outputs should be: in their shape, or as the loss says.
    ///   - packing: the lengths of the sequences.
    ///   - state: in, the initial states; out, the final ones, each sequence's after its own last step. They are computed with
    ///     the parameters before the update, and stay as they were where the loss is not finite.
    /// - Returns: as ``step(_:_:_:)``.
    @discardableResult
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func step(
        _ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing, state: inout State<S>
    ) -> S {
        // Moved and not copied, so that it is written in place.
        var carried: State<S>? = consume state
        let value = step(x.view, targets.view, packing, state: &carried)
        state = carried!
        return value
    }

    /// Truncated backpropagation through time: a batch of long sequences in windows of so many steps, one update a window,
    /// each window from the states that the one before left. No gradient passes from a window to the one before.
    ///
    /// A window is a batch of its own of the sequences that have not ended: its loss is divided by its own sequences, rows or
    /// weights. With a window of all steps this is ``step(_:_:_:state:)``.
    ///
    /// - Parameters:
    ///   - x: the inputs, `[N, I]`.
    ///   - targets: a row a step, `[N, O]` or as the loss says; the network's head, if it has one, must be on every step.
    ///   - packing: the lengths of the sequences.
    ///   - window: the steps of a window; the last one has what is left.
    ///   - state: in, the initial states; out, each sequence's after its own last step.
    /// - Returns: each window's loss before its update. After one that is not finite there are no more windows: parameters and
    ///   states are those before it. A window of which no row counts is passed through without an update; its loss is not a number.
    /// - Precondition: ``validate(_:window:)`` throws nothing, and the states are the network's.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public mutating func truncatedSteps(
        _ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing, window: Int, state: inout State<S>
    ) -> [S] {
        require(noProblem: problem(ofWindows: window, x, targets, packing))
        network.check(state, sequences: packing.sequenceCount)
        if windows?.packing != packing || windows?.steps != window { windows = Windows(packing, steps: window) }
        var losses: [S] = []
        losses.reserveCapacity(windows!.all.count)
        var carried: State<S>? = state.rows(packing.order[...])
        for window in windows!.all {
            let alive = window.packing.sequenceCount, before = carried!.sequenceCount
            if alive < before {
                state.setRows(packing.order[..<before], carried!)
                carried = state.rows(packing.order[..<alive])
            }
            losses.append(
                step(x.view.rows(window.rows), targets.view.rows(window.rows), window.packing, state: &carried))
            if !losses[losses.count - 1].isFinite && hasCountedRows { break }
        }
        state.setRows(packing.order[..<carried!.sequenceCount], carried!)
        return losses
    }

    /// What keeps a batch from being taken in windows, in words.
    func problem(
        ofWindows window: Int, _ x: Matrix<S>, _ targets: Matrix<S>, _ packing: Packing
    ) -> String? {
        let configuration = network.configuration, rows = packing.rowCount
        if window < 1 { return "windows of \(window) steps: at least 1 is needed" }
        if configuration.direction != .forward {
            return
                "windows of a network that runs \(configuration.direction.rawValue): a scan back through time begins at the end"
        }
        if configuration.isSummedUp {
            return
                "windows of a network whose head is on \(configuration.head?.steps.rawValue ?? "") and not on every step"
        }
        return x.rows == rows && targets.rows == rows
            ? nil : "inputs of \(x.rows) and targets of \(targets.rows) rows for \(rows) steps"
    }
}

/// A batch cut in windows of time. As rows are time-major, a window is a run of them, and the packing of its own sequences.
struct Windows: Sendable {
    let packing: Packing
    let steps: Int
    let all: [Window]

    struct Window: Sendable {
        let rows: Range<Int>
        /// Of the sequences that have not ended, in the order of the batch's packing.
        let packing: Packing
    }

    init(_ packing: Packing, steps: Int) {
        self.packing = packing
        self.steps = steps
        all = stride(from: 0, to: packing.stepCount, by: steps).map { start in
            let end = min(start + steps, packing.stepCount)
            let lengths = packing.order.prefix(packing.aliveCount(at: start)).map {
                min(packing.lengths[$0], end) - start
            }
            return Window(rows: packing.rows(of: start..<end), packing: Packing(lengths: lengths))
        }
    }
}
