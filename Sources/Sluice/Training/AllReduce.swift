/// Where the gradients of several workers meet: each trains the same network, from the same parameters, on its part of
/// every batch, and follows the sum.
///
/// An implementation is one worker's end of the connection. Each worker calls ``sum(_:)`` as often as the others and
/// with as many numbers; so each must take as many steps, accumulate as many batches for each, and evaluate as often.
public protocol AllReduce<S>: Sendable {
    associatedtype S: Scalar

    /// Replaces numbers by their sums over all workers: the same bits for each of them, and each time.
    ///
    /// - Parameter values: `[1, count]`; nobody else holds it, so that it may be written in place.
    func sum(_ values: inout Matrix<S>)
}

/// Workers that are threads of this process.
///
///     let members = ThreadAllReduce<Float>.members(4)
///     // in each of four threads
///     trainer.allReduce = members[rank]
///     trainer.step(part)
///
/// Each worker adds up one part of the arrays, worker by worker in their order, and writes the sums to all of them;
/// nothing is allocated. A worker that waits for one which does not come waits for ever.
public final class ThreadAllReduce<S: Scalar>: AllReduce {
    private let rank: Int
    private let group: Group<S>

    private init(rank: Int, _ group: Group<S>) {
        self.rank = rank
        self.group = group
    }

    /// The ends of so many workers.
    public static func members(_ count: Int) -> [ThreadAllReduce] {
        require(count >= 1, "\(count) workers")
        let group = Group<S>(count)
        return (0..<count).map { ThreadAllReduce(rank: $0, group) }
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    public func sum(_ values: inout Matrix<S>) { group.sum(values.mutableView(), rank) }
}

/// What the workers share.
private final class Group<S: Scalar>: @unchecked Sendable {
    /// The arrays of a sum under way; each worker writes its own entry between the barriers.
    private var arrays: [MatrixView<S>]
    private let barrier: Barrier

    init(_ count: Int) {
        arrays = Array(repeating: .empty, count: count)
        barrier = Barrier(count)
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    func sum(_ values: MatrixView<S>, _ rank: Int) {
        barrier.withLock { arrays[rank] = values }
        barrier.wait()
        for array in arrays {
            require(
                array.rows == 1 && array.columns == values.columns,
                "workers that add \(array.rows) x \(array.columns) numbers to \(values.rows) x \(values.columns)")
        }
        let part = part(rank, of: values.columns)
        for column in part {
            var sum = arrays[0][0, column]
            for index in 1..<arrays.count { sum += arrays[index][0, column] }
            for index in arrays.indices { arrays[index][0, column] = sum }
        }
        barrier.wait()
    }

    /// A worker's part of the columns: whole cache lines.
    private func part(_ rank: Int, of count: Int) -> Range<Int> {
        let line = 64 / MemoryLayout<S>.stride, lines = (count + line - 1) / line
        func start(_ rank: Int) -> Int { min(lines * rank / arrays.count * line, count) }
        return start(rank)..<start(rank + 1)
    }
}
