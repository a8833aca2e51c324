/// The sizes of the elements of tensors, by the names that the format has for their types.
enum ElementSize {
    /// Bits; nil for a type that is not known.
    static func bits(_ type: String) -> Int? {
        switch type {
        case "F64", "I64", "U64", "C64": 64
        case "F32", "I32", "U32": 32
        case "F16", "BF16", "I16", "U16": 16
        case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ": 8
        case "F6_E2M3", "F6_E3M2": 6
        case "F4": 4
        default: nil
        }
    }

    /// Why a tensor of this type and shape does not have so many bytes, if so. Those of a type that is not known are not counted.
    static func problem(_ type: String, _ shape: [Int], byteCount: Int) -> String? {
        func text() -> String { "\(type.inOneLine(limit: 20)) \(shapeText(shape))" }
        guard !shape.contains(where: { $0 < 0 }) else { return "\(text()): a size is negative" }
        guard let bits = bits(type) else { return nil }
        var count = bits
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            if overflow { return "\(text()), in \(byteCount) bytes: they cannot be counted" }
            count = product
        }
        if count % 8 != 0 { return "\(text()): \(count) bits, which are not whole bytes" }
        return count / 8 == byteCount ? nil : "\(text()), in \(byteCount) bytes: it has \(count / 8)"
    }
}

/// Sizes as a part of an error: the first few of many.
func shapeText(_ shape: [Int]) -> String {
    shape.count <= 6 ? "\(shape)" : "[" + shape.prefix(6).map { "\($0), " }.joined() + "...]"
}
