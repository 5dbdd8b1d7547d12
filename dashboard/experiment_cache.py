"""What the Ablations page keeps of experiments between reruns, keyed by the state of their evidence.

Values are shared by all sessions and must not be changed by whoever gets them.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.experiment.results import Experiment, experiment_results
from core.store import Run
from dashboard import cache

_ENTRIES = 16


def experiment(run: Run) -> Experiment:
    """Return what the parts of an adapter do in an ablation's run; what is there so far, if it is not finished.

    Raises:
        InputError: the run is no ablation.
    """
    return _experiment(str(run.folder), cache.evidence_state(run))


@st.cache_resource(max_entries=_ENTRIES, show_spinner="Comparing the parts with the whole")
def _experiment(folder: str, state: tuple[int, int]) -> Experiment:
    return experiment_results(Run(Path(folder)))
