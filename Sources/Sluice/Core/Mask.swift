/// Which elements of a row are struck, drawn afresh for every sequence, kind, layer and step.
///
/// A mask is a pure function of these: it is the same whichever shard or thread asks, so results do not depend on either,
/// and it need not be kept for the way back. With `mix` the last stage of SplitMix64 (Steele et al. 2014) and g its gamma:
///
///     word k of a row = mix(key + (k+1) g)        key = mix(mix(seed + (64 index + kind + 1) g) + (step + 1) g)
///
/// Element 2k is struck if the word's low 32 bits are below rate * 2^32, element 2k+1 by the high ones.
struct Mask<S: Scalar>: Sendable {
    /// What is masked; the raw value goes into the key.
    enum Kind: UInt64 {
        case dropout, inputDropout, recurrentDropout, zoneout, cellZoneout
    }

    /// What tells this mask from others of the same sequence.
    private let place: UInt64
    private let threshold: UInt64
    /// The mask's value where an element is not struck, and what is added to it where it is.
    private let kept: S
    private let change: S

    private init(_ kind: Kind, index: Int, rate: Double, struck: S, kept: S) {
        place = (UInt64(index) &* 64 &+ kind.rawValue &+ 1) &* splitMixGamma
        threshold = UInt64((rate * 0x1p32).rounded())
        self.kept = kept
        change = struck - kept
    }

    /// 0 where an element is dropped, else 1 / (1 - rate), so that the mean stays; nil: of rate 0.
    static func dropout(_ kind: Kind, index: Int, rate: Double) -> Mask? {
        rate == 0 ? nil : Mask(kind, index: index, rate: rate, struck: 0, kept: S(1 / (1 - rate)))
    }

    /// 1 where an element keeps its old value, else 0; nil: of rate 0.
    static func zoneout(_ kind: Kind, index: Int, rate: Double) -> Mask? {
        rate == 0 ? nil : Mask(kind, index: index, rate: rate, struck: 1, kept: 0)
    }

    /// Sets a row [1, n] to a sequence's mask at a step.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func fill(_ row: MatrixView<S>, seed: UInt64, step: Int) {
        let key = splitMix(splitMix(seed &+ place) &+ (UInt64(step) &+ 1) &* splitMixGamma)
        let base = unsafe row.base, count = row.columns
        var state = key, column = 0
        while column + 1 < count {
            state &+= splitMixGamma
            let word = splitMix(state)
            unsafe base[column] = value(word & 0xFFFF_FFFF)
            unsafe base[column &+ 1] = value(word >> 32)
            column &+= 2
        }
        if column < count { unsafe base[column] = value(splitMix(state &+ splitMixGamma) & 0xFFFF_FFFF) }
    }

    /// By arithmetic: a processor cannot foresee a branch on random bits. The sign of the difference says which is less.
    @inline(__always)
    private func value(_ bits: UInt64) -> S { kept + change * S(Int64(bitPattern: (bits &- threshold) >> 63)) }
}

// MARK: Masked rows

extension MatrixView {
    /// Sets every element to a value times its mask; the value may lie here already.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func setProduct(_ values: MatrixView, _ mask: MatrixView) {
        if !hasShape(of: values) || !hasShape(of: mask) { refuse("target, values, mask", values, mask) }
        for row in 0..<rows {
            let target = unsafe base + row &* stride, value = unsafe values.base + row &* values.stride
            let mask = unsafe mask.base + row &* mask.stride
            for column in 0..<columns { unsafe target[column] = unsafe value[column] * mask[column] }
        }
    }

    /// Adds a value times its mask to every element.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func addProduct(_ values: MatrixView, _ mask: MatrixView) {
        if !hasShape(of: values) || !hasShape(of: mask) { refuse("target, values, mask", values, mask) }
        for row in 0..<rows {
            let target = unsafe base + row &* stride, value = unsafe values.base + row &* values.stride
            let mask = unsafe mask.base + row &* mask.stride
            for column in 0..<columns { unsafe target[column] += unsafe value[column] * mask[column] }
        }
    }

    /// Sets every element of a row to the old value where the mask is 1, to the new one where it is 0; the new one may lie
    /// here already.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func choose(_ old: MatrixView, _ new: MatrixView, _ mask: MatrixView) {
        if rows != 1 || !hasShape(of: old) || !hasShape(of: new) || !hasShape(of: mask) {
            refuse("target, old, new, mask", old, new, mask)
        }
        for column in 0..<columns {
            let mask = unsafe mask.base[column]
            unsafe base[column] = unsafe mask * old.base[column] + (1 - mask) * new.base[column]
        }
    }

    /// The way back of ``choose(_:_:_:)``: the gradient of a row goes to `old` where the mask is 1 and stays where it is 0;
    /// the other is zero.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func separate(old: MatrixView, _ mask: MatrixView) {
        if rows != 1 || !hasShape(of: old) || !hasShape(of: mask) { refuse("gradient, old, mask", old, mask) }
        for column in 0..<columns {
            let gradient = unsafe base[column], mask = unsafe mask.base[column]
            unsafe old.base[column] = mask * gradient
            unsafe base[column] = (1 - mask) * gradient
        }
    }
}
