"""The one line under every result: n, interval level, seed, dataset and run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.notation import percent
from core.results import Comparison
from core.store import Run


def footnote_text(run: Run, comparison: Comparison, part: str | None, *more: str) -> str:
    """Return the line as plain text."""
    counts = sorted(
        {value.n for row in comparison.rows if row.language is None for value in row.values.values() if value.n}
    )
    n = (
        "n = 0"
        if not counts
        else f"n = {counts[0]}"
        if counts[0] == counts[-1]
        else f"n = {counts[0]} to {counts[-1]} by task"
    )
    facts = [
        n, f"{percent(comparison.level)} intervals", f"{comparison.resamples:,} resamples", f"seed {comparison.seed}",
        f"p adjusted over {comparison.family_size} (Holm)", f"slice {part}" if part else "",
        f"data: {hashed_datasets(run, run.spec.datasets)}", f"run {run.id}", *more,
    ]  # fmt: skip
    return " · ".join(fact for fact in facts if fact)


def hashed_datasets(run: Run, names: Iterable[str]) -> str:
    """Return datasets with the first letters of their files' hashes."""
    environment: dict[str, Any] = run.read_json("environment") or {}
    hashes: dict[str, str] = (environment.get("hashes") or {}).get("datasets") or {}
    return ", ".join(f"{name} {hashes[name][:8]}" if hashes.get(name) else name for name in names)
