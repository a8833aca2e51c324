import Foundation
import Testing

@testable import Sluice

/// A run's state that was written down and then changed by a stranger: it is refused by the name of what was changed, or goes on.
@Suite struct FitStateMutationTests {
    /// Between them the runs have every field of a state.
    struct Run: Sendable, CustomStringConvertible {
        let name: String
        let optimizer: Optimizer
        let schedule: Schedule
        let loss: Loss
        var clipping: Clipping?
        var regularization = Regularization.none
        var accumulating = 1
        var steps = 4
        var isMade = false
        var isFloat = false
        var description: String { name }

        static let configuration = Configuration(
            cell: .gru(.resetAfter), inputSize: 2, hiddenSize: 2, head: Head(outputSize: 3))

        /// The run before its first step, as who resumes it makes it.
        func fit<S: Scalar>(_: S.Type) -> Fit<S> {
            var random = Random(seed: 1)
            var trainer = Trainer(
                Network<S>(Self.configuration, .pyTorch, using: &random), loss: loss, optimizer: optimizer,
                schedule: schedule, clipping: clipping, regularization: regularization)
            if case .crossEntropy = loss { trainer.metric = .accuracy() }
            let lengths = [2, 1, 3, 2, 1]
            var targets = Matrix<S>.random(rows: 9, columns: 3, using: &random)
            if case .crossEntropy = loss {
                targets = Matrix(rows: 9, columns: 1, [0, 1, 2, 0, -100, 1, 2, 0, 1])
            }
            let examples = Examples(
                inputs: .random(rows: 9, columns: 2, using: &random), targets: targets, lengths: lengths)
            let validation = examples.batches(of: 5)
            return Fit(
                trainer,
                isMade
                    ? Batches(perEpoch: 2) { _, _ in validation[0] }
                    : Batches(examples, Batching(size: 2, bucketing: .all)),
                epochs: 10, accumulating: accumulating, validation: validation,
                earlyStopping: EarlyStopping(patience: 4))
        }
    }

    static let runs = [
        Run(
            name: "AMSGrad on a plateau after a warm-up", optimizer: .adam(amsGrad: true),
            schedule: .warmUp(updates: 3, then: .reduceOnPlateau(patience: 2, cooldown: 1)),
            loss: .crossEntropy(classWeights: [1, 2, 3]), clipping: .norm(1), accumulating: 2, steps: 6),
        Run(
            name: "RMSProp with momentum, accumulating",
            optimizer: .rmsProp(momentum: 0.5, weightDecay: .everything(0.1)),
            schedule: .oneCycle(updates: 20), loss: .huber(), clipping: .value(1),
            regularization: Regularization(inputDropout: 0.2, zoneout: 0.1), accumulating: 3, steps: 5,
            isFloat: true),
        Run(
            name: "momentum along a cosine",
            optimizer: .sgd(momentum: 0.9, nesterov: true, weightDecay: .matrices(0.1)),
            schedule: .cosine(updates: 20), loss: .quantile(level: 0.3), isMade: true),
        Run(
            name: "AdamW in steps", optimizer: .adamW(), schedule: .step(every: 2),
            loss: .crossEntropy(labelSmoothing: 0.1),
            accumulating: 2, steps: 7, isFloat: true),
    ]

    private enum Outcome { case decoded(String), refused(String), stopped, ran }

    /// What becomes of a file: its words, or two steps.
    private func outcome<S: Scalar>(of data: Data, _ fresh: Fit<S>) -> Outcome {
        let state: FitState<S>
        do { state = try JSONDecoder().decode(FitState<S>.self, from: data) } catch { return .decoded("\(error)") }
        var fit = fresh
        do { try fit.resume(from: state) } catch { return .refused("\(error)") }
        do { for _ in 0..<2 { _ = try fit.step() } } catch { return .stopped }
        _ = fit.bestNetwork.parameters
        return .ran
    }

    /// Each value of the file, one at a time, in place of which stands another of any kind: words that name it, or a run.
    @Test(arguments: runs) func everyValueChanged(_ run: Run) throws {
        if run.isFloat { try check(run, Float.self) } else { try check(run, Double.self) }
    }

    private func check<S: Scalar>(_ run: Run, _: S.Type) throws {
        var fit = run.fit(S.self)
        for _ in 0..<run.steps { _ = try fit.step() }
        let file = try JSONValue(JSONSerialization.jsonObject(with: JSONEncoder().encode(fit.state)))
        guard case .ran = outcome(of: try file.data, run.fit(S.self)) else {
            Issue.record("the file as it was written")
            return
        }
        var count = 0, refused = 0
        for mutation in file.mutations {
            let fresh = run.fit(S.self)
            count += 1
            switch outcome(of: try mutation.file.data, fresh) {
            case .decoded(let words), .refused(let words):
                refused += 1
                let names = mutation.path.filter { Int($0) == nil }.suffix(3)
                // Foundation's decoder says of a number that fits no Swift number only that.
                let isNamed = names.contains { words.contains($0) } || words.contains("was not valid JSON")
                #expect(isNamed, "\(mutation) says \(words)")
            case .stopped, .ran: break
            }
        }
        #expect(count > 800 && refused > count / 2, "\(count) files, \(refused) refused")
    }

    /// A generator of zeros would draw zeros for ever.
    @Test(arguments: ["trainer", "batches"]) func aGeneratorOfZeros(_ part: String) throws {
        var fit = Self.runs[0].fit(Double.self)
        _ = try fit.step()
        var file = try JSONValue(JSONSerialization.jsonObject(with: JSONEncoder().encode(fit.state)))
        for word in ["s0", "s1", "s2", "s3"] { file = file.replacing([part, "random", word], by: .number(0)) }
        guard case .decoded(let words) = outcome(of: try file.data, Self.runs[0].fit(Double.self)) else {
            Issue.record("it was taken")
            return
        }
        #expect(words.contains("random") && words.contains("nothing but zeros"))
    }
}

/// A JSON document that can be changed in one place.
indirect enum JSONValue: CustomStringConvertible {
    case null
    case bool(Bool)
    case number(NSNumber)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(_ value: Any) throws {
        switch value {
        case is NSNull: self = .null
        case let value as NSNumber: self = isBoolean(value) ? .bool(value.boolValue) : .number(value)
        case let value as String: self = .string(value)
        case let value as [Any]: self = .array(try value.map { try JSONValue($0) })
        case let value as [String: Any]: self = .object(try value.mapValues { try JSONValue($0) })
        default: throw CocoaError(.coderReadCorrupt)
        }
    }

    private var object: Any {
        switch self {
        case .null: NSNull()
        case .bool(let value): value
        case .number(let value): value
        case .string(let value): value
        case .array(let values): values.map(\.object)
        case .object(let values): values.mapValues(\.object)
        }
    }

    var data: Data {
        get throws { try JSONSerialization.data(withJSONObject: object, options: .fragmentsAllowed) }
    }

    var description: String { (try? String(decoding: data.prefix(60), as: UTF8.self)) ?? "?" }

    /// The document with another value, or none, at a place.
    func replacing(_ path: some Collection<String>, by value: JSONValue?) -> JSONValue {
        guard let key = path.first else { return value ?? .null }
        let rest = path.dropFirst()
        switch self {
        case .array(var values):
            let index = Int(key)!
            values[index] = values[index].replacing(rest, by: value)
            return .array(values)
        case .object(var values):
            values[key] = rest.isEmpty && value == nil ? nil : values[key, default: .null].replacing(rest, by: value)
            return .object(values)
        default: return self
        }
    }

    struct Mutation: CustomStringConvertible {
        let path: [String]
        let change: String
        let file: JSONValue
        var description: String { path.joined(separator: ".") + " -> " + change }
    }

    /// The document with one value changed at a time; of long arrays the first and last elements.
    var mutations: [Mutation] {
        places([]).flatMap { path, old in
            old.others.map { Mutation(path: path, change: $0.description, file: replacing(path, by: $0)) }
                + [Mutation(path: path, change: "gone", file: replacing(path, by: nil))]
        }
    }

    private func places(_ path: [String]) -> [([String], JSONValue)] {
        let own = path.isEmpty ? [] : [(path, self)]
        switch self {
        case .array(let values):
            return own
                + values.indices.filter { $0 == 0 || $0 == values.count - 1 }.flatMap {
                    values[$0].places(path + ["\($0)"])
                }
        case .object(let values):
            return own + values.keys.sorted().flatMap { values[$0]!.places(path + [$0]) }
        default: return own
        }
    }

    /// What may stand in its place.
    private var others: [JSONValue] {
        var others: [JSONValue] = [
            .null, .bool(true), .string("x"), .array([]), .object([:]), .array([.number(1), .number(2)]),
        ]
        let numbers: [NSNumber] = [
            0, 1, -1, 3, 0.5, 1e300, -1e300, NSNumber(value: Int.max), NSNumber(value: Int.min),
        ]
        others += numbers.map { .number($0) }
        if case .array(let values) = self, let first = values.first, let last = values.last {
            others += [
                .array(Array(values.dropFirst())), .array(values + [last]), .array(values.reversed()),
                .array([last] + values.dropFirst()), .array(values.map { _ in first }),
            ]
        }
        return others
    }
}

/// Whether a number of JSON was written as true or false.
private func isBoolean(_ value: NSNumber) -> Bool { String(cString: value.objCType) == "c" }
