import Sluice

/// One measured line. Times in seconds; what was not measured is nil.
///
/// Ratio and speeds are of the shortest times: on a machine that does other things too, those were disturbed least.
struct Row {
    let job: Job
    var openBLAS: Timing?
    var naive: Timing?
    /// OpenBLAS's own product, measured between this line's passes.
    var product: Timing?
    /// The largest difference between the two backends' results, and how large it may be.
    var difference: Double?
    var bound: Double?
    /// The steps of the passes whose results were compared: fewer than the shape's where naive Swift was left out.
    var comparedSteps: Int?

    /// How many times faster OpenBLAS is.
    var ratio: Double? { openBLAS.flatMap { fast in naive.map { $0.min / fast.min } } }
    /// Of OpenBLAS or, in a build without it, of naive Swift.
    var gflops: Double? { (openBLAS ?? naive).map { job.flops / $0.min / 1e9 } }
    var productGflops: Double? { product.map { Product.flops / $0.min / 1e9 } }
    var shareOfProduct: Double? { gflops.flatMap { gflops in productGflops.map { gflops / $0 } } }
    /// False for NaN.
    var isWithinBound: Bool { difference.map { $0 <= bound ?? 0 } ?? true }
}

extension Row {
    /// Notes the largest difference, of gradients in units of the largest gradient. NaN if there is one, or if one result
    /// has more numbers than the other.
    mutating func compare<S: Scalar>(_ fast: [S], _ naive: [S], _ job: Job) {
        var largest = 0.0, largestDifference = fast.count == naive.count ? 0 : Double.nan
        for (a, b) in zip(fast, naive) {
            let distance = abs(Double(a) - Double(b))
            // Once NaN, it stays.
            if !(distance <= largestDifference) && !largestDifference.isNaN { largestDifference = distance }
            largest = max(largest, abs(Double(b)))
        }
        difference = job.pass == .training ? largestDifference / largest : largestDifference
        bound = job.bound
        comparedSteps = job.shape.steps
    }
}

extension Row: Encodable {
    private enum Key: CodingKey {
        case shape, pass, scalar, form, openBLAS, naive, product, ratio, gflops, productGflops, shareOfProduct
        case difference, bound, comparedSteps, isWithinBound
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(job.shape, forKey: .shape)
        try container.encode(job.pass, forKey: .pass)
        try container.encode(job.scalar, forKey: .scalar)
        try container.encode(job.form, forKey: .form)
        try container.encodeIfPresent(openBLAS, forKey: .openBLAS)
        try container.encodeIfPresent(naive, forKey: .naive)
        try container.encodeIfPresent(product, forKey: .product)
        try container.encodeIfPresent(ratio, forKey: .ratio)
        try container.encodeIfPresent(gflops, forKey: .gflops)
        try container.encodeIfPresent(productGflops, forKey: .productGflops)
        try container.encodeIfPresent(shareOfProduct, forKey: .shareOfProduct)
        try container.encodeIfPresent(difference, forKey: .difference)
        try container.encodeIfPresent(bound, forKey: .bound)
        try container.encodeIfPresent(comparedSteps, forKey: .comparedSteps)
        try container.encode(isWithinBound, forKey: .isWithinBound)
    }
}
