/// Formats of weights and arrays that a person may take for safetensors: told by how their files begin.
enum ForeignFormat {
    /// How many of the first bytes are looked at.
    static let recognized = 512

    /// What a file is that begins so, and how to make safetensors of it; nil if it is not known.
    static func problem(_ beginning: [UInt8]) -> String? {
        guard let (name, mend) = format(beginning) else { return nil }
        return "is \(name), not safetensors: \(mend)"
    }

    private static func format(_ bytes: [UInt8]) -> (name: String, mend: String)? {
        func begins(_ text: StaticString) -> Bool { bytes.starts(with: Array("\(text)".utf8)) }
        func begins(_ start: [UInt8]) -> Bool { bytes.starts(with: start) }
        if begins([0x50, 0x4B, 0x03, 0x04]) || begins([0x50, 0x4B, 0x05, 0x06]) { return archive(bytes) }
        if begins([0x80]), bytes.count > 1, (2...5).contains(bytes[1]) { return pyTorch }
        if begins([0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A]) {
            return ("an HDF5 file (a Keras .h5?)", keras)
        }
        if begins([0x93] + Array("NUMPY".utf8)) {
            return (
                "a NumPy array (.npy)", "safetensors.numpy.save_file({name: numpy.load(path)}, \"model.safetensors\")"
            )
        }
        if begins([0x1F, 0x8B]) { return ("a gzip file", "unpack it first, with gunzip or tar") }
        if begins("GGUF") {
            return (
                "a GGUF file",
                "read it with the Python package gguf and write its tensors by safetensors.numpy.save_file"
            )
        }
        if begins("version https://git-lfs") {
            return ("a pointer of Git LFS, not the file itself", "fetch the file by git lfs pull")
        }
        if begins("<!") || begins("<html") { return ("a web page", "download the file itself") }
        if isONNX(bytes) {
            return (
                "an ONNX model",
                "safetensors.numpy.save_file({t.name: onnx.numpy_helper.to_array(t) for t in "
                    + "onnx.load(path).graph.initializer}, \"model.safetensors\")"
            )
        }
        return nil
    }

    private static let pyTorch = (
        "a PyTorch file (a pickle)",
        "safetensors.torch.save_file(torch.load(path, weights_only=True), \"model.safetensors\") in Python writes one"
    )

    private static let keras =
        "safetensors.numpy.save_file({w.path: w.numpy() for w in keras.saving.load_model(path).weights}, "
        + "\"model.safetensors\")"

    /// A zip archive, told by its first member.
    private static func archive(_ bytes: [UInt8]) -> (String, String) {
        var name = ""
        if bytes.count > 30 {
            let length = Int(bytes[26]) | Int(bytes[27]) << 8
            name = String(decoding: bytes[30...].prefix(length), as: UTF8.self)
        }
        if name.hasSuffix("/data.pkl") || name.hasSuffix("/version") || name.hasSuffix("/.format_version") {
            return pyTorch
        }
        if ["metadata.json", "config.json", "model.weights.h5"].contains(name) {
            return ("a Keras file (.keras)", keras)
        }
        if name.hasSuffix(".npy") {
            return (
                "a file of NumPy arrays (.npz)",
                "safetensors.numpy.save_file(dict(numpy.load(path)), \"model.safetensors\")"
            )
        }
        return ("a zip archive", "unpack it first")
    }

    /// A protocol buffer whose first field is a small version number, and whose next is another of a model's: the producer's name
    /// or version, the domain, the graph, ...
    private static func isONNX(_ bytes: [UInt8]) -> Bool {
        bytes.count > 4 && bytes[0] == 0x08 && (1...0x7F).contains(bytes[1])
            && [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42].contains(bytes[2])
    }
}
