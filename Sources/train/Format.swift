import Sluice

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// C's `%.Nf`: correctly rounded, so that a line reads as the same line of a C or Python program would.
func fixed(_ value: Double, _ decimals: Int) -> String { formatted("%.*f", decimals, value) }

/// C's `%.Ne`: `2.4e-05`.
func scientific(_ value: Double, _ decimals: Int) -> String { formatted("%.*e", decimals, value) }

private func formatted(_ format: String, _ decimals: Int, _ value: Double) -> String {
    require((0...17).contains(decimals), "\(decimals) decimals")
    // The largest Double has 309 digits before the point.
    let capacity = 352
    return unsafe withVaList([Int32(decimals), value]) { arguments in
        unsafe String(unsafeUninitializedCapacity: capacity) { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                unsafe Int(vsnprintf(text.baseAddress, capacity, format, arguments))
            }
        }
    }
}

/// A whole number with commas: `5,000`.
func grouped(_ value: Int) -> String {
    var text = ""
    let digits = String(value.magnitude)
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index).isMultiple(of: 3) { text.append(",") }
        text.append(digit)
    }
    return value < 0 ? "-" + text : text
}

/// "1 thread", "2 threads".
func counted(_ count: Int, _ noun: String) -> String { "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")" }

/// A time as a person says it: `140 µs`, `3.2 ms`, `0.71 s`, `3 min 20 s`, `2 h 05 min`.
func duration(seconds: Double) -> String {
    switch seconds {
    case ..<0.000_999_5: return "\(fixed(seconds * 1e6, 0)) µs"
    case ..<0.099_95: return "\(fixed(seconds * 1e3, 1)) ms"
    case ..<9.995: return "\(fixed(seconds, 2)) s"
    case ..<59.95: return "\(fixed(seconds, 1)) s"
    case ..<3599.5:
        let whole = Int(seconds.rounded())
        return "\(whole / 60) min \(whole % 60) s"
    case ..<3.6e9:
        let minutes = Int((seconds / 60).rounded())
        return "\(minutes / 60) h \(minutes % 60) min"
    default: return "ages"
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
