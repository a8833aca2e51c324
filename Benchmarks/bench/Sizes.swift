import ArgumentParser
import Foundation
import Sluice

/// What a command line may ask for: sizes that this machine can hold.
enum Sizes {
    /// The largest size that an option takes: products of a few of them fit in an Int, and one in a BLAS's integers.
    static let largest = 1 << 28

    static func check(_ option: String, _ value: Int) throws {
        guard (1...largest).contains(value) else {
            throw ValidationError("\(option) must be from 1 to \(largest), not \(value).")
        }
    }

    /// Refuses what needs more bytes than the machine has. (In floating point: no product of sizes is too large for it.)
    static func check(_ what: String, needing bytes: Double) throws {
        let available = Double(ProcessInfo.processInfo.physicalMemory)
        guard bytes <= available else {
            throw ValidationError(
                "\(what) needs at least \(gibibytes(bytes)) of memory, and this machine has \(gibibytes(available)).")
        }
    }

    private static func gibibytes(_ bytes: Double) -> String {
        bytes < 0x1p50 ? "\(Text.significant(bytes / 0x1p30, 3)) GiB" : "a million GiB"
    }
}

extension Shape {
    func check() throws {
        for size in [batch, steps, inputs, hidden] where size < 1 || size > Sizes.largest {
            throw ValidationError("The shape \(description): each size must be from 1 to \(Sizes.largest).")
        }
    }
}

extension Form {
    /// Bytes without which no pass is: weights, inputs and the layers' states.
    func leastBytes(_ shape: Shape, _ scalar: ScalarType) -> Double {
        let scans = Double(layers * direction.count), state = Double(projection ?? shape.hidden)
        let weights = Double(cell.gateCount * shape.hidden) * (Double(shape.inputs) + state * Double(2 * layers - 1))
        let rows = Double(shape.batch) * (isRagged ? Double(shape.steps) / 2 : Double(shape.steps))
        let numbers = weights * Double(direction.count) + rows * (Double(shape.inputs) + scans * state)
        return numbers * (scalar == .float ? 4 : 8)
    }

    func check(_ shape: Shape, _ scalar: ScalarType) throws {
        try shape.check()
        try Sizes.check("The shape \(shape.description)", needing: leastBytes(shape, scalar))
    }
}
