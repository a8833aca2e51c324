/// The seeded generator behind every random number here: xoshiro256** (Blackman and Vigna 2018), started by SplitMix64.
///
/// The same seed gives the same numbers on every machine. Its state is Codable, so that a run can be stopped and resumed.
public struct Random: RandomNumberGenerator, Codable, Hashable, Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    /// A generator whose numbers follow from the seed.
    public init(seed: UInt64) {
        var state = seed
        func splitMixNext() -> UInt64 {
            state &+= splitMixGamma
            return splitMix(state)
        }
        s0 = splitMixNext()
        s1 = splitMixNext()
        s2 = splitMixNext()
        s3 = splitMixNext()
    }

    /// A state that was written down.
    ///
    /// - Throws: where all of it is zero: such a generator gives nothing but zeros.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        s0 = try fields.decode(UInt64.self, forKey: .s0)
        s1 = try fields.decode(UInt64.self, forKey: .s1)
        s2 = try fields.decode(UInt64.self, forKey: .s2)
        s3 = try fields.decode(UInt64.self, forKey: .s3)
        if s0 | s1 | s2 | s3 == 0 {
            throw DecodingError.dataCorruptedError(
                forKey: .s0, in: fields,
                debugDescription: "a generator whose state is 0 in s0, s1, s2 and s3 gives nothing but zeros")
        }
    }

    /// 64 random bits.
    public mutating func next() -> UInt64 {
        let scrambled = s1 &* 5
        let result = (scrambled << 7 | scrambled >> 57) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = s3 << 45 | s3 >> 19
        return result
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Normal with mean 0 and standard deviation 1: the polar method of Marsaglia and Bray (1964).
    public mutating func normal() -> Double {
        while true {
            let u = 2 * uniform() - 1
            let v = 2 * uniform() - 1
            let square = u * u + v * v
            if square > 0 && square < 1 {
                return u * (-2 * Double.bindings.log(square) / square).squareRoot()
            }
        }
    }

    /// Normal with mean 0 and standard deviation 1, redrawn beyond two deviations.
    public mutating func truncatedNormal() -> Double {
        while true {
            let value = normal()
            if abs(value) <= 2 { return value }
        }
    }
}

/// The last stage of SplitMix64 (Steele et al. 2014): a bijection whose every output bit depends on every input bit.
@inline(__always)
func splitMix(_ value: UInt64) -> UInt64 {
    var word = value
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
}

/// SplitMix64's step from one state to the next: 2^64 over the golden ratio, odd.
let splitMixGamma: UInt64 = 0x9E37_79B9_7F4A_7C15
