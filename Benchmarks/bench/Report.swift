#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The document for machines. Times in seconds; what was not measured is not there.
struct Report<Row: Encodable>: Encodable {
    let machine: Machine
    let rows: [Row]

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // A difference that is NaN is one to be seen, not an error of the writer.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
