"""What a run's probe measured of each variant, as tables over repeats and prompts, and the figures made of them.

Only the probe's own answers count: a shared batch or a cache has no speed of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InputError
from core.metrics.metric import Unit

Table = dict[str, np.ndarray]
"""By field of a `core.engine.probe.ProbeRepeat`: float64, (..., repeats, prompts); NaN where it was not measured."""

_NEEDED = ("n_new_tokens", "seconds", "seconds_to_first_token")
_OPTIONAL = ("cpu_seconds", "peak_host_bytes", "peak_gpu_bytes", "energy_joules")
_OLDER = "the probe of the version that made this run did not measure it"


@dataclass(frozen=True)
class ProbeFigure:
    """One thing that the probe measured."""

    name: str
    label: str
    unit: Unit
    higher_is_better: bool
    of: Callable[[Table], np.ndarray]
    """From a table, (..., repeats, prompts), to the figure, (...)."""
    direction_free: bool = False
    resampled: bool = True
    """Whether it has an interval over repeats; a highest value has none."""


def _over_answers(table: Table, field: str, share: float) -> np.ndarray:
    values = table[field]
    return np.quantile(values.reshape(*values.shape[:-2], -1), share, axis=-1)


def _typical(numerator: np.ndarray, denominator: np.ndarray | float) -> np.ndarray:
    """Return the median over repeats of the ratio of what each repeat's prompts sum to."""
    below = denominator.sum(-1) if isinstance(denominator, np.ndarray) else denominator
    return np.median(numerator.sum(-1) / below, axis=-1)


PROBE_FIGURES = (
    ProbeFigure(
        "tokens_per_second", "Tokens per second", "tokens/s", True, lambda t: _typical(t["n_new_tokens"], t["seconds"])
    ),
    ProbeFigure(
        "time_to_first_token", "Time to first token", "seconds", False,
        lambda t: _over_answers(t, "seconds_to_first_token", 0.5),
    ),
    ProbeFigure("latency_p50", "Latency p50", "seconds", False, lambda t: _over_answers(t, "seconds", 0.5)),
    ProbeFigure("latency_p95", "Latency p95", "seconds", False, lambda t: _over_answers(t, "seconds", 0.95)),
    ProbeFigure(
        "peak_gpu_memory", "Peak GPU memory", "bytes", False, lambda t: t["peak_gpu_bytes"].max((-2, -1)), resampled=False
    ),
    ProbeFigure(
        "peak_host_memory", "Peak host memory", "bytes", False, lambda t: t["peak_host_bytes"].max((-2, -1)),
        resampled=False,
    ),
    ProbeFigure(
        "cpu_seconds", "CPU seconds an answer", "seconds", False,
        lambda t: _typical(t["cpu_seconds"], t["cpu_seconds"].shape[-1]),
    ),
    ProbeFigure(
        "mean_cores", "Mean cores used", "number", False, lambda t: _typical(t["cpu_seconds"], t["seconds"]),
        direction_free=True,
    ),
    ProbeFigure(
        "energy", "Energy an answer", "joules", False, lambda t: _typical(t["energy_joules"], t["energy_joules"].shape[-1])
    ),
)  # fmt: skip


def probe_tables(probe: Mapping[str, Any] | None) -> dict[str, Table]:
    """Return the table of each variant, in the order in which the probe first saw them; empty without a probe.

    Files of older versions, which have one peak of memory, are read as well.

    Raises:
        InputError: an entry lacks a key, or a variant's repeats have different numbers of answers.
    """
    entries: Sequence[Mapping[str, Any]] = (probe or {}).get("repeats") or ()
    on_gpu = _device(probe).startswith("cuda")
    try:
        variants = dict.fromkeys(str(entry["variant"]) for entry in entries)
        return {name: _table([e for e in entries if e["variant"] == name], name, on_gpu) for name in variants}
    except (KeyError, TypeError) as error:
        raise InputError(
            f"probe.json: an entry of 'repeats' lacks {error}. Delete the file and evaluate again."
        ) from None


def why_unmeasured(figure: ProbeFigure, probe: Mapping[str, Any]) -> str:
    """Return why the probe has no such figure, as a sentence for the reader."""
    device = _device(probe)
    if figure.name == "peak_gpu_memory":
        return f"no GPU whose memory is counted: the run was on {device or 'the CPU'}"
    if figure.name == "energy" and "energy" in probe.get("settings", {}):
        return str(probe["settings"]["energy"])
    return _OLDER


def _device(probe: Mapping[str, Any] | None) -> str:
    return str((probe or {}).get("settings", {}).get("device", ""))


def _table(entries: Sequence[Mapping[str, Any]], variant: str, on_gpu: bool) -> Table:
    ordered = sorted(entries, key=lambda entry: (entry["repeat"], entry["prompt"]))
    repeats = len({entry["repeat"] for entry in ordered})
    if len(ordered) % repeats:
        raise InputError(
            f"probe.json: the repeats of {variant!r} have different numbers of answers. Delete the file and evaluate again."
        )
    columns = {field: [entry[field] for entry in ordered] for field in _NEEDED}
    columns |= {field: [entry.get(field) for entry in ordered] for field in _OPTIONAL}
    older = "peak_gpu_bytes" if on_gpu else "peak_host_bytes"
    if all(value is None for value in columns[older]):
        columns[older] = [entry.get("peak_bytes") for entry in ordered]
    return {field: np.array(values, dtype=np.float64).reshape(repeats, -1) for field, values in columns.items()}
