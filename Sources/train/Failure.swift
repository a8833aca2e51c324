import SluiceIO

/// Why the program stops: one line for the person, and the exit code.
struct Failure: Error, Hashable {
    /// What is wrong and what to do about it, in one line that a terminal shows as it is.
    let message: String
    let exitCode: Int32

    init(_ message: String, exitCode: Int32) {
        self.message = message.inOneLine(limit: 400)
        self.exitCode = exitCode
    }
}

/// The exit codes, those of `sysexits.h` where it has one.
extension Failure {
    /// The numbers that training makes are not finite.
    static let notFinite: Int32 = 1
    /// A bad option or argument.
    static let usage: Int32 = 64
    /// A model that holds something else than an adder.
    static let badData: Int32 = 65
    /// A model that is missing or damaged.
    static let noInput: Int32 = 66
    /// A result that cannot be written.
    static let cannotCreate: Int32 = 73
    /// Standard output that cannot be written.
    static let outputBroken: Int32 = 74
    /// A signal asked for the end: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, as shells count.
    static func interrupted(by signal: Int32) -> Int32 { 128 + signal }

    /// A bad option or argument.
    static func usage(_ message: String) -> Failure { Failure(message, exitCode: usage) }
}
