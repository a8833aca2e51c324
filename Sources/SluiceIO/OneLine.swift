extension String {
    /// The text as a part of an error: on one line, of at most so many characters, with nothing in it that a terminal would obey or
    /// that would change the order in which the rest is shown. What cannot be seen is written as Swift writes it: `\u{1B}`.
    ///
    /// - Parameter limit: the characters; a longer text ends in `...`.
    package func inOneLine(limit: Int = 80) -> String {
        var shown: [Unicode.Scalar] = []
        for scalar in unicodeScalars {
            if scalar.isVisible { shown.append(scalar) } else { shown += scalar.escape.unicodeScalars }
            if shown.count > limit { return String(shown.prefix(limit - 3)) + "..." }
        }
        return String(shown)
    }

    /// The end of a path, where the file's name is, as a part of an error.
    func endInOneLine(limit: Int) -> String {
        let end = unicodeScalars.suffix(limit)
        let shown = String(end).inOneLine(limit: .max).unicodeScalars
        let isWhole = end.startIndex == unicodeScalars.startIndex && shown.count <= limit
        return isWhole ? String(shown) : "..." + String(shown.suffix(limit - 3))
    }

    private init(_ scalars: some Sequence<Unicode.Scalar>) {
        self.init(UnicodeScalarView(scalars))
    }
}

extension Unicode.Scalar {
    /// Whether this is a character that is seen where it stands: no control character, no mark of direction, no end of a line.
    package var isVisible: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }

    fileprivate var escape: String { "\\u{\(String(value, radix: 16, uppercase: true))}" }
}
