/// Workers that are threads of this process.
///
///     let trainers = ThreadAllReduce<Float>.run(4) { rank, member in
///         var trainer = trainer
///         trainer.allReduce = member
///         for part in parts[rank] { trainer.step(part) }
///         return trainer
///     }
///
/// Each worker adds up one part of the arrays, worker by worker in their order, and writes the sums to all of them;
/// nothing is allocated.
///
/// Workers wait for each other, so each needs a thread of its own: `run` makes them. Tasks share the threads of a pool, of which
/// there may be fewer; there `await ThreadAllReduce.run` keeps none of them waiting.
public final class ThreadAllReduce<S: Scalar>: AllReduce {
    private let rank: Int
    private let group: WorkerGroup<S>

    private init(rank: Int, _ group: WorkerGroup<S>) {
        self.rank = rank
        self.group = group
    }

    /// The ends of so many workers, whose threads are the caller's.
    ///
    /// - Parameters:
    ///   - count: at least 1.
    ///   - patience: how long one waits for the others. One who does not come then never will (too few threads, fewer steps,
    ///     a thread that has ended), and the program stops with words that name it.
    public static func members(_ count: Int, patience: Duration = .seconds(1800)) -> [ThreadAllReduce] {
        require(count >= 1, "\(count) workers")
        let group = WorkerGroup<S>(count, patience: patience / .seconds(1))
        return (0..<count).map { ThreadAllReduce(rank: $0, group) }
    }

    /// Runs so many workers, each in a thread of its own, and returns what they return, in their order.
    ///
    /// - Parameters:
    ///   - count: at least 1.
    ///   - patience: as of ``members(_:patience:)``. A worker that returns while another waits for it, as it takes fewer steps,
    ///     stops the program with words at once.
    ///   - body: what a worker does; it gives its end to its trainer.
    /// - Throws: what a worker threw first. The others then get sums that are NaN, which no trainer follows, and do not wait.
    public static func run<R: Sendable, E: Error>(
        _ count: Int, patience: Duration = .seconds(1800),
        _ body: @escaping @Sendable (_ rank: Int, _ member: ThreadAllReduce) throws(E) -> R
    ) throws(E) -> [R] {
        let members = members(count, patience: patience)
        return try OwnThreads.run(count) { rank throws(E) in try members[rank].perform(body) }
    }

    /// The same from a task, without keeping a thread of its pool waiting.
    public static func run<R: Sendable, E: Error>(
        _ count: Int, patience: Duration = .seconds(1800),
        _ body: @escaping @Sendable (_ rank: Int, _ member: ThreadAllReduce) throws(E) -> R
    ) async throws(E) -> [R] {
        let members = members(count, patience: patience)
        return try await OwnThreads.run(count) { rank throws(E) in try members[rank].perform(body) }
    }

    private func perform<R, E: Error>(_ body: (Int, ThreadAllReduce) throws(E) -> R) throws(E) -> R {
        do throws(E) {
            let result = try body(rank, self)
            group.end(rank, failed: false)
            return result
        } catch {
            group.end(rank, failed: true)
            throw error
        }
    }

    /// Replaces numbers by their sums over all workers; waits for the others.
    @specialized(where S == Float)
    @specialized(where S == Double)
    public func sum(_ values: inout Matrix<S>) { group.sum(values.mutableView(), rank) }
}

/// What the workers share.
private final class WorkerGroup<S: Scalar>: @unchecked Sendable {
    /// The arrays of a sum under way; each worker writes its own entry between the barriers.
    private var arrays: [MatrixView<S>]
    /// How often each has met the others.
    private var meetings: [Int]
    private var hasEnded: [Bool]
    private var hasFailed = false
    private let barrier: Barrier
    private let patience: Seconds

    init(_ count: Int, patience: Seconds) {
        arrays = Array(repeating: .empty, count: count)
        meetings = Array(repeating: 0, count: count)
        hasEnded = Array(repeating: false, count: count)
        barrier = Barrier(count)
        self.patience = patience
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    func sum(_ values: MatrixView<S>, _ rank: Int) {
        guard meet(rank, values) else { return values.fill(.nan) }
        for (other, array) in arrays.enumerated() {
            require(
                array.rows == 1 && array.columns == values.columns,
                "worker \(other) adds \(array.rows) x \(array.columns) numbers where worker \(rank) adds \(values.rows) x "
                    + "\(values.columns): all must train the same network and take the same steps")
        }
        let part = part(rank, of: values.columns)
        for column in part {
            var sum = arrays[0][0, column]
            for index in 1..<arrays.count { sum += arrays[index][0, column] }
            for index in arrays.indices { arrays[index][0, column] = sum }
        }
        if !meet(rank, values) { values.fill(.nan) }
    }

    /// Waits for the others; false: one of them has failed.
    private func meet(_ rank: Int, _ values: MatrixView<S>) -> Bool {
        barrier.withLock {
            arrays[rank] = values
            meetings[rank] += 1
        }
        let outcome = barrier.wait(patience: patience)
        if outcome == .met { return true }
        if barrier.withLock({ hasFailed }) { return false }
        stop(problem(rank, isLate: outcome == .late))
    }

    /// A worker has returned, or thrown.
    func end(_ rank: Int, failed: Bool) {
        barrier.withLock {
            hasEnded[rank] = true
            hasFailed = hasFailed || failed
        }
        barrier.breakUp()
    }

    /// Why a worker waits in vain.
    private func problem(_ rank: Int, isLate: Bool) -> String {
        barrier.withLock {
            let absent = meetings.indices.filter { meetings[$0] < meetings[rank] }
            let names = absent.map { "\($0)" }.joined(separator: ", ")
            let who = "worker \(rank) of \(meetings.count), counted from 0,"
            if absent.contains(where: { hasEnded[$0] }) {
                return "\(who) waits for \(names), which has ended: each must take as many steps, and evaluate as often"
            }
            return "\(who) has waited \(patience) s for \(names), which did not come: each needs a thread of its own "
                + "(ThreadAllReduce.run makes them; a pool of tasks may have fewer), and must take as many steps"
        }
    }

    /// A worker's part of the columns: whole cache lines.
    private func part(_ rank: Int, of count: Int) -> Range<Int> {
        let line = 64 / MemoryLayout<S>.stride, lines = (count + line - 1) / line
        func start(_ rank: Int) -> Int { min(lines * rank / arrays.count * line, count) }
        return start(rank)..<start(rank + 1)
    }
}
