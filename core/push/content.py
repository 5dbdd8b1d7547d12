"""What is handed on of each variant of a run, in plain words and numbers; the targets write it and read nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.errors import InputError, nearest
from core.push.names import unique_names
from core.push.parameters import Plain, variant_parameters
from core.results import Comparison, MetricRow
from core.store import Run

PREFIX = "lorascope."
"""Of every tag, so that none is taken for one of the target's or of the user's."""


@dataclass(frozen=True)
class VariantResult:
    """One variant of a run, as a target's run."""

    run_id: str
    variant: str
    reference: str
    key: str
    """Hexadecimal digits that are the same whenever this variant of this run against this reference is handed on."""
    parameters: dict[str, Plain]
    metrics: dict[str, float]
    """``reply/rouge_l``, ``reply/rouge_l.low``, ``.difference``, ``.p_adjusted`` …: in the metric's own unit, all finite."""
    tags: dict[str, str]
    """What it is, and under ``lorascope.without.METRIC`` why a metric has no number."""
    files: dict[str, bytes] = field(repr=False)
    """Report and tables, by file name."""

    @property
    def digest(self) -> str:
        """SHA-256 of all that is handed on; of the files their names, since a report holds the moment it was made."""
        content = [self.parameters, self.metrics, self.tags, sorted(self.files)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def results_of(
    run: Run, comparison: Comparison, variants: Sequence[str] = (), files: dict[str, bytes] | None = None
) -> list[VariantResult]:
    """Return what is handed on of some variants.

    Args:
        run: which run.
        comparison: of all examples of it.
        variants: which; by default all, the reference too.
        files: report and tables by name; each variant has all of them.

    Raises:
        InputError: the run has no such variant.
    """
    check_variants(run, comparison, variants)
    chosen = [name for name in comparison.variants if not variants or name in variants]
    return [_result(run, comparison, name, files or {}) for name in chosen]


def check_variants(run: Run, comparison: Comparison, variants: Sequence[str]) -> None:
    """Raise InputError where the run has no such variant."""
    for name in variants:
        if name not in comparison.variants:
            known = ", ".join(comparison.variants)
            raise InputError(f"run {run.id}: no variant {name!r}{nearest(name, comparison.variants)}; it has {known}.")


def _result(run: Run, comparison: Comparison, variant: str, files: dict[str, bytes]) -> VariantResult:
    rows = (*comparison.rows, *comparison.feedback, *comparison.efficiency)
    names = dict(zip([row.key for row in rows], unique_names([row.key for row in rows]), strict=True))
    metrics: dict[str, float] = {}
    without: dict[str, str] = {}
    for row in rows:
        name, value = names[row.key], row.values.get(variant)
        if value is None:
            continue
        if value.value is None:
            without[f"{PREFIX}without.{name}"] = value.reason or "not known why"
        metrics |= {f"{name}{end}": number for end, number in _numbers(row, variant) if number is not None}
    parameters, missing = variant_parameters(run, variant)
    return VariantResult(
        run.id, variant, comparison.reference, _key(run, comparison.reference, variant), parameters, metrics,
        _tags(run, comparison, variant) | {f"{PREFIX}without.{name}": why for name, why in missing.items()} | without, files,
    )  # fmt: skip


def _numbers(row: MetricRow, variant: str) -> Iterator[tuple[str, float | None]]:
    """Yield each number of a metric with the end of its name."""
    value, difference = row.values[variant], row.differences.get(variant)
    yield from (("", value.value), (".low", value.low), (".high", value.high), (".n", float(value.n)))
    if difference is not None:
        yield from (
            (".difference", difference.difference), (".difference_low", difference.low), (".difference_high", difference.high),
            (".p_adjusted", difference.p_adjusted),
        )  # fmt: skip


def _tags(run: Run, comparison: Comparison, variant: str) -> dict[str, str]:
    status: dict[str, Any] = run.read_json("status") or {}
    facts = {
        "run": run.id, "variant": variant, "reference": comparison.reference, "level": f"{comparison.level:g}",
        "seed": str(comparison.seed), "resamples": str(comparison.resamples), "created": run.spec.created,
        "state": str(status.get("state") or "not known"), "version": lorascope_version(),
    }  # fmt: skip
    return {f"{PREFIX}{name}": text for name, text in facts.items()}


def _key(run: Run, reference: str, variant: str) -> str:
    # Two workspaces may have runs of one name, but hardly of one moment.
    identity = [run.id, str(run.spec.created), reference, variant]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]


def lorascope_version() -> str:
    """Return the installed version; ``not installed`` where it is run from its sources."""
    try:
        return version("lorascope")
    except PackageNotFoundError:
        return "not installed"
