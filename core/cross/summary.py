"""How much likelier a variant finds its own answers than another variant does, over all examples that were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.contrasts import measure
from core.cross.kept import known_cells, logprob_sums
from core.derived import example_index
from core.measuring import MIN_TRIALS, RESAMPLES
from core.metrics.metric import Statistics
from core.metrics.registry import get_metric
from core.panels import Panel
from core.resampler import Resampler
from core.results import Difference
from core.spec import Settings
from core.store import Run

_METRIC = "reference_log_likelihood"
"""A text's log-likelihood, averaged over examples: what is measured of references, here of answers."""


@dataclass(frozen=True)
class CrossRow:
    """The answers of one writer, read by a variant and by the reference."""

    task: str
    variant: str
    reference: str
    writer: str
    """The variant itself, or the reference."""
    difference: Difference
    """Mean log-likelihood of an answer, variant minus reference, in nats; its n counts examples. Where `divergence` says so,
    an estimate of KL(variant || reference) for the variant's own answers, and of minus KL(reference || variant) for the
    reference's."""
    nats_per_token: float | None
    """The same, summed and divided by the answers' tokens."""
    n_of: int
    """Examples of the task."""
    complete: bool
    """Whether the answers to all of them were read (some may have had no value): only then does no choice of examples bend the
    mean."""
    divergence: bool
    """Whether the answers were drawn from the writer's own distribution, so that the mean estimates a divergence."""
    level: float


def cross_rows(run: Run, task: str, folder: Path, variants: Sequence[str], reference: str) -> tuple[CrossRow, ...]:
    """Return two rows for each variant, its own answers and the reference's, over the examples that both have read.

    The difference is paired by example; its interval and test are those of every mean of a comparison (bootstrap, sign-flip, by
    cluster where examples have groups).

    Args:
        run: a finished run.
        task: of the run.
        folder: see `core.cross.kept.cross_folder`.
        variants: without the reference; those that nothing was read of are left out.
        reference: with whom they are compared.
    """
    index = example_index(run, task)
    groups = dict(zip(index.ids, index.groups, strict=True))
    made = []
    for variant in variants:
        for writer in (variant, reference):
            ours, theirs = (logprob_sums(folder, reader, writer) for reader in (variant, reference))
            ids = [name for name in index.ids if name in ours and name in theirs]
            if not ids:
                continue
            sums = {variant: [ours[name][0] for name in ids], reference: [theirs[name][0] for name in ids]}
            tokens = sum(ours[name][1] for name in ids)
            gain = float(np.sum(sums[variant], dtype=np.float64) - np.sum(sums[reference], dtype=np.float64))
            difference = _difference(run, sums, reference, [groups[name] for name in ids])[variant]
            made.append(CrossRow(
                task, variant, reference, writer, difference, gain / tokens if tokens else None, len(index.ids),
                _all_read(folder, index.ids, writer, (variant, reference)), estimates_divergence(run.spec.settings), run.spec.level,
            ))  # fmt: skip
    return tuple(made)


def _all_read(folder: Path, ids: Sequence[str], writer: str, readers: Sequence[str]) -> bool:
    wanted = {(name, writer) for name in ids}
    return all(wanted <= known_cells(folder, reader) for reader in readers)


def estimates_divergence(settings: Settings) -> bool:
    """Tell whether answers were drawn from the model's own distribution: only then is their mean log-ratio a divergence.

    Greedy answers, and those of another temperature or of the likeliest tokens alone, are no draws from it.
    """
    return settings.temperature == 1.0 and settings.top_p == 1.0 and not settings.stop


def recorded_gap(run: Run, task: str, folder: Path, variants: Sequence[str]) -> float | None:
    """Return by how many nats an answer's log-likelihood, read by its own writer, differs from what was recorded when it was generated.

    The largest over all examples; None where nothing was read. Both are sums of float32 log-probabilities.
    """
    largest = None
    for variant in variants:
        read = logprob_sums(folder, variant, variant)
        rows = run.evidence(columns=["example_id", "kind", "token_logprobs"], task=task, variant=variant).to_pylist()
        recorded = {row["example_id"]: sum(row["token_logprobs"]) for row in rows if row["kind"] == "generation"}
        for name in read.keys() & recorded.keys():
            gap = abs(read[name][0] - recorded[name])
            largest = gap if largest is None else max(largest, gap)
    return largest


def _difference(
    run: Run, sums: Mapping[str, Sequence[float]], reference: str, groups: Sequence[str | None]
) -> dict[str, Difference]:
    n = len(groups)
    statistics = {
        name: Statistics(np.column_stack([values, np.ones(n)]), np.zeros(n, dtype=bool), (None,) * n, "answer log-likelihood")
        for name, values in sums.items()
    }  # fmt: skip
    panel = Panel(get_metric(_METRIC), statistics, np.ones(n, dtype=bool))
    clusters = list(groups) if any(group is not None for group in groups) else None
    resampler = Resampler(n, clusters, seed=run.spec.settings.seed, resamples=RESAMPLES, trials=MIN_TRIALS)
    return measure([panel], reference, resampler, run.spec.level)[0].differences
