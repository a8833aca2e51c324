/// A value from outside that cannot be used, in words: what was given, and what is needed.
///
/// Thrown by the checking forms, those with `try`, which are for what users, files and other programs send. The forms without are
/// for a program's own values: there the same words stop it.
public struct InvalidValue: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence, sizes included.
    public let description: String

    package init(_ description: String) { self.description = description }

    /// Throws the words of a check, if it found something: the other half of ``require(noProblem:file:line:)``, so that each
    /// check is written once, as a `problem`.
    package static func throwing(_ problem: String?) throws(InvalidValue) {
        if let problem { throw InvalidValue(problem) }
    }
}

/// Stops the program with words where a caller made a mistake. Unlike `precondition`, which is silent in optimised builds, and
/// this module is always built optimised.
@inline(__always)
package func require(
    _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { stop(message(), file: file, line: line) }
}

/// Stops the program with the words of a check, if it found something.
@inline(__always)
package func require(noProblem problem: String?, file: StaticString = #fileID, line: UInt = #line) {
    if let problem { stop(problem, file: file, line: line) }
}

/// Stops the program with words.
@inline(never)
package func stop(_ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    fatalError(message(), file: file, line: line)
}
