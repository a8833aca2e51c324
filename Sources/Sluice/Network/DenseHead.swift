/// The dense layer on the states, o = h V + c, with h [n, H], V [H, O], c [1, O].
struct DenseHead<S: Scalar> {
    let weight: MatrixView<S>
    let bias: MatrixView<S>
    let engine: Engine<S>

    /// o [n, O] from h [n, H].
    func forward(_ h: MatrixView<S>, into o: MatrixView<S>) {
        o.fillRows(bias)
        engine.multiply(h, weight, into: o, accumulate: true)
    }

    /// From do [n, O]: dV = h' do, dc = the sum of do's rows, which overwrite or accumulate, and dh = do V', which overwrites.
    func backward(
        _ h: MatrixView<S>, do outputGradient: MatrixView<S>, weightGradient: MatrixView<S>,
        biasGradient: MatrixView<S>,
        dh: MatrixView<S>, accumulate: Bool
    ) {
        engine.multiply(transposing: h, outputGradient, into: weightGradient, accumulate: accumulate)
        if !accumulate { biasGradient.fill(0) }
        biasGradient.addRowSums(of: outputGradient)
        engine.multiply(outputGradient, transposing: weight, into: dh)
    }
}

extension MatrixView {
    /// Sets every row to one row.
    @specialized(where S == Float)
    @specialized(where S == Double)
    fileprivate func fillRows(_ row: MatrixView) {
        if !row.hasShape(1, columns) { refuse("target, row", row) }
        for i in 0..<rows { for j in 0..<columns { self[i, j] = row[0, j] } }
    }

    /// Adds the sum of a matrix's rows to this row.
    @specialized(where S == Float)
    @specialized(where S == Double)
    fileprivate func addRowSums(of matrix: MatrixView) {
        if rows != 1 || matrix.columns != columns { refuse("sums, rows", matrix) }
        for i in 0..<matrix.rows { for j in 0..<columns { self[0, j] += matrix[i, j] } }
    }
}
