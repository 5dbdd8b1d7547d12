"""What the Ablations page keeps between reruns: the analysis of a run's choices, keyed by its evidence and its adapters' files.

Values are shared by all sessions and must not be changed by whoever gets them.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import streamlit as st

from core.ablation.analyse import analyse
from core.ablation.measured import outcomes
from core.ablation.records import Analysis, Outcome
from core.errors import InputError
from core.store import Run
from core.workspace import FILE_NAME, Workspace
from dashboard import adapter_cache, cache

_ENTRIES = 32


def outcomes_of(run: Run) -> tuple[Outcome, ...]:
    """Return the metrics that can be looked at, primary ones first."""
    return _outcomes(str(run.folder), cache.evidence_state(run))


def analysis(workspace: Workspace, run: Run, metric: str | None, reference: str | None) -> Analysis:
    """Return what a run says about the choices behind its adapters.

    Args:
        workspace: that names the adapters' folders.
        run: which run.
        metric: `Outcome.key`; None is the first primary one.
        reference: a configuration's name; None, and a name that there is none of, is the one most others differ from in one
            factor.

    Raises:
        InputError: the run has no such metric, or cannot be analysed.
    """
    state = (cache.evidence_state(run), _written(run.folder / "probe.json"), _files(workspace, run))
    if reference is not None:
        try:
            return _analysis(str(run.folder), state, metric, reference, workspace)
        except InputError:  # of another metric's table or of an old link; what else is wrong is said below
            reference = None
    return _analysis(str(run.folder), state, metric, reference, workspace)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _outcomes(folder: str, state: Hashable) -> tuple[Outcome, ...]:
    return outcomes(Run(Path(folder)))


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Comparing the choices")
def _analysis(
    folder: str, state: Hashable, metric: str | None, reference: str | None, _workspace: Workspace
) -> Analysis:
    return analyse(Run(Path(folder)), _workspace, metric=metric, reference=reference)


def _files(workspace: Workspace, run: Run) -> tuple[Hashable, ...]:
    """Return what changes whenever an adapter's files or the workspace's own do."""
    found: list[Hashable] = [_written(workspace.folder / FILE_NAME)]
    for name in run.spec.models.adapters:
        try:
            found.append(adapter_cache.folder_times(workspace.adapter_folder(name)))
        except InputError:
            found.append(name)
    return tuple(found)


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0
