"""Readings of answers by other variants as a table for files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from core.cross.summary import CrossRow
from core.gains import GainStrip


def cross_records(rows: Sequence[CrossRow]) -> list[dict[str, Any]]:
    """Return each variant and writer by name: the mean log-ratio of an answer in nats, variant minus reference, and what it is."""
    return [
        {
            "task": row.task, "variant": row.variant, "reference": row.reference, "answers_of": row.writer,
            "difference": row.difference.difference, "low": row.difference.low, "high": row.difference.high, "p": row.difference.p,
            "nats_per_token": row.nats_per_token, "n": row.difference.n, "n_of": row.n_of, "complete": row.complete,
            "estimates_divergence": row.divergence, "level": row.level, "method": row.difference.method,
            "reason": row.difference.reason,
        }
        for row in rows
    ]  # fmt: skip


def cross_table(rows: Sequence[CrossRow]) -> pd.DataFrame:
    """Return one row for each variant and writer, see `cross_records`."""
    return pd.DataFrame(cross_records(rows))


def cross_gains_table(strips: Mapping[tuple[str, str], GainStrip], reference: str) -> pd.DataFrame:
    """Return one row for each piece of each answer.

    Args:
        strips: by (variant, writer) the gain of the variant over the reference along the writer's answer.
        reference: against whom.
    """
    rows = [
        {"variant": variant, "reference": reference, "answer_of": writer, **asdict(gain)}
        for (variant, writer), strip in strips.items() for gain in strip.gains
    ]  # fmt: skip
    return pd.DataFrame(rows)
