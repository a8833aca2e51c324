import ArgumentParser
import Sluice

#if canImport(FoundationEssentials)
import FoundationEssentials
private typealias Bytes = FoundationEssentials.Data
#else
import Foundation
private typealias Bytes = Foundation.Data
#endif

/// `bench peer-worker`: Sluice's side of Benchmarks/peers, which starts it and speaks its line protocol (worker.py
/// there says what the requests are).
struct PeerWorker: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sluice's side of Benchmarks/peers: answers requests, one JSON object a line.", shouldDisplay: false)

    func run() throws {
        let decoder = JSONDecoder(), encoder = JSONEncoder()
        var prepared: (any PeerCell)?
        while let line = readLine() {
            var answer = PeerAnswer()
            do {
                try answer.fill(decoder.decode(PeerRequest.self, from: Bytes(line.utf8)), &prepared)
            } catch {
                answer = PeerAnswer(ok: false, error: "\(error)")
            }
            Output(.standardOutput).line(String(decoding: try encoder.encode(answer), as: UTF8.self))
        }
    }
}

// MARK: Protocol

struct PeerRequest: Decodable {
    enum Operation: String, Decodable { case hello, prepare, check, run, memory }

    let op: Operation
    let mode: PeerMode?
    let scalar: ScalarType?
    let batch: Int?
    let steps: Int?
    let inputs: Int?
    let hidden: Int?
    let threads: Int?
    let folder: String?
    let cell: Cell?
    let layers: Int?
    let direction: Direction?
    let projection: Int?
    let lengths: [Int]?
    let out: String?
    let count: Int?
}

enum PeerMode: String, Decodable { case forward, training, stream, job }

struct PeerAnswer: Encodable {
    var ok = true
    var error: String?
    var name: String?
    var version: String?
    var kernels: String?
    var way: String?
    var dtype: [String: String]?
    var seconds: Double?
    var bytes: Int?

    mutating func fill(_ request: PeerRequest, _ prepared: inout (any PeerCell)?) throws {
        switch request.op {
        case .hello:
            let machine = Machine(threads: 1)
            name = "Sluice"
            version = machine.commit ?? "no commit"
            kernels = "\(machine.openBLAS ?? "no OpenBLAS"), fused kernels \(machine.kernelLevel.rawValue)"
        case .prepare:
            prepared = nil
            switch try request.scalar.needed("scalar") {
            case .float: prepared = try PeerPrepared<Float>(request)
            case .double: prepared = try PeerPrepared<Double>(request)
            }
            way = prepared?.way
        case .check: dtype = try prepared.needed("prepare").check(writingTo: request.out.needed("out"))
        case .run: seconds = try prepared.needed("prepare").run(request.count.needed("count"))
        case .memory: bytes = try prepared.needed("prepare").memory()
        }
    }
}

struct PeerFailure: Error, CustomStringConvertible {
    let description: String
}

extension Optional {
    func needed(_ name: String) throws -> Wrapped {
        guard let self else { throw PeerFailure(description: "\(name) is missing") }
        return self
    }
}
