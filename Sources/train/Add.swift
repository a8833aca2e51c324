import ArgumentParser
import Sluice
import SluiceIO

/// Adds two numbers with a saved network.
struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Adds two numbers with a trained network.",
        discussion: """
            Prints what the network computes, and the true sum beside it where that is another. The numbers are given in \
            20 bits, or more where their sum needs more.
            """)

    @Argument(help: "A whole number.")
    var a: UInt64

    @Argument(help: "A whole number; the sum must fit in 64 bits.")
    var b: UInt64

    @Option(help: ArgumentHelp("The network, as train writes it.", valueName: "path"))
    var model = OutputDirectory.standard + "/" + OutputDirectory.Name.model.rawValue

    func run() throws {
        try reportingFailure { () throws(Failure) in
            Console.out(try addition().text + "\n")
        }
    }

    /// The bits that a sum is computed in: 20, or as many as it needs.
    static func bits(_ a: UInt64, _ b: UInt64) throws(Failure) -> Int {
        let (sum, overflow) = a.addingReportingOverflow(b)
        guard !overflow else { throw .usage("\(a) + \(b) does not fit in 64 bits") }
        return max(20, UInt64.bitWidth - sum.leadingZeroBitCount)
    }

    /// What the network computes.
    func addition() throws(Failure) -> Addition {
        let bits = try Self.bits(a, b), addends = Addends(a: a, b: b)
        let file: ModelFile
        do { file = try ModelFile(contentsOf: model) } catch { throw Self.unreadable(error) }
        try Self.check(file.configuration, path: model)
        switch file.scalarType {
        case .float: return try network(file, Float.self).add([addends], bits: bits)[0]
        case .double: return try network(file, Double.self).add([addends], bits: bits)[0]
        }
    }

    private func network<S: Scalar>(_ file: ModelFile, _: S.Type) throws(Failure) -> Network<S> {
        let network: Network<S>
        // That scalar holds the numbers exactly, whatever type they are saved in.
        do { network = try Network(file, converting: true) } catch { throw Self.unreadable(error) }
        // Outputs that are not numbers would be read as bits that are 0.
        guard network.parameters.values.elements.allSatisfy(\.isFinite) else {
            throw Failure(
                "\(model.inOneLine(limit: 200)): holds weights that are not finite numbers", exitCode: Failure.badData)
        }
        return network
    }

    private static func unreadable(_ error: FileError) -> Failure { Failure("\(error)", exitCode: Failure.noInput) }

    /// Refuses a network that does not read two bits and put out one at every step.
    static func check(_ configuration: Configuration, path: String) throws(Failure) {
        guard configuration.inputSize == 2, configuration.outputSize == 1, configuration.head?.steps != .last else {
            throw Failure(
                "\(path.inOneLine(limit: 200)): this network does not add: it has \(counted(configuration.inputSize, "input")) and "
                    + "\(counted(configuration.outputSize, "output"))"
                    + (configuration.head?.steps == .last ? " on the last step only" : " a step")
                    + ", an adder has 2 inputs and 1 output a step", exitCode: Failure.badData)
        }
    }
}
