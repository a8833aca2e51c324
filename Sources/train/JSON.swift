import SluiceIO

/// A JSON value, written on one line; the fields of an object keep their order.
enum JSON {
    case string(String)
    case integer(Int)
    case unsigned(UInt64)
    /// Not a number where it is not finite: JSON then says null.
    case number(Double)
    case boolean(Bool)
    case array([JSON])
    case object([(String, JSON)])

    var text: String {
        switch self {
        case .string(let value): Self.quoted(value)
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : "null"
        case .boolean(let value): "\(value)"
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let fields):
            "{" + fields.map { name, value in "\(Self.quoted(name)):\(value.text)" }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case let visible where visible.isVisible: text.unicodeScalars.append(visible)
            default:
                // What is not seen, a terminal might obey.
                for unit in String(scalar).utf16 {
                    let hex = String(unit, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                }
            }
        }
        return text + "\""
    }
}
