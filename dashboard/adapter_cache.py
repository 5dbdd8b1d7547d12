"""What the Adapters page keeps between reruns: facts of adapters and results of their measurements, keyed by their files' times.

Values are shared by all sessions and must not be changed by whoever gets them.
"""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from core.adapters import AdapterFacts, read_adapter
from core.adapters.anatomy import Anatomy
from core.adapters.chat import TemplateDifference
from core.adapters.chat import template_difference as compare_templates
from core.adapters.kept import (
    AdapterJob,
    Answered,
    anatomy_job,
    load_anatomy,
    load_merge_check,
    load_overlap,
    merge_job,
    overlap_job,
)
from core.adapters.merge import MergeCheck
from core.adapters.overlap import Overlap
from core.adapters.prompts import some_examples, some_prompts
from core.errors import InputError
from core.merge_metrics import MergeMetric, merge_metrics
from core.store import Run
from core.workspace import Workspace

_ENTRIES = 128


def facts(folder: Path) -> AdapterFacts:
    """Return what an adapter's files say.

    Raises:
        InputError: they cannot be read as an adapter.
    """
    return _facts(str(folder), folder_times(folder))


def base_folder(workspace: Workspace) -> Path | None:
    """Return the folder of the workspace's base; None where it is not on this disk."""
    found = workspace.model_location(workspace.spec.models.base)
    return found if isinstance(found, Path) and found.is_dir() else None


def template_difference(workspace: Workspace, folder: Path) -> TemplateDifference | None:
    """Return how an adapter's chat template differs from the base's; None where it does not, or there is no telling."""
    base = base_folder(workspace)
    if base is None:
        return None
    return _template_difference(str(folder), str(base), (folder_times(folder), folder_times(base)))


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def _template_difference(folder: str, base: str, times: tuple[tuple[int, int], ...]) -> TemplateDifference | None:
    try:
        return compare_templates(Path(folder), Path(base))
    except InputError:  # the findings say so
        return None


def base_layers(workspace: Workspace) -> int | None:
    """Return how many layers the base has; None where its config does not say."""
    folder = base_folder(workspace)
    if folder is None:
        return None
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found = content.get("num_hidden_layers", content.get("n_layer"))
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, int) else None


def anatomy(workspace: Workspace, found: AdapterFacts) -> tuple[AdapterJob, Anatomy | None]:
    """Return the measurement of what an adapter changes, and its result if it is there."""
    job = anatomy_job(workspace.folder, found, base_folder(workspace))
    return job, _anatomy(str(job.folder), _written(job), job)


def overlap(workspace: Workspace, first: AdapterFacts, second: AdapterFacts) -> tuple[AdapterJob, Overlap | None]:
    """Return the measurement of how alike two adapters are, and its result if it is there."""
    job = overlap_job(workspace.folder, first, second)
    return job, _overlap(str(job.folder), _written(job), job)


def merge_check(
    workspace: Workspace, found: AdapterFacts, base: Path, scale: float, run: Run, quantised: bool, answered: int
) -> tuple[AdapterJob, MergeCheck | None]:
    """Return the check of an adapter merged into its base on some of a run's prompts, and its result if it is there.

    Args:
        workspace: the workspace.
        found: the adapter.
        base: its base.
        scale: factor on the adapter's own scale.
        run: whose prompts and examples are asked.
        quantised: whether a base in 4 bits is looked at too.
        answered: how many examples of each task every model answers, for the metrics.
    """
    state = _examples(run)
    examples = Answered(run, _asked(str(run.folder), state, answered)) if answered else None
    job = merge_job(workspace.folder, found, base, scale, run.id, _prompts(str(run.folder), state), quantised, examples)
    return job, _merge_check(str(job.folder), _written(job), job)


def metrics_of_merging(job: AdapterJob, found: MergeCheck) -> tuple[MergeMetric, ...]:
    """Return what merging moves in the run's metrics; nothing where no examples were answered."""
    return _merge_metrics(str(job.folder), _written(job), found)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _facts(folder: str, times: tuple[int, int]) -> AdapterFacts:
    return read_adapter(Path(folder))


# A job is made of the folder that is the key: its name begins with an underscore so that it is not hashed beside it.
@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _anatomy(folder: str, written: int, _job: AdapterJob) -> Anatomy | None:
    return load_anatomy(_job)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _overlap(folder: str, written: int, _job: AdapterJob) -> Overlap | None:
    return load_overlap(_job)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _merge_check(folder: str, written: int, _job: AdapterJob) -> MergeCheck | None:
    return load_merge_check(_job)


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Comparing the answers")
def _merge_metrics(folder: str, written: int, _found: MergeCheck) -> tuple[MergeMetric, ...]:
    return merge_metrics(Path(folder), _found)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _asked(folder: str, written: int, count: int) -> dict[str, tuple[str, ...]]:
    return some_examples(Run(Path(folder)), count)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _prompts(folder: str, written: int) -> tuple[str, ...]:
    return some_prompts(Run(Path(folder)))


def _written(job: AdapterJob) -> int:
    path = job.folder / "result.json"
    return path.stat().st_mtime_ns if path.is_file() else 0


def _examples(run: Run) -> int:
    path = run.folder / "examples.parquet"
    return path.stat().st_mtime_ns if path.is_file() else 0


def folder_times(folder: Path) -> tuple[int, int]:
    """Return how many files an adapter has, checkpoints' logs included, and when the newest of them was changed (ns)."""
    files = [*folder.glob("*"), *folder.glob("checkpoint-*/trainer_state.json")] if folder.is_dir() else []
    return len(files), max((file.stat().st_mtime_ns for file in files if file.exists()), default=0)
