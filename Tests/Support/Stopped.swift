import Testing

extension Optional where Wrapped == ExitTest.Result {
    /// Whether the program of an exit test stopped with these words on its standard error. The test asks for
    /// `observing: [\.standardErrorContent]`.
    public func says(_ words: String) -> Bool {
        guard let self else { return false }
        return String(decoding: self.standardErrorContent, as: UTF8.self).contains(words)
    }
}
