import SluiceIO

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The directory of a run's files: made and tried before the work begins, so that no result is lost at its end.
struct OutputDirectory {
    /// The names of the files.
    enum Name: String, CaseIterable {
        case chart = "loss.svg"
        case losses = "losses.csv"
        case model = "model.safetensors"
    }

    /// Where runs are written, and models read, unless a person says otherwise.
    static let standard = "runs/addition"

    let path: String

    /// Makes the directory, with those above it, and tries to write in it.
    init(_ path: String) throws(Failure) {
        guard !path.isEmpty else { throw .usage("--out must name a directory") }
        self.path = path
        try makeDirectories()
        for name in Name.allCases { try tryWriting(self[name]) }
    }

    /// The path of a file.
    subscript(_ name: Name) -> String { path.hasSuffix("/") ? path + name.rawValue : "\(path)/\(name.rawValue)" }

    /// Writes all files of a run. They are one result: all are written before the first takes its name, so that where one cannot
    /// be, as on a full disk, all are as they were before.
    ///
    /// - Returns: the paths written.
    func write<S>(_ run: TrainingRun<S>, _ settings: Settings) throws(Failure) -> [String] {
        let chart = LossChart(
            title: "Learning to add: loss over \(counted(run.epochs, "epoch"))", subtitle: settings.summary,
            train: run.history.train.map(Double.init), test: run.history.test.map(Double.init))
        var metadata = [
            "task": "binary addition", "settings": JSON.object(Report.fields(settings)).text,
            "train_loss": "\(run.losses.train)", "test_loss": "\(run.losses.test)",
        ]
        if !run.isFinished { metadata["interrupted"] = "after \(run.epochs) of \(settings.epochs) epochs" }
        do {
            let files = try Name.allCases.map { name throws(FileError) in try AtomicFile(replacing: self[name]) }
            for (name, file) in zip(Name.allCases, files) {
                switch name {
                case .chart: try file.write([UInt8](chart.svg.utf8))
                case .losses: try file.write([UInt8](run.history.csv.utf8))
                case .model: try run.network.write(to: file, self[name], metadata: metadata)
                }
            }
            try AtomicFile.commit(files)
        } catch {
            throw Failure("\(error)", exitCode: Failure.cannotCreate)
        }
        return Name.allCases.map { self[$0] }
    }

    private func makeDirectories() throws(Failure) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[end...].dropFirst().firstIndex(of: "/") ?? path.endIndex
            let directory = String(path[..<end])
            if unsafe mkdir(directory, 0o777) == 0 || Self.isDirectory(directory) { continue }
            let cause = errno == EEXIST ? ENOTDIR : errno
            throw .usage(
                "--out \(shown) cannot be made: \(directory.inOneLine(limit: 120)): \(Console.message(of: cause))")
        }
    }

    /// Begins a file and drops it.
    private func tryWriting(_ file: String) throws(Failure) {
        do { _ = try AtomicFile(replacing: file) } catch {
            throw .usage("--out \(shown) cannot be written: \(error)")
        }
    }

    /// The path as a part of a line.
    private var shown: String { path.inOneLine(limit: 120) }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
