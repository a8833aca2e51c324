import Sluice
import Testing

@testable import bench

/// A difference above its bound fails a run: what counts as one.
@Suite struct RowTests {
    private func row(_ fast: [Double], _ naive: [Double], _ pass: Job.Pass = .forward) -> Row {
        let job = Job(shape: Shape(2, 3, 4, 5), pass: pass, scalar: .double, form: .plain)
        var row = Row(job: job)
        row.compare(fast, naive, job)
        return row
    }

    @Test func whatIsWithinTheBoundPasses() {
        let bound = row([], []).bound!
        // I + H terms, each off by one unit, in both results.
        #expect(bound == 2 * 9 * Double.ulpOfOne)
        #expect(row([1, -0.5], [1, -0.5]).isWithinBound)
        #expect(row([bound, 1], [0, 1]).isWithinBound)
        #expect(!row([bound.nextUp, 1], [0, 1]).isWithinBound)
    }

    @Test func gradientsAreComparedWithTheLargest() {
        let bound = row([], [], .training).bound!
        #expect(row([1000 + 500 * bound, 0], [1000, 0], .training).isWithinBound)
        #expect(!row([1000, 1500 * bound], [1000, 0], .training).isWithinBound)
    }

    @Test(arguments: Job.Pass.allCases) func whatCannotBeComparedFails(pass: Job.Pass) {
        #expect(!row([.nan, 1], [1, 1], pass).isWithinBound)
        #expect(!row([1, 1], [1, .nan], pass).isWithinBound)
        #expect(!row([1, .nan, 1], [1, 1, 1], pass).isWithinBound)
        #expect(!row([.infinity], [1], pass).isWithinBound)
        #expect(!row([1], [1, 2], pass).isWithinBound)
    }

    @Test func withoutOpenBLASNothingIsCompared() {
        let job = Job(shape: Shape(1, 1, 1, 1), pass: .forward, scalar: .float, form: .plain)
        #expect(Row(job: job).isWithinBound)
    }
}

extension Form {
    /// One layer of the GRU that is measured by default.
    fileprivate static let plain = Form(
        cell: .gru(.resetAfter), direction: .forward, layers: 1, projection: nil, isRagged: false)
}
