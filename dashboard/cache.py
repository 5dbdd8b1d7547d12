"""What pages keep between reruns: comparisons and other results of reading a run, keyed by the state of its evidence.

The only place that caches. Values are shared by all sessions and must not be changed by whoever gets them.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core import example_texts
from core.adapters import Finding, check_against_base, read_adapter
from core.compare import compare
from core.data.prompt import PromptRenderer
from core.derived import StatisticsReader
from core.diagnostics.kept import TaskAnswers, kept_answers
from core.errors import InputError
from core.example_search import SearchTexts, read_search_texts
from core.examples import ExampleTable
from core.judging import scores_of
from core.lines import IdFilter
from core.metrics.efficiency import Efficiency, summarise_probe
from core.own.files import FOLDER, all_files
from core.own.rows import workspace_of
from core.results import Comparison
from core.slices import find_slices, matcher
from core.store import Run
from core.trust import record_path
from core.workspace import Workspace

_ENTRIES = 64
_SLOTS = 96
_FRAMES = 24
"""Tables of every example's score: of a million examples and ten variants each is 80 MB."""


@dataclass
class Slot:
    """A place for the result of work that shows its progress while it is done, which a cached function must not."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by the session that does the work."""
    made: bool = False
    value: Any = None
    refusal: Exception | None = None
    """Why there is no value and will be none: the same input would be refused again."""


@st.cache_resource(max_entries=_SLOTS, show_spinner=False)
def slot(key: tuple[Hashable, ...]) -> Slot:
    """Return the place that all sessions share for the work with this key."""
    return Slot()


def renderer(folder: Path) -> PromptRenderer:
    """Return the tokenizer and chat template of a model's folder.

    Raises:
        InputError: there is no tokenizer.json, or it cannot be read.
    """
    return _renderer(str(folder), _newest_time(folder) if folder.is_dir() else 0)


@st.cache_resource(max_entries=4, show_spinner=False)
def _renderer(folder: str, changed: int) -> PromptRenderer:
    return PromptRenderer(Path(folder))


def evidence_state(run: Run) -> tuple[int, int]:
    """Return what changes whenever what a comparison reads does: how many files there are, and the newest one's time (ns)."""
    files = [
        run.folder / "evidence.parquet",
        run.folder / "examples.parquet",
        *(run.folder / "parts").glob("*/*.parquet"),
        # What a worker found of the user's own metrics, and whether they may run at all.
        *(run.folder / "derived" / "own").glob("*.json"),
        *own_metric_files(run),
        record_path(),
    ]
    times = []
    for file in files:
        try:
            times.append(file.stat().st_mtime_ns)
        except FileNotFoundError:  # compacted away while we looked, or not there yet
            continue
    return len(times), max(times, default=0)


def own_metric_files(run: Run) -> list[Path]:
    """Return the files of the workspace's own metrics, if the run names any."""
    place = workspace_of(run) if run.spec.own_metrics else None
    return [] if place is None else list(all_files(place / FOLDER))


def comparison(run: Run, reference: str, part: str | None) -> Comparison:
    """Return every metric of a run, every variant against ``reference``.

    Args:
        run: which run; what is there so far, if it is not finished.
        reference: a variant's name.
        part: a slice, any name of `core.slices`; None is all examples.

    Raises:
        InputError: the run has no slice of this name.
    """
    return _comparison(str(run.folder), evidence_state(run), reference, part)


def scores(run: Run, task: str, metric: str, part: str | None, language: str | None = None) -> pd.DataFrame:
    """Return the metric's value of each example (index) and variant (columns), within a slice and a language."""
    parts = tuple(name for name in (part, f"language={language}" if language else None) if name)
    return _scores(str(run.folder), evidence_state(run), task, metric, parts)


def efficiency(run: Run, reference: str, level: float, seed: int) -> dict[str, Efficiency]:
    """Return what each variant costs by the run's probe; empty without one."""
    probe = run.folder / "probe.json"
    written = probe.stat().st_mtime_ns if probe.is_file() else 0
    return _efficiency(str(run.folder), written, reference, level, seed)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def _efficiency(folder: str, written: int, reference: str, level: float, seed: int) -> dict[str, Efficiency]:
    return summarise_probe(Run(Path(folder)).read_json("probe"), reference, level=level, seed=seed)


def slices(run: Run) -> tuple[str, ...]:
    """Return what parts the run's examples: tags and languages, sorted, and then every other slice that is large enough."""
    return _slices(str(run.folder), evidence_state(run))


def slice_ids(run: Run, task: str, part: str) -> frozenset[str]:
    """Return the ids of a task's examples that lie in a slice.

    Raises:
        InputError: the run has no slice of this name.
    """
    return _slice_ids(str(run.folder), evidence_state(run), task, part)


def statistics_reader(run: Run) -> StatisticsReader:
    """Return what holds a run's statistics in memory, so that the next slice of it reads nothing."""
    return _reader(str(run.folder), evidence_state(run))


@st.cache_resource(max_entries=2, show_spinner=False)
def _reader(folder: str, state: tuple[int, int]) -> StatisticsReader:
    return StatisticsReader(Run(Path(folder)), in_memory=True)


def inside_of(run: Run, part: str | None) -> IdFilter | None:
    """Return what tells whether an example lies in a slice; None for all examples."""
    return None if part is None else _lies_in(str(run.folder), evidence_state(run), part)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _lies_in(folder: str, state: tuple[int, int], part: str) -> IdFilter:
    return matcher(Run(Path(folder)), part)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _slice_ids(folder: str, state: tuple[int, int], task: str, part: str) -> frozenset[str]:
    return frozenset(_lies_in(folder, state, part).of(task)).intersection(_example_table(folder, state, task).ids)


# The state of the evidence is part of each key. (Streamlit leaves out arguments whose name begins with an underscore.)
@st.cache_resource(max_entries=_ENTRIES, show_spinner="Comparing")
def _comparison(folder: str, state: tuple[int, int], reference: str, part: str | None) -> Comparison:
    if part is None:
        return compare(Run(Path(folder)), reference)
    reader = _reader(folder, state)
    return compare(reader.run, reference, where=_lies_in(folder, state, part), reader=reader)


@st.cache_resource(max_entries=_FRAMES, show_spinner=False)
def _scores(folder: str, state: tuple[int, int], task: str, metric: str, parts: tuple[str, ...]) -> pd.DataFrame:
    table = scores_of(Run(Path(folder)), task, metric)
    if not parts:
        return table
    kept = frozenset.intersection(*(_slice_ids(folder, state, task, part) for part in parts))
    return table[table.index.isin(kept)]


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _slices(folder: str, state: tuple[int, int]) -> tuple[str, ...]:
    run = Run(Path(folder))
    return tuple(dict.fromkeys([*example_texts.parting_tags(run), *(one.name for one in find_slices(run))]))


def example_table(run: Run, task: str) -> ExampleTable:
    """Return the ids and tags of a task's examples."""
    return _example_table(str(run.folder), evidence_state(run), task)


def example_scores_of(run: Run, task: str, metric: str) -> pd.DataFrame:
    """Return a metric's value of each example, rows in the order of `example_table`, a column a variant."""
    return _example_scores_of(str(run.folder), evidence_state(run), task, metric)


def output_lengths(run: Run, task: str) -> pd.DataFrame | None:
    """Return the tokens of each output, rows in the order of `example_table`; None if nothing was generated."""
    return _output_lengths(str(run.folder), evidence_state(run), task)


def task_answers(run: Run, task: str, variant: str) -> TaskAnswers:
    """Return what a variant answered on a classification task."""
    return _task_answers(str(run.folder), evidence_state(run), task, variant)


def predicted_labels(run: Run, task: str) -> dict[str, pd.Categorical]:
    """Return what each variant of a classification task answered, in the order of `example_table`."""
    return _predicted_labels(str(run.folder), evidence_state(run), task)


def search_hits(run: Run, task: str, text: str) -> frozenset[str]:
    """Return the ids of examples whose prompt, reference or outputs contain a text."""
    return _search_hits(str(run.folder), evidence_state(run), task, text.strip().lower())


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _example_table(folder: str, state: tuple[int, int], task: str) -> ExampleTable:
    return example_texts.read_table(Run(Path(folder)), task)


@st.cache_resource(max_entries=_FRAMES, show_spinner=False)
def _example_scores_of(folder: str, state: tuple[int, int], task: str, metric: str) -> pd.DataFrame:
    table, ids = _scores(folder, state, task, metric, ()), _example_table(folder, state, task).ids
    return table if table.index.equals(ids) else table.reindex(ids)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _output_lengths(folder: str, state: tuple[int, int], task: str) -> pd.DataFrame | None:
    return example_texts.read_lengths(Run(Path(folder)), task, _example_table(folder, state, task).ids)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _predicted_labels(folder: str, state: tuple[int, int], task: str) -> dict[str, pd.Categorical]:
    run, ids = Run(Path(folder)), _example_table(folder, state, task).ids.tolist()
    found = {}
    for variant in run.spec.models.variants:
        # Nothing but the labels is held: the answers themselves are gigabytes of a large run.
        given = kept_answers(run, task, variant, _reader(folder, state).evidence_hash)
        labels = given.predictions
        if list(given.answers.ids) != ids:
            of_id = dict(zip(given.answers.ids, labels, strict=True))
            labels = [of_id.get(name) for name in ids]
        found[variant] = pd.Categorical(labels)
    return found


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Reading the answers")
def _task_answers(folder: str, state: tuple[int, int], task: str, variant: str) -> TaskAnswers:
    return kept_answers(Run(Path(folder)), task, variant, _reader(folder, state).evidence_hash)


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Searching")
def _search_hits(folder: str, state: tuple[int, int], task: str, text: str) -> frozenset[str]:
    return _search_texts(folder, state, task).find(text)


@st.cache_resource(max_entries=2, show_spinner=False)
def _search_texts(folder: str, state: tuple[int, int], task: str) -> SearchTexts:
    return read_search_texts(Run(Path(folder)), task)


def adapter_findings(workspace: Workspace) -> list[tuple[str, list[Finding]]]:
    """Return what the files of each adapter say about whether it fits the base, in the workspace's order."""
    base = workspace.model_location(workspace.spec.models.base)
    found = []
    for name in workspace.spec.models.adapters:
        try:
            folder = workspace.adapter_folder(name)
        except InputError as error:
            found.append((name, [Finding("error", "missing", str(error))]))
            continue
        found.append((name, _adapter_findings(str(folder), str(base), isinstance(base, Path), _newest_time(folder))))
    return found


def _newest_time(folder: Path) -> int:
    """Return when the newest file of a folder was changed (ns), 0 if there is none."""
    return max((file.stat().st_mtime_ns for file in folder.iterdir() if file.is_file()), default=0)


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Looking at the adapters")
def _adapter_findings(folder: str, base: str, is_local: bool, _changed: int) -> list[Finding]:
    try:
        facts = read_adapter(Path(folder))
        found = [Finding("warning", "config", sentence) for sentence in facts.warnings]
        return found + (check_against_base(facts, Path(base)) if is_local and Path(base).is_dir() else [])
    except (InputError, OSError) as error:
        return [Finding("error", "unreadable", str(error))]
