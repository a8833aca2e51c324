"""What a network in training leaves out, as Sluice draws it: written from the descriptions of `Mask` and `Regularization`.

Seeds come of xoshiro256** started by SplitMix64, one a sequence; masks of SplitMix64 started by the sequence's seed, what
is masked, in which layer or direction, and the step.
"""

import numpy as np

GAMMA = 0x9E3779B97F4A7C15
WORD = 2**64 - 1
KINDS = ("dropout", "inputDropout", "recurrentDropout", "zoneout", "cellZoneout")


def mix(word):
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
    return word ^ word >> 31


def xoshiro(seed):
    """Endless words."""
    s = [mix(seed + (k + 1) * GAMMA & WORD) for k in range(4)]

    def rotated(word, bits):
        return (word << bits | word >> 64 - bits) & WORD

    while True:
        yield rotated(s[1] * 5 & WORD, 7) * 9 & WORD
        shifted = s[1] << 17 & WORD
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotated(s[3], 45)


class Masks:
    def __init__(self, facts, rates, lengths, steps, seed):
        self.facts, self.rates, self.lengths, self.steps = facts, rates, lengths, steps
        words = xoshiro(seed)
        self.seeds = [next(words) for _ in lengths]

    def struck(self, kind, index, sequence, step, count):
        """[count], true where an element is struck."""
        key = mix(self.seeds[sequence] + (64 * index + KINDS.index(kind) + 1) * GAMMA & WORD)
        key = mix(key + (step + 1) * GAMMA & WORD)
        words = [mix(key + (k + 1) * GAMMA & WORD) for k in range((count + 1) // 2)]
        halves = [half for word in words for half in (word & 0xFFFFFFFF, word >> 32)]
        return np.array(halves[:count]) < round(self.rates.get(kind, 0) * 2**32)

    def of_sequences(self, kind, index, count):
        """[B, count], the same at all steps."""
        return np.stack([self.struck(kind, index, b, 0, count) for b in range(len(self.lengths))])

    def of_steps(self, kind, index, count, backward=False):
        """[T, B, count]. A scan back through time counts its steps from each sequence's own end."""
        result = np.zeros((self.steps, len(self.lengths), count), dtype=bool)
        for b, length in enumerate(self.lengths):
            for t in range(length):
                result[t, b] = self.struck(kind, index, b, length - 1 - t if backward else t, count)
        return result

    def scaled(self, kind, struck):
        return np.where(struck, 0, 1 / (1 - self.rates.get(kind, 0)))

    def inputs(self, layer, count):
        """[T, B, count], by which the inputs of a layer are multiplied."""
        result = self.scaled("inputDropout", self.of_sequences("inputDropout", layer, count))[None]
        if layer > 0:
            result = result * self.scaled("dropout", self.of_steps("dropout", layer, count))
        return result

    def states(self, scan, backward):
        """[B, P], by which the states that U reads are multiplied; and where the states keep their values."""
        H, P = self.facts["hiddenSize"], self.facts.get("projectionSize", self.facts["hiddenSize"])
        recurrent = self.scaled("recurrentDropout", self.of_sequences("recurrentDropout", scan, P))
        kept = [self.of_steps("zoneout", scan, P, backward), self.of_steps("cellZoneout", scan, H, backward)]
        return recurrent, kept
