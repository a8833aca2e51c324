import Sluice

/// Measures lines: OpenBLAS, naive Swift and the yardstick in turns, so that a machine that slows down slows all three.
struct Comparison {
    let plan: Plan
    let workers: Workers

    init(plan: Plan, threads: Int) {
        self.plan = plan
        workers = Workers(threads: threads)
    }

    func measure(_ job: Job) -> Row {
        switch job.scalar {
        case .float: measure(job, Float.self)
        case .double: measure(job, Double.self)
        }
    }

    private func measure<S: Scalar>(_ job: Job, _ scalar: S.Type) -> Row {
        var row = Row(job: job)
        let problem = Problem<S>(job)
        let leastTurns = plan.rounds.lowerBound
        let fastWork = Backend.openBLAS.isAvailable ? Work(job, problem, .openBLAS, workers) : nil
        let naiveWork = isNaiveTooSlow(job, scalar, &row) ? nil : Work(job, problem, .reference, workers)

        var fast = fastWork.map { Side($0.pass, leastTurns: leastTurns) }
        var naive = naiveWork.map { Side($0.pass, leastTurns: 1) }
        var product = Product.pass(job.scalar, threads: workers.threads).map { Side($0, leastTurns: leastTurns) }
        fast?.begin()
        naive?.begin()
        product?.begin()
        if let fastWork, let naiveWork { row.compare(fastWork.result(), naiveWork.result(), job) }

        fast?.settle(plan)
        naive?.settle(plan)
        product?.settle(plan)
        for _ in 0..<plan.rounds.upperBound {
            fast?.takeTurn(plan)
            naive?.takeTurn(plan)
            product?.takeTurn(plan)
        }
        row.openBLAS = fast?.timing
        row.naive = naive?.timing
        row.product = product?.timing
        return row
    }

    /// Whether one naive pass would take longer than the plan allows, judged by one of two steps: its cost is linear in
    /// the steps. If so, the results are compared on those two.
    private func isNaiveTooSlow<S: Scalar>(_ job: Job, _ scalar: S.Type, _ row: inout Row) -> Bool {
        guard job.shape.steps > 2, job.flops > 1e9, plan.longestNaivePass < .infinity else { return false }
        var short = job
        short.shape.steps = 2
        let problem = Problem<S>(short)
        let naive = Work(short, problem, .reference, workers)
        let seconds = ContinuousClock().measure { naive.pass() } / .seconds(1)
        guard seconds * job.flops / short.flops > plan.longestNaivePass else { return false }
        if Backend.openBLAS.isAvailable {
            let fast = Work(short, problem, .openBLAS, workers)
            fast.pass()
            row.compare(fast.result(), naive.result(), short)
        }
        return true
    }
}
