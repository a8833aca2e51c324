/// What passes over a batch cost: operations, and the memory that they keep. A number of every matrix is counted as it is
/// allocated; the lists of rows beside them are not.
struct PassCosts: Equatable {
    /// Multiplications and additions of the matrix products.
    let flops: Int
    /// Bytes: the parameters; their gradient and Adam's moments; the weights as the products read them; the activations.
    let parameters: Int
    let optimization: Int
    let packedWeights: Int
    let workspace: Int

    var bytes: Int { parameters + optimization + packedWeights + workspace }
}

extension Network {
    /// A pass forward, or a step of a ``Trainer`` with Adam.
    func costs(_ packing: Packing, training: Bool, _ segmentation: Segmentation = Segmentation()) -> PassCosts {
        let scalar = MemoryLayout<S>.stride
        let count = parameters.layout.count
        let kind = PassKind(purpose: training ? .training : .inference, segmentation: segmentation)
        let workspace = PassLayout.count(configuration, packing, kind, threads: workers.threads, scalar: S.self)
        return PassCosts(
            flops: flops(packing, training: training, segmentation),
            parameters: count * scalar,
            optimization: training ? 3 * count * scalar : 0,
            packedWeights: scalar
                * PackedWeights<S>.count(configuration, packing, recording: training, backend: backend),
            workspace: workspace * scalar)
    }

    /// Going back, a product becomes two of its size: the gradient of each factor. Only the network's inputs need none. The
    /// segments of time but the last go forward twice.
    private func flops(_ packing: Packing, training: Bool, _ segmentation: Segmentation) -> Int {
        let perRow = configuration.weightCount + (parameters.layout.head?.weight.range.count ?? 0)
        require(
            packing.rowCount <= Int.max / 8 / perRow,
            "the operations of \(perRow) weights on \(packing.rowCount) rows: more than can be counted in 64 bits")
        let scans = 2 * configuration.weightCount * packing.rowCount
        let head = (parameters.layout.head?.flops ?? 0) * configuration.outputRowCount(packing)
        guard training else { return scans + head }
        let again = configuration.shards(of: packing).reduce(0) { rows, shard in
            let runs = ShardRuns(configuration, shard, .training, segmentation, scalar: S.type)
            return rows + runs.segments.dropLast().reduce(0) { $0 + $1.rowCount }
        }
        return 3 * (scans + head) - 2 * configuration.inputWeightCount * packing.rowCount
            + 2 * configuration.weightCount * again
    }
}

extension ParameterLayout.Scan {
    /// Of a step of one sequence: two for each weight.
    var flops: Int { 2 * weightCount }
}

extension ParameterLayout.Head {
    /// Of one row of outputs.
    var flops: Int { 2 * weight.range.count }
}
