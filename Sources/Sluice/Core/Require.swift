/// Stops the program with words where a caller made a mistake. Unlike `precondition`, which is silent in optimised builds, and
/// this module is always built optimised.
@inline(__always)
func require(
    _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { stop(message(), file: file, line: line) }
}

/// Stops the program with words.
@inline(never)
func stop(_ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    fatalError(message(), file: file, line: line)
}
