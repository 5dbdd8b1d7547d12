"""A user's own metrics in a comparison: what a worker stored of each, or the reason why there is nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.contrasts import NOTHING, Measured, measure
from core.derived import StatisticsReader
from core.errors import InputError
from core.joined.results import joined_facts
from core.lines import Filter, Line, TaskExamples
from core.own.files import OwnFile, own_file, read_declaration
from core.own.results import OwnResult, find_result, identity_of, own_names
from core.own.stored import StoredMetric, stored_panel
from core.resampler import Resampler
from core.results import Difference, MetricRow, Value
from core.store import Run
from core.trust import why_untrusted

FAMILY = "own"
"""Of the rows of own metrics."""
_WORKSPACE_FILE = "workspace.yaml"
_NO_PART = "a metric of your own that is no mean over examples is computed over all of them, and not for a part"


def workspace_of(run: Run) -> Path | None:
    """Return the folder of the workspace that a run lies in, None where it was copied away from it."""
    folder = run.folder.resolve().parent.parent
    return folder if (folder / _WORKSPACE_FILE).is_file() else None


class OwnRows:
    """The own metrics of one run against one reference. Reads files and runs nothing."""

    def __init__(self, reader: StatisticsReader, reference: str, where: Filter | None = None) -> None:
        """Look up what is stored.

        Args:
            reader: of the run.
            reference: the variant that is compared with.
            where: the comparison's filter; with one nothing can be shown, since only the worker may compute.
        """
        self.run, self._reference = reader.run, reference
        self._filtered = where is not None
        self._workspace = workspace_of(self.run)
        self._files: dict[str, OwnFile | None] = {}
        self._found: dict[str, OwnResult | str] = {
            name: self._look_up(reader, name, reference) for name in own_names(self.run)
        }

    @property
    def state(self) -> list[Any]:
        """What tells whether the rows would be the same again, as JSON."""
        return [
            [name, found if isinstance(found, str) else [found.identity, found.fingerprint, found.computed]]
            for name, found in self._found.items()
        ]

    def result(self, name: str) -> OwnResult | None:
        """Return what is stored of a metric; None where nothing fits, see `filled_in` for the reason."""
        found = self._found.get(name)
        return found if isinstance(found, OwnResult) else None

    def filled_in(
        self, found: Sequence[tuple[Line, Measured]], draws: Callable[[TaskExamples], Resampler]
    ) -> list[tuple[Line, Measured]]:
        """Return rows with those of own metrics replaced by what is stored, or by the reason why nothing is.

        Args:
            found: rows of any metrics.
            draws: makes what a part of the examples is measured with.
        """
        return [(line, self._measured(line, measured, draws)) for line, measured in found]

    def described(self, row: MetricRow) -> MetricRow:
        """Return a row with what an own metric says of itself; any other row as it is."""
        found = self._found.get(row.metric)
        if found is None:
            return row
        told = found if isinstance(found, OwnResult) else self._declared(row.metric)
        row = replace(row, family=FAMILY)
        if told is None:
            return row
        return replace(row, label=told.label, unit=told.unit, higher_is_better=told.higher_is_better)

    def _measured(self, line: Line, measured: Measured, draws: Callable[[TaskExamples], Resampler]) -> Measured:
        found = self._found.get(line.name)
        if found is None or line.metric is not None:
            return measured
        if isinstance(found, str):
            return _without(measured, found)
        task = found.tasks.get(line.examples.task)
        if task is None or task.measured is None:
            return _without(measured, (task.fault if task else None) or "it was not computed for this task")
        if not self._filtered:
            return task.measured
        metric = None if task.scores is None else StoredMetric(found, task.scores, line.examples.spec.kind)
        if metric is None or task.scores is None or not metric.is_mean:
            return _without(measured, _NO_PART)
        if not line.examples.n:
            return _without(measured, "no example is left by the filter")
        panel = stored_panel(metric, task.scores, line.examples)
        return measure([panel], self._reference, draws(line.examples), self.run.spec.level)[0]

    def _look_up(self, reader: StatisticsReader, name: str, reference: str) -> OwnResult | str:
        """Return what is stored of a metric, or why there is nothing."""
        identity = identity_of(reader, name, reference)
        if identity is None:
            return "it is computed when the run is finished"
        if self._workspace is None:
            if joined_facts(self.run) is not None:
                return "a metric of your own is computed for each run, and not for several that are joined"
            kept = find_result(self.run, name, identity, None)
            return kept or "it was not computed before the run was copied here; code runs in its workspace alone"
        own = self._files[name] = own_file(self._workspace, name)
        kept = find_result(self.run, name, identity, None if own is None else own.fingerprint)
        if kept is not None:
            return kept
        if own is None:
            return f"metrics/{name}.py is not in the workspace any more; put it back and compute it"
        try:
            untrusted = why_untrusted(self._workspace, own)
        except InputError as error:
            return f"not trusted: {error}"
        return untrusted or self._not_yet(name, own, identity, reference)

    def _not_yet(self, name: str, own: OwnFile, identity: str, reference: str) -> str:
        what = "not computed yet"
        if find_result(self.run, name, identity, None) is not None:
            what = f"{own.shown} has changed since it was computed"
        against = "" if reference == self.run.spec.reference else f" --reference {reference}"
        return f"{what}: run `lorascope compare {self.run.id} --own{against} --workspace {self._workspace}`"

    def _declared(self, name: str) -> Any:
        own = self._files.get(name)
        if own is None:
            return None
        try:
            return read_declaration(own)
        except InputError:
            return None


def _without(measured: Measured, reason: str) -> Measured:
    """Return a row without any value, for a reason."""
    n = max((value.n + value.n_missing for value in measured.values.values()), default=0)
    value = Value(None, None, None, 0, n, reason, "", NOTHING)
    difference = Difference(None, None, None, None, None, 0, "none", reason, NOTHING)
    return Measured(dict.fromkeys(measured.values, value), dict.fromkeys(measured.differences, difference))
