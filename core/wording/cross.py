"""Sentences about answers that were read by another variant than the one that wrote them."""

from __future__ import annotations

from core.cross.summary import CrossRow
from core.gains import GainStrip, concentration
from core.notation import difference_texts, number_text, percent

_SAME_NATS = 0.05
"""A whole answer whose likelihood moved less than this reads as equally likely: with one decimal it would be 0.0."""


def answer_sentence(strip: GainStrip, writer: str, variant: str, reference: str) -> str:
    """Return how much likelier a variant finds one answer than the reference does, and in how few tokens that lies.

    Args:
        strip: the gain of the variant over the reference along the answer.
        writer: who wrote it: the variant or the reference.
        variant: whose gain it is.
        reference: against whom.
    """
    whose = "its own answer" if writer == variant else f"{writer}'s answer"
    if abs(strip.total) < _SAME_NATS:
        return f"{variant} finds {whose} as likely as {reference} does."
    likelier = "likelier" if strip.total > 0 else "less likely"
    found = concentration(strip)
    where = ""
    if found is not None and found.n_tokens < found.of_tokens:
        kind = "gain" if strip.total > 0 else "loss"
        where = f"; {100 * found.share:.0f} % of the {kind} lies in {found.n_tokens} of {found.of_tokens} tokens"
    return f"{variant} finds {whose} {number_text(abs(strip.total), 1)} nats {likelier} than {reference} does{where}."


def summary_sentence(row: CrossRow) -> str:
    """Return the mean over all answers that were read, with its interval."""
    whose = "its own answers" if row.writer == row.variant else f"{row.writer}'s answers"
    if row.difference.difference is None:
        return f"{row.variant} on {whose}: {row.difference.reason}."
    amount, interval = difference_texts(row.difference, "nats")
    n = f"n = {row.difference.n:,}" + (f" of {row.n_of:,}" if row.difference.n < row.n_of else "")
    return f"{row.variant} on {whose}: {' '.join(filter(None, (amount, 'nats an answer', interval)))} ({n})."


def what_it_estimates(divergence: bool, level: float) -> str:
    """Return what a mean over answers is, as a sentence; ``divergence`` is `core.cross.summary.estimates_divergence`."""
    start = f"Mean log-ratio of an answer, with a {percent(level)} interval over examples"
    if divergence:
        return (
            f"{start}: answers were drawn at temperature 1, so that it estimates the KL divergence of the variant from the reference "
            "on its own answers, and minus the reverse one on the reference's."
        )
    return f"{start}. Answers were not drawn at temperature 1: it is no estimate of a KL divergence."
