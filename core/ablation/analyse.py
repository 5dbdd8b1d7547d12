"""Everything that a run's adapters say about the choices behind them, for one outcome."""

from __future__ import annotations

from collections.abc import Sequence

from core.ablation.gather import adapters_of
from core.ablation.kept import Known
from core.ablation.measured import Pool, chosen_outcome, outcomes
from core.ablation.records import Analysis, LeftOut
from core.ablation.table import base_table
from core.blas_threads import one_blas_thread
from core.errors import InputError
from core.families import declared_family
from core.measuring import RESAMPLES
from core.records import BASELINE
from core.store import Run
from core.workspace import Workspace


def analyse(
    runs: Run | Sequence[Run], workspace: Workspace | None, *, metric: str | None = None, reference: str | None = None
) -> Analysis:
    """Return what the adapters of a run differ in, and what can be said of it.

    Args:
        runs: one, or several that asked the same examples in the same way; names are those of the first.
        workspace: where the adapters' folders are, and what the user says of them (``factors``); None where there is none.
        metric: ``task/metric``, by default the first primary one.
        reference: a configuration's name, or any adapter of it; by default the one from which most others differ in one factor.

    Raises:
        InputError: an unknown metric or reference, or runs that do not belong together.
    """
    chosen = [runs] if isinstance(runs, Run) else list(runs)
    if not chosen:
        raise InputError("runs: found none, expected one run or more.")
    # The products are small: a second thread of the linear algebra wins nothing.
    with one_blas_thread():
        return _analysis(chosen, workspace, metric, reference)


def _analysis(
    chosen: Sequence[Run], workspace: Workspace | None, metric: str | None, reference: str | None
) -> Analysis:
    pool, outcome = Pool(chosen), chosen_outcome(chosen[0], metric)
    known: list[Known] = []
    left_out: list[LeftOut] = []
    for run in chosen:
        found, without = adapters_of(run, workspace)
        there = {one.variant for one in known}
        known += [one for one in found if one.variant not in there]
        left_out += without
    shown = {BASELINE, *(one.variant for one in known)}
    measured = pool.measurement(outcome, [name for name in pool.variants if name in shown] or pool.variants, shown=True)
    others = [one for one in outcomes(chosen[0]) if one.primary and one.key != outcome.key]
    bases: dict[str, list[Known]] = {}
    for one in known:
        bases.setdefault(one.base, []).append(one)
    _check_reference(reference, known, left_out)
    tables = tuple(base_table(pool, measured, others, base, some, reference) for base, some in bases.items())
    baseline = measured.values.get(BASELINE)
    return Analysis(
        run_ids=tuple(run.id for run in chosen), outcome=outcome, outcomes=outcomes(chosen[0]), level=chosen[0].spec.level,
        seed=chosen[0].spec.settings.seed, resamples=RESAMPLES, n=int(measured.joint.sum()), baseline=baseline,
        variants=pool.variants, tables=tables, left_out=tuple(left_out), notes=_notes(tables, chosen),
    )  # fmt: skip


def _check_reference(reference: str | None, known: Sequence[Known], left_out: Sequence[LeftOut]) -> None:
    names = [one.variant for one in known]
    if reference is None or reference in names:
        return
    why = next((f" ({one.reason})" for one in left_out if one.variant == reference), "")
    raise InputError(
        f"reference: found {reference!r}{why}, expected one of {', '.join(names) or 'no adapter: there is none'}."
    )


def _notes(tables: Sequence[object], runs: Sequence[Run]) -> tuple[str, ...]:
    notes = []
    if not tables:
        notes.append("No adapter of this run has files that say how it was trained.")
    if len(tables) > 1:
        notes.append(
            "The adapters are of several bases: each base has a table of its own, and nothing is compared across them."
        )
    if not any(declared_family(run.spec) for run in runs):
        notes.append("No metric was declared primary: p-values are corrected over the metric shown alone.")
    return tuple(notes)
