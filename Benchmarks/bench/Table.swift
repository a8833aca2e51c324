/// The table for people.
enum Table {
    private static let columns: [(title: String, width: Int)] = [
        ("B,T,I,H", -16), ("pass", -8), ("scalar", -6), ("BLAS min", 8), ("median", 8), ("naive min", 9), ("median", 8),
        ("ratio", 6), ("GFLOP/s", 7), ("of gemm", 7), ("difference", 10), ("bound", 7),
    ]

    static var header: String { Text.row(columns.map(\.title), columns.map(\.width)) }

    static func line(_ row: Row) -> String {
        let difference = row.difference.map { Text.scientific($0) + (row.isWithinBound ? "" : "!") }
        let mark = row.comparedSteps.map { $0 < row.job.shape.steps ? "*" : "" } ?? ""
        let cells: [String] = [
            row.job.shape.description, row.job.pass.rawValue, row.job.scalar.rawValue,
            row.openBLAS.map { Text.time($0.min) } ?? "-", row.openBLAS.map { Text.time($0.median) } ?? "-",
            row.naive.map { Text.time($0.min) } ?? "-", row.naive.map { Text.time($0.median) } ?? "-",
            row.ratio.map { Text.significant($0, 3) } ?? "-", row.gflops.map { Text.significant($0, 3) } ?? "-",
            row.shareOfProduct.map { Text.significant($0 * 100, 2) + " %" } ?? "-",
            difference.map { mark + $0 } ?? "-", row.bound.map(Text.scientific) ?? "-",
        ]
        return Text.row(cells, columns.map(\.width))
    }

    static func legend(_ plan: Plan) -> String {
        let naiveLimit = plan.longestNaivePass < .infinity ? "\(Int(plan.longestNaivePass)) s" : "any time"
        let size = Product.size
        return """
            min, median  time of a pass; samples of at least \(Int(1000 * plan.sampleSeconds)) ms, OpenBLAS, naive Swift and \
            gemm in turns
            ratio        naive min / BLAS min
            GFLOP/s      at min: two operations for each weight and row, 2 B T 3H (I + H) for the GRU forward, 2 B T 3H (2 I + 3 H) \
            in training (no gradient of the inputs)
            of gemm      GFLOP/s / those of OpenBLAS's \(size) x \(size) x \(size) product on as many threads; small \
            products can be faster
            difference   forward: the outputs' largest; training: the gradient's largest / the largest gradient;
                         * from passes of two steps, as one of all steps takes naive Swift longer than \(naiveLimit) \
            (--full)
            bound        2 n eps, n = I + H forward, I + 4H + B T in training for the GRU; a difference above it fails the run (!)
            training     Trainer.step with a head of one output, half the squared error and Adam
            """
    }
}
