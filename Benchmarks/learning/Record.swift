#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What a run is: its first line.
struct Heading: Encodable {
    let task: String
    let system = "Sluice"
    let recipe: Recipe
    /// The task's own sizes.
    let sizes: [String: Int]
    let parameters: Int
    let threads: Int
}

/// A place on a learning curve.
struct Point: Encodable {
    let updates: Int
    /// In training, testing not counted.
    let seconds: Double
    let cpuSeconds: Double
    /// The mean over the updates since the last point.
    let trainLoss: Double
    let testLoss: Double
    /// Sums without a wrong bit, of those tested.
    var exact: Int?
}

/// What a run came to: its last line.
struct Result: Encodable {
    let updates: Int
    let seconds: Double
    let cpuSeconds: Double
    let testLoss: Double
    /// Sums without a wrong bit among pairs that were never looked at before.
    var exact: Int?
    /// How many pairs that were.
    var pairs: Int?
    /// Exact sums among as many pairs whose carry runs from the lowest bit to the highest.
    var exactLongCarries: Int?
    /// Of every bit of the parameters.
    let parametersHash: String
}

/// Lines of JSON on standard output, each at once.
enum Record {
    static func write(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
        fflush(nil)
    }

    /// FNV-1a, 64 bits, over the bit patterns of numbers rounded to Double (which changes no Float).
    static func hash(_ numbers: [Double]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for number in numbers {
            for byte in 0..<8 { hash = (hash ^ (number.bitPattern >> UInt64(8 * byte) & 255)) &* 0x100_0000_01b3 }
        }
        return String(hash, radix: 16)
    }
}
