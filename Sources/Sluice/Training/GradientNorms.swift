/// The norms of a gradient and of its parts: each layer, then the head.
///
/// The squares are summed in fixed pieces, and these in their order, so that the bits do not depend on the threads.
struct GradientNorms: Sendable {
    /// The last measured.
    private(set) var parts: [Double]
    private let pieces: [Piece]
    /// [1, pieces] their sums of squares.
    private var sums: Matrix<Double>
    private let count: Int

    private struct Piece: Sendable {
        let range: Range<Int>
        let part: Int
    }

    init(_ layout: ParameterLayout, _ configuration: Configuration) {
        let ranges = layout.parts(configuration)
        pieces = ranges.enumerated().flatMap { part, range in
            FlatBlocks.indices(layout.count).map { FlatBlocks.range($0, of: layout.count).clamped(to: range) }
                .filter { !$0.isEmpty }.map { Piece(range: $0, part: part) }
        }
        parts = [Double](repeating: 0, count: ranges.count)
        sums = Matrix(rows: 1, columns: pieces.count)
        count = layout.count
    }

    /// Measures a gradient `[1, count]` times a scale; returns the norm of the whole.
    @specialized(where S == Float)
    @specialized(where S == Double)
    mutating func measure<S: Scalar>(_ gradient: MatrixView<S>, scale: Double, _ workers: Workers) -> Double {
        let sums = sums.mutableView()
        let workers = count > FlatBlocks.size ? workers : .single
        workers.run(pieces.count, NormWork(gradient: gradient, pieces: pieces, sums: sums))
        for part in parts.indices { parts[part] = 0 }
        var whole = 0.0
        for (index, piece) in pieces.enumerated() {
            parts[piece.part] += sums[0, index]
            whole += sums[0, index]
        }
        for part in parts.indices { parts[part] = scale * parts[part].squareRoot() }
        return scale * whole.squareRoot()
    }

    private struct NormWork<S: Scalar>: SharedWork {
        let gradient: MatrixView<S>
        let pieces: [Piece]
        let sums: MatrixView<Double>

        @specialized(where S == Float)
        @specialized(where S == Double)
        func perform(_ index: Int, thread: Int) {
            sums[0, index] = gradient.columns(pieces[index].range).sumOfSquares()
        }
    }
}

/// Where flat arrays are cut for threads: at fixed places, whole cache lines apart, so that no two write to one line
/// and the bits do not depend on their number.
enum FlatBlocks {
    /// The numbers of a block: four arrays of them stay in a second-level cache, and take longer to update than to hand
    /// over.
    static let size = 1 << 15

    static func indices(_ count: Int) -> Range<Int> { 0..<(count + size - 1) / size }

    static func range(_ index: Int, of count: Int) -> Range<Int> { index * size..<min((index + 1) * size, count) }
}

extension ParameterLayout {
    /// The places of each layer's parameters, both directions together, and of the head's, if there is one.
    func parts(_ configuration: Configuration) -> [Range<Int>] {
        let directions = configuration.direction.count
        var parts = (0..<configuration.layers).map { layer in
            scans[layer * directions].input.offset..<scans[(layer + 1) * directions - 1].vectors.upperBound
        }
        if let head { parts.append(head.weight.offset..<head.weight.offset + head.count) }
        return parts
    }
}

extension MatrixView {
    /// The sum of all squares of a view `[1, count]`, in Double in eight sums side by side: always in the same order.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func sumOfSquares() -> Double {
        require(rows == 1, "the squares of a view of \(rows) rows")
        var sums = SIMD8<Double>.zero
        let blocks = columns / 8
        for block in 0..<blocks {
            let start = unsafe base + 8 &* block
            var numbers = SIMD8<Double>.zero
            for lane in 0..<8 { numbers[lane] = unsafe Double(start[lane]) }
            sums += numbers * numbers
        }
        var rest = 0.0
        for column in 8 * blocks..<columns {
            let number = Double(self[0, column])
            rest += number * number
        }
        return sums.sum() + rest
    }
}
