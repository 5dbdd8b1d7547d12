"""What each variant costs, as rows of a comparison: speed and memory from the probe, size and training time from files.

Five repeats on one machine say what a variant costs there and then; they are too few for a test, so each difference has
its interval over repeats and no p-value, and no row counts towards "better on k of m metrics". Everything is read from the
run's folder, which may lie on another machine than the adapters.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.efficiency_figures import PROBE_FIGURES, ProbeFigure, Table, probe_tables, why_unmeasured
from core.metrics.efficiency import MIN_REPEATS, RESAMPLES
from core.metrics.metric import Unit
from core.records import BASELINE
from core.results import Difference, MetricRow, Value
from core.store import Run

TASK = "efficiency"
_NO_TEST = "repeats on one machine: shown without a verdict"
_NOT_TESTED = "not a sample: shown without a verdict"
_NO_PROBE = "the run has no probe of speed: it was switched off, or has not come yet"
_OVER_NETWORK = "a server answers for it: the time of a network has no place beside this machine's"
_ELSEWHERE = "a server answers for it: its files are not on this disk"
_OLDER = "the version that made this run did not keep it"
_NOTHING = "none"


@dataclass(frozen=True)
class _StaticFigure:
    """One thing that is known of an adapter without running it."""

    name: str
    label: str
    unit: Unit
    key: str
    """In the ``training`` of environment.json."""
    older_key: str | None
    """In preflight.json, which older versions wrote too."""
    missing: str
    """Why it is None where the file was read and did not say."""
    method: str
    signature: str


_STATIC = (
    _StaticFigure(
        "trainable_parameters", "Trainable parameters", "number", "parameters", "trainable_parameters",
        "a whole model: which of its parameters were trained is not known", "counted", "numbers in the adapter's tensors",
    ),
    _StaticFigure(
        "adapter_size", "Adapter size", "bytes", "bytes", "adapter_bytes", "a whole model, no adapter", "counted",
        "bytes of the adapter's tensors",
    ),
    _StaticFigure(
        "training_time", "Training time", "seconds", "seconds", None,
        "the trainer left no train_runtime (trainer_state.json, train_results.json, all_results.json)",
        "logged by the trainer", "train_runtime",
    ),
)  # fmt: skip


def efficiency_rows(run: Run, reference: str, *, level: float, seed: int) -> tuple[MetricRow, ...]:
    """Return one row a figure for every variant of the run; what was not measured is None with its reason.

    Args:
        run: Its probe.json, environment.json and preflight.json are read, each of which may be missing.
        reference: The variant that the others are compared with.
        level: Of the intervals over repeats.
        seed: Of their bootstrap.

    Returns:
        Rows of the probe's figures, then of the files'. Empty where neither says anything, and for predictions that came
        from elsewhere.

    Raises:
        InputError: probe.json lacks a key.
    """
    if run.spec.models.imported:
        return ()
    probe = run.read_json("probe")
    tables, known = probe_tables(probe), _training_facts(run)
    if not tables and not any(known.values()):
        return ()
    variants, served = run.spec.models.variants, run.spec.models.served
    resampled = {name: _resampled(table, seed) for name, table in tables.items()}
    measured = [
        _probe_row(figure, tables, resampled, probe or {}, variants, served, reference, level)
        for figure in PROBE_FIGURES
    ]
    return (*measured, *(_static_row(figure, known, variants, served, reference) for figure in _STATIC))


def _probe_row(
    figure: ProbeFigure, tables: Mapping[str, Table], resampled: Mapping[str, Table | None], probe: Mapping[str, Any],
    variants: Sequence[str], served: Container[str], reference: str, level: float,
) -> MetricRow:  # fmt: skip
    signature = ", ".join(f"{key} {value}" for key, value in probe.get("settings", {}).items())
    drawn = {name: _Drawn(figure, table, resampled[name], level) for name, table in tables.items()}
    values = {
        name: drawn[name].value(signature, why_unmeasured(figure, probe))
        if name in drawn
        else _no_value(_why_not_probed(name, served, tables), signature)
        for name in variants
    }
    differences = {
        name: _no_difference(values, name, reference) or drawn[name].minus(drawn[reference])
        for name in variants
        if name != reference
    }
    return MetricRow(
        task=TASK, metric=figure.name, label=figure.label, family=TASK, unit=figure.unit,
        higher_is_better=figure.higher_is_better, direction_free=figure.direction_free, primary=False, language=None,
        values=values, differences=differences,
    )  # fmt: skip


def _why_not_probed(name: str, served: Container[str], tables: Mapping[str, Table]) -> str:
    if name in served:
        return _OVER_NETWORK
    return f"the probe did not measure {name}" if tables else _NO_PROBE


def _resampled(table: Table, seed: int) -> Table | None:
    """Return tables of resampled repeats, (resamples, repeats, prompts); None where the repeats are too few.

    The same repeats are drawn for every variant, since repeats were interleaved.
    """
    repeats = len(table["seconds"])
    if repeats < MIN_REPEATS:
        return None
    chosen = np.random.default_rng(seed).integers(repeats, size=(RESAMPLES, repeats))
    return {field: values[chosen] for field, values in table.items()}


class _Drawn:
    """A figure of one variant: its value, and its values over resampled repeats where it has an interval."""

    def __init__(self, figure: ProbeFigure, table: Table, resampled: Table | None, level: float) -> None:
        self.repeats, self.prompts = table["seconds"].shape
        self.resampled, self.level = figure.resampled, level
        with np.errstate(all="ignore"):
            self.number = float(figure.of(table))
            self.draws = figure.of(resampled) if figure.resampled and resampled is not None else None

    def value(self, signature: str, why_none: str) -> Value:
        if not np.isfinite(self.number):
            return _no_value(why_none, signature)
        low, high = self._bounds(self.draws)
        return Value(self.number, low, high, self.repeats, 0, None, signature, self._method("repeats"))

    def minus(self, theirs: _Drawn) -> Difference:
        if (self.repeats, self.prompts) != (theirs.repeats, theirs.prompts):
            return Difference(None, None, None, None, None, 0, "none", "the probe has different repeats of the two", "")
        difference = self.number - theirs.number
        both = None if self.draws is None or theirs.draws is None else self.draws - theirs.draws
        low, high = self._bounds(both)
        reason = f"{self.repeats} {_NO_TEST}"
        method = self._method("interleaved repeats")
        return Difference(difference, low, high, None, None, self.repeats, "unclear", reason, method)

    def _bounds(self, draws: np.ndarray | None) -> tuple[float | None, float | None]:
        if draws is None or not np.isfinite(draws).all():
            return None, None
        low, high = np.quantile(draws, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(low), float(high)

    def _method(self, what: str) -> str:
        if not self.resampled:
            return f"highest of {self.repeats * self.prompts} answers"
        if self.repeats < MIN_REPEATS:
            return f"none: an interval needs {MIN_REPEATS} repeats"
        return f"bootstrap over {self.repeats} {what}"


def _training_facts(run: Run) -> dict[str, dict[str, Any]]:
    """Return what the run's files say of each adapter and checkpoint, by the keys of ``training`` in environment.json."""
    found: dict[str, dict[str, Any]] = {}
    kept = (run.read_json("environment") or {}).get("training") or {}
    checked = (run.read_json("preflight") or {}).get("variants") or {}
    for name in run.spec.models.variants:
        older = {
            figure.key: checked[name][figure.older_key]
            for figure in _STATIC
            if figure.older_key is not None and figure.older_key in checked.get(name, {})
        }
        found[name] = older | dict(kept.get(name) or {})
    return found


def _static_row(
    figure: _StaticFigure, known: Mapping[str, Mapping[str, Any]], variants: Sequence[str], served: Container[str],
    reference: str,
) -> MetricRow:  # fmt: skip
    values: dict[str, Value] = {}
    for name in variants:
        facts = known[name]
        # Nothing was added to the base and nothing trained: that is nought, and not unknown.
        number = 0 if name == BASELINE else facts.get(figure.key)
        if number is None:
            told = bool(facts) and "seconds" in facts
            missing = _ELSEWHERE if name in served else figure.missing if told else _OLDER
            values[name] = _no_value(missing, figure.signature)
        else:
            values[name] = Value(float(number), None, None, 1, 0, None, figure.signature, figure.method)
    differences = {
        name: _no_difference(values, name, reference) or _counted_difference(figure, values[name], values[reference])
        for name in variants
        if name != reference
    }
    return MetricRow(
        task=TASK, metric=figure.name, label=figure.label, family=TASK, unit=figure.unit, higher_is_better=False,
        primary=False, language=None, values=values, differences=differences,
    )  # fmt: skip


def _no_value(reason: str, signature: str) -> Value:
    return Value(None, None, None, 0, 0, reason, signature, _NOTHING)


def _counted_difference(figure: _StaticFigure, mine: Value, theirs: Value) -> Difference:
    difference = (mine.value or 0.0) - (theirs.value or 0.0)
    return Difference(difference, None, None, None, None, 1, "unclear", _NOT_TESTED, figure.method)


def _no_difference(values: Mapping[str, Value], name: str, reference: str) -> Difference | None:
    """Return that there is nothing to compare, with the reason, where one of the two has no value."""
    for one in (name, reference):
        if values[one].value is None:
            return Difference(None, None, None, None, None, 0, "none", f"{one}: {values[one].reason}", _NOTHING)
    return None
