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
        try tryWriting()
        for name in Name.allCases where Self.isDirectory(self[name]) {
            throw .usage("--out \(path) cannot be written: \(self[name]) is a directory")
        }
    }

    /// The path of a file.
    subscript(_ name: Name) -> String { path.hasSuffix("/") ? path + name.rawValue : "\(path)/\(name.rawValue)" }

    /// Writes all files of a run; each is whole or as it was before.
    ///
    /// - Returns: the paths written.
    func write<S>(_ run: TrainingRun<S>, _ settings: Settings) throws(Failure) -> [String] {
        let chart = LossChart(
            title: "Learning to add: loss over \(counted(run.epochs, "epoch"))", subtitle: settings.summary,
            train: run.history.train.map(Double.init), validation: run.history.test.map(Double.init))
        do {
            try writeAtomically(chart.svg, to: self[.chart])
            try writeAtomically(run.history.csv, to: self[.losses])
            try run.network.save(
                to: self[.model],
                metadata: [
                    "task": "binary addition", "settings": JSON.object(Report.fields(settings)).text,
                    "train_loss": "\(run.losses.train)", "test_loss": "\(run.losses.test)",
                ])
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
            throw .usage("--out \(path) cannot be made: \(directory): \(Console.message(of: cause))")
        }
    }

    private func tryWriting() throws(Failure) {
        var template = Array("\(path)/.train-XXXXXX".utf8CString)
        let file = unsafe mkstemp(&template)
        guard file >= 0 else {
            throw .usage("--out \(path) cannot be written: \(Console.message(of: errno))")
        }
        close(file)
        unsafe unlink(template)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
