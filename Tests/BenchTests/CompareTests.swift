import ArgumentParser
import Testing

@testable import bench

@Suite struct CompareTests {
    @Test(arguments: [
        ["--filter", "training double 64,50,512,512"], ["--filter", "double training"], ["--quick"],
        ["--threads", "256"],
        [],
    ]) func goodOptions(arguments: [String]) throws {
        _ = try Compare.parse(arguments)
    }

    /// 64,50,512,512 is none of the quick shapes; a machine asked for 100,000 threads is busy making them for minutes.
    @Test(arguments: [
        ["--filter", "nonsense"], ["--filter", "64,50,512,51"], ["--quick", "--filter", "64,50,512,512"],
        ["--quick", "--full"], ["--threads", "0"], ["--threads", "257"], ["--threads", "100000"],
    ]) func badOptionsAreRefused(arguments: [String]) throws {
        let error = try #require(#expect(throws: (any Error).self) { try Compare.parse(arguments) })
        #expect(Compare.exitCode(for: error).rawValue == 64)
    }

    @Test(arguments: ["0", "257", "9999999999999"]) func layersRefuseTooManyThreads(threads: String) throws {
        let error = try #require(
            #expect(throws: (any Error).self) { try Layers.parse(["1,1,2,2", "--threads", "1", threads]) })
        #expect(Layers.exitCode(for: error).rawValue == 64)
    }
}
