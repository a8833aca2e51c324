/// What is wrong with a text, in words.
struct TextProblem: Error, Equatable {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Walks over JSON as files of tensors hold it, once and in linear time: UTF-8 without a byte-order mark, no name twice in an object.
///
/// Each function reads one value at the present place, white space before it included, and leaves the place behind it.
struct JSONScanner {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads to the end, where only white space may stand.
    mutating func end() throws(TextProblem) {
        skipSpace()
        guard place == bytes.count else { throw unexpected("the end") }
    }

    /// The byte that the next value begins with.
    mutating func peek() -> UInt8? {
        skipSpace()
        return place < bytes.count ? bytes[place] : nil
    }

    // MARK: Objects and arrays

    /// An object; `member` reads the value of each name.
    mutating func object(
        _ member: (inout JSONScanner, _ name: String) throws(TextProblem) -> Void
    ) throws(TextProblem) {
        try expect(UInt8(ascii: "{"))
        if take(UInt8(ascii: "}")) { return }
        var names = Names()
        repeat {
            let name = try string()
            // Swift holds two names for equal that differ only in how their accents are composed; nobody could tell them apart.
            guard names.insert(name) else { throw TextProblem("the name \(name.inOneLine()) stands there twice") }
            guard names.count <= Self.nameLimit else {
                throw TextProblem("more than \(Self.nameLimit) names in an object")
            }
            try expect(UInt8(ascii: ":"))
            try member(&self, name)
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
    }

    /// The most names of an object, and the most numbers of an array: what is kept of a text stays within a few times its bytes.
    static let nameLimit = 1 << 20, countLimit = 256

    /// The names of an object: of most, only a few.
    private struct Names {
        private var few: [String] = []
        private var many: Set<String> = []

        var count: Int { max(few.count, many.count) }

        /// Whether the name is a new one.
        mutating func insert(_ name: String) -> Bool {
            if few.count < 8 {
                if few.contains(name) { return false }
                few.append(name)
                return true
            }
            if many.isEmpty { many = Set(few) }
            return many.insert(name).inserted
        }
    }

    /// An array; `element` reads each value.
    mutating func array(_ element: (inout JSONScanner) throws(TextProblem) -> Void) throws(TextProblem) {
        try expect(UInt8(ascii: "["))
        if take(UInt8(ascii: "]")) { return }
        repeat { try element(&self) } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
    }

    /// An array of whole numbers that are not negative.
    mutating func counts() throws(TextProblem) -> [Int] {
        var counts: [Int] = []
        try array { (json: inout JSONScanner) throws(TextProblem) in
            guard counts.count < Self.countLimit else {
                throw TextProblem("more than \(Self.countLimit) numbers in an array")
            }
            counts.append(try json.count())
        }
        return counts
    }

    // MARK: Single values

    /// A whole number that is not negative, written in digits alone.
    mutating func count() throws(TextProblem) -> Int {
        skipSpace()
        let start = place
        var value = 0
        while place < bytes.count, case let digit = Int(bytes[place]) - 0x30, (0...9).contains(digit) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, secondOverflow) = product.addingReportingOverflow(digit)
            guard !overflow && !secondOverflow else { throw TextProblem("a number at byte \(start) is too large") }
            value = sum
            place += 1
        }
        let hasLeadingZero = place - start > 1 && bytes[start] == 0x30
        let goesOn = place < bytes.count && [0x2E, 0x45, 0x65].contains(bytes[place]) // . E e
        guard place > start, !hasLeadingZero, !goesOn else {
            place = start
            throw unexpected("a whole number")
        }
        return value
    }

    mutating func string() throws(TextProblem) -> String {
        try expect(UInt8(ascii: "\""), "a text")
        let start = place
        var unescaped: [UInt8]?
        while place < bytes.count {
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") {
                let text =
                    if let unescaped { Self.text(unescaped.span) } else {
                        Self.text(bytes.span.extracting(start..<place))
                    }
                guard let text else { throw TextProblem("the text at byte \(start) is not UTF-8") }
                place += 1
                return text
            }
            if byte == UInt8(ascii: "\\") {
                if unescaped == nil { unescaped = Array(bytes[start..<place]) }
                place += 1
                unescaped!.append(contentsOf: try escaped())
            } else {
                guard byte >= 0x20 else { throw unexpected("a text without control characters") }
                unescaped?.append(byte)
                place += 1
            }
        }
        throw unexpected("the end of a text")
    }

    private static func text(_ bytes: Span<UInt8>) -> String? {
        do { return String(copying: try UTF8Span(validating: bytes)) } catch { return nil }
    }

    /// What stands behind a backslash, in UTF-8.
    private mutating func escaped() throws(TextProblem) -> [UInt8] {
        guard place < bytes.count else { throw unexpected("an escaped character") }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var value = try codeUnit()
            if value & 0xFC00 == 0xD800, place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"),
                bytes[place + 1] == UInt8(ascii: "u")
            {
                place += 2
                let low = try codeUnit()
                guard low & 0xFC00 == 0xDC00 else { throw unexpected("the second half of a character") }
                value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw unexpected("the second half of a character") }
            return Array(String(scalar).utf8)
        default:
            place -= 1
            throw unexpected("an escaped character")
        }
    }

    /// Four hexadecimal digits.
    private mutating func codeUnit() throws(TextProblem) -> UInt32 {
        guard bytes.count - place >= 4 else { throw unexpected("four hexadecimal digits") }
        var value: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw unexpected("four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        place += 4
        return value
    }

    /// `null`, `true` or `false`.
    mutating func word(_ word: StaticString) throws(TextProblem) {
        skipSpace()
        let letters = Array("\(word)".utf8)
        guard bytes[place...].starts(with: letters) else { throw unexpected("\(word)") }
        place += letters.count
    }

    /// Any value, of which nothing is kept.
    ///
    /// - Parameter depth: how many arrays and objects it may hold one in another.
    mutating func skip(depth: Int = 64) throws(TextProblem) {
        guard depth > 0 else {
            throw TextProblem("at byte \(place) more than 64 arrays and objects stand in one another")
        }
        switch peek() {
        case UInt8(ascii: "{"):
            try object { (json: inout JSONScanner, _: String) throws(TextProblem) in try json.skip(depth: depth - 1) }
        case UInt8(ascii: "["):
            try array { (json: inout JSONScanner) throws(TextProblem) in try json.skip(depth: depth - 1) }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "n"): try word("null")
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        default: try number()
        }
    }

    /// A number of any form: -0.5e+10.
    private mutating func number() throws(TextProblem) {
        if place < bytes.count, bytes[place] == UInt8(ascii: "-") { place += 1 }
        let start = place
        guard digits() else { throw unexpected("a value") }
        if place - start > 1 && bytes[start] == 0x30 { throw unexpected("a number without a 0 before it") }
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            place += 1
            guard digits() else { throw unexpected("a digit") }
        }
        if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
            place += 1
            if place < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[place]) { place += 1 }
            guard digits() else { throw unexpected("a digit") }
        }
    }

    /// Reads digits; whether there was one.
    private mutating func digits() -> Bool {
        let start = place
        while place < bytes.count, (0x30...0x39).contains(bytes[place]) { place += 1 }
        return place > start
    }

    // MARK: Bytes

    private mutating func skipSpace() {
        while place < bytes.count {
            switch bytes[place] {
            case 0x20, 0x09, 0x0A, 0x0D: place += 1
            default: return
            }
        }
    }

    /// Reads a byte if it is the next.
    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ byte: UInt8, _ name: String? = nil) throws(TextProblem) {
        guard take(byte) else { throw unexpected(name ?? String(Unicode.Scalar(byte))) }
    }

    private func unexpected(_ expected: String) -> TextProblem {
        TextProblem("\(expected) is expected at byte \(place)")
    }
}
