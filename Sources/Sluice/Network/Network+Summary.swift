extension Network {
    /// The network as a table: every layer in every direction, its widths, its parameters and its operations at a step of
    /// one sequence (two for each weight in a product); given a batch, what passes over it cost too.
    ///
    /// `print(network.summary(for: Packing(sequences: 32, steps: 100)))` shows, for an LSTM of two layers in both directions
    /// with a head on the last:
    ///
    ///     Float, lstm.standard
    ///     layer       input -> output  parameters  flops a step
    ///     0 forward           8 -> 64      18,944        36,864
    ///     0 backward          8 -> 64      18,944        36,864
    ///     1 forward         128 -> 64      49,664        98,304
    ///     1 backward        128 -> 64      49,664        98,304
    ///     head, last         128 -> 1         129           256
    ///     total                           137,345       270,592
    ///
    ///     32 sequences, 3,200 steps in all      inference       training
    ///     flops                               865,083,392  2,569,035,776
    ///     parameters, bytes                       549,380        549,380
    ///     gradient and Adam's moments, bytes            0      1,648,140
    ///     packed weights, bytes                   544,768      1,085,440
    ///     workspace, bytes                      5,808,256     16,759,616
    ///     memory, bytes                         6,902,404     20,042,576
    ///
    /// Training is a step of a ``Trainer`` with Adam, inference ``forward(_:_:from:)``, on the threads of ``workers``. A
    /// ``Recording`` needs more than a trainer's workspace: it keeps the activations of every shard of the batch.
    ///
    /// - Parameters:
    ///   - packing: the batch; nil: the network alone.
    ///   - checkpointing: the trainer's.
    public func summary(for packing: Packing? = nil, checkpointing: Checkpointing = .none) -> String {
        checkpointing.check(configuration)
        var text = "\(S.type == .float ? "Float" : "Double"), \(configuration.cell)\n" + layerTable
        if let packing { text += "\n" + batchTable(packing, checkpointing) }
        return text
    }

    private var layerTable: String {
        let layout = parameters.layout, directions = configuration.direction.count
        var table = Table(columns: ["layer", "input -> output", "parameters", "flops a step"])
        for (index, scan) in layout.scans.enumerated() {
            let layer = index / directions
            let name = configuration.direction.isReversed(index % directions) ? "backward" : "forward"
            table.add(
                "\(layer) \(name)", "\(scan.input.rows) -> \(configuration.stateSize)",
                scan.count, scan.flops)
        }
        if let head = layout.head, let steps = configuration.head?.steps {
            table.add(
                "head, \(steps.rawValue)", "\(head.weight.rows) -> \(head.weight.columns)", head.count, head.flops)
        }
        table.add(
            "total", "", layout.count, layout.scans.reduce(0) { $0 + $1.flops } + (layout.head?.flops ?? 0))
        return table.text
    }

    private func batchTable(_ packing: Packing, _ checkpointing: Checkpointing) -> String {
        let steps = "\(grouped(packing.rowCount)) steps in all"
        var table = Table(columns: [
            "\(grouped(packing.sequenceCount)) \(packing.sequenceCount == 1 ? "sequence" : "sequences"), \(steps)",
            "inference", "training",
        ])
        let inference = costs(packing, training: false)
        let training = costs(packing, training: true, Segmentation(checkpointing: checkpointing))
        table.add("flops", inference.flops, training.flops)
        func add(_ name: String, _ bytes: (PassCosts) -> Int) {
            table.add("\(name), bytes", bytes(inference), bytes(training))
        }
        add("parameters", \.parameters)
        add("gradient and Adam's moments", \.optimization)
        add("packed weights", \.packedWeights)
        add("workspace", \.workspace)
        add("memory", \.bytes)
        return table.text
    }
}

/// Lines of cells, the first column to the left and the others to the right.
private struct Table {
    private var rows: [[String]]

    init(columns: [String]) { rows = [columns] }

    mutating func add(_ cells: any CustomStringConvertible...) {
        rows.append(cells.map { ($0 as? Int).map(grouped) ?? "\($0)" })
    }

    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
        return rows.map { cells in
            cells.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return column == 0 ? cells[column] + space : space + cells[column]
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}

/// A number with a comma before every three digits.
private func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.indices.reduce(into: "") { text, index in
        if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
        text.append(digits[index])
    }
}
