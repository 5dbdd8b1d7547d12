"""Where in the reference a variant gained or lost likelihood against another: per piece of text, in nats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.records import Likelihood


@dataclass(frozen=True)
class Gain:
    """One piece of the reference text and how much likelier it became. A difference of sums of log-probabilities."""

    text: str
    """Empty for the end-of-turn token."""
    nats: float
    """Variant minus reference variant; positive where the variant finds the piece likelier."""
    variant_logprob: float
    reference_logprob: float
    n_tokens: int
    """How many of the variant's tokens begin within the piece."""

    @property
    def is_end(self) -> bool:
        """Whether this is the end of the turn rather than text."""
        return self.text == ""


@dataclass(frozen=True)
class GainStrip:
    """All pieces of one reference text, in order; their texts joined are the reference."""

    gains: tuple[Gain, ...]
    scale: float
    """The |nats| at which a colour is full: the 95th percentile of |nats|, and at least 1."""

    @property
    def total(self) -> float:
        """The gain of the whole reference, nats."""
        return float(np.sum([gain.nats for gain in self.gains], dtype=np.float64))


@dataclass(frozen=True)
class Concentration:
    """In how few tokens most of a text's gain (or loss) lies."""

    share: float
    """Of all gains, or all losses: what lies in ``n_tokens``; above one half, or all of it."""
    n_tokens: int
    of_tokens: int
    """Tokens of the whole text."""


def concentration(strip: GainStrip) -> Concentration | None:
    """Return the fewest tokens that hold at least half of the gains of a text that gained, or of the losses of one that lost.

    Gains and losses are never set off against each other. None where the text neither gained nor lost.
    """
    sign = np.sign(strip.total)
    same = sorted((gain for gain in strip.gains if gain.nats * sign > 0), key=lambda gain: -abs(gain.nats))
    whole = sum(abs(gain.nats) for gain in same)
    held, n_tokens = 0.0, 0
    for gain in same:
        held, n_tokens = held + abs(gain.nats), n_tokens + gain.n_tokens
        if held >= whole / 2:
            return Concentration(held / whole, n_tokens, sum(one.n_tokens for one in strip.gains))
    return None


def gain_strip(reference_text: str, variant: Likelihood, reference: Likelihood) -> GainStrip:
    """Return the gain of a variant over another along the reference text.

    Tokens are placed by the character at which they start. Tokens that start at one character (a character cut into
    several byte tokens) are one piece; where the two variants' tokenizers cut differently, a piece reaches to the next
    character at which both begin a token, so that only sums over the same text are compared.

    Args:
        reference_text: the text that both were scored on.
        variant: its token log-probabilities.
        reference: those of the variant that it is compared with.
    """
    cuts = sorted(set(variant.token_starts) & set(reference.token_starts))
    if not cuts:
        return GainStrip((), 1.0)
    ours, n_tokens = _sums(variant, cuts)
    theirs, _ = _sums(reference, cuts)
    ends = [*cuts[1:], len(reference_text)]
    starts = [0, *cuts[1:]]  # what stands before the first token belongs to it
    gains = tuple(
        Gain(reference_text[start:end], float(mine - other), float(mine), float(other), int(count))
        for start, end, mine, other, count in zip(starts, ends, ours, theirs, n_tokens, strict=True)
    )
    size = np.abs([gain.nats for gain in gains])
    return GainStrip(gains, max(1.0, float(np.percentile(size, 95))))


def _sums(likelihood: Likelihood, cuts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the summed log-probability, float64, and the number of the tokens of each piece."""
    piece = np.maximum(np.searchsorted(cuts, likelihood.token_starts, side="right") - 1, 0)
    sums = np.bincount(piece, weights=np.asarray(likelihood.token_logprobs, dtype=np.float64), minlength=len(cuts))
    return sums, np.bincount(piece, minlength=len(cuts))
