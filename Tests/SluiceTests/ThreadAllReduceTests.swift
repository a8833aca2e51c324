import Foundation
import TestSupport
import Testing

@testable import Sluice

@Suite struct ThreadAllReduceTests {
    private struct Failure: Error {}

    private static func sum(_ member: ThreadAllReduce<Double>, _ value: Double, columns: Int = 3) -> Double {
        var values = Matrix<Double>(rows: 1, columns: columns)
        for column in 0..<columns { values[0, column] = value }
        member.sum(&values)
        return values[0, columns - 1]
    }

    @Test func runGivesEachAThread() {
        let sums = ThreadAllReduce<Double>.run(5) { rank, member in
            (0..<100).map { Self.sum(member, Double(rank + $0)) }
        }
        let expected: [Double] = (0..<100).map { Double(10 + 5 * $0) }
        for worker in sums { #expect(worker == expected) }
    }

    /// More workers than any pool has threads, from a task.
    @Test(.timeLimit(.minutes(60))) func runFromATask() async {
        let count = 3 * ProcessInfo.processInfo.activeProcessorCount + 1
        let sums = await ThreadAllReduce<Double>.run(count) { rank, member in Self.sum(member, Double(rank)) }
        let expected = Double(count * (count - 1) / 2)
        #expect(sums == [Double](repeating: expected, count: count))
    }

    /// What one throws is thrown; the others do not wait for it, and what they add up is not followed.
    @Test(.timeLimit(.minutes(60))) func oneThatThrowsKeepsNobodyWaiting() async throws {
        let body: @Sendable (Int, ThreadAllReduce<Double>) throws(Failure) -> Double = {
            (rank, member) throws(Failure) in
            let first = Self.sum(member, 1)
            if rank == 1 { throw Failure() }
            #expect(first == 3)
            // More often than there are workers: one who comes again does not stand for the one who is gone.
            for _ in 0..<5 { #expect(Self.sum(member, 1).isNaN) }
            return first
        }
        #expect(throws: Failure.self) { try Self.runInThisThread(body) }
        await #expect(throws: Failure.self) { _ = try await ThreadAllReduce<Double>.run(3, body) }
    }

    private static func runInThisThread(
        _ body: @escaping @Sendable (Int, ThreadAllReduce<Double>) throws(Failure) -> Double
    ) throws(Failure) {
        _ = try ThreadAllReduce<Double>.run(3, body)
    }

    /// As many tasks as there are workers, on a pool of fewer threads.
    @Test(.timeLimit(.minutes(60))) func tasksOfAPoolThatIsTooSmallAreTold() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let count = 3 * ProcessInfo.processInfo.activeProcessorCount + 1
            let members = ThreadAllReduce<Double>.members(count, patience: .seconds(1))
            await withTaskGroup(of: Double.self) { group in
                for member in members { group.addTask { Self.sum(member, 1) } }
            }
        }
        #expect(result.says("has waited 1.0 s for "))
        #expect(result.says("which did not come: each needs a thread of its own (ThreadAllReduce.run makes them"))
    }

    @Test(.timeLimit(.minutes(60))) func fewerStepsAreTold() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = await ThreadAllReduce<Double>.run(2) { rank, member in
                for _ in 0..<3 - rank { _ = Self.sum(member, 1) }
            }
        }
        #expect(
            result.says("worker 0 of 2, counted from 0, waits for 1, which has ended: each must take as many steps"))
    }

    @Test(.timeLimit(.minutes(60))) func otherNumbersAreTold() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = await ThreadAllReduce<Double>.run(2) { rank, member in Self.sum(member, 1, columns: 3 + rank) }
        }
        #expect(result.says("1 x 3 numbers") || result.says("1 x 4 numbers"))
        #expect(result.says("all must train the same network and take the same steps"))
    }
}
