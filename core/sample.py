"""The sample workspace that comes with lorascope: where it is, and what the demo runs of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.errors import InputError, RunError
from core.paths import cached_model, import_path
from core.prepare import Choice

BASE = "smollm2-135m"
FOLDER = "sample_data"
DEMO = Choice(
    adapters=("qv-r8", "all-r8", "qv-r2"), tasks=("category", "reply"), limit=24, prefix="demo-",
    settings={"max_new_tokens": 48}, robustness=False,
)  # fmt: skip
"""Small enough for three minutes on two cores; perturbed inputs are for a run of one's own."""


def sample_workspace() -> Path:
    """Return the sample workspace's folder: here, or beside the source tree that lorascope runs from.

    Raises:
        InputError: there is none: lorascope was installed without its repository.
    """
    for parent in (Path.cwd(), Path(__file__).resolve().parent.parent):
        if (parent / FOLDER / "workspace.yaml").is_file():
            return parent / FOLDER
    raise InputError(
        f"The sample workspace ({FOLDER}/) is not here. Go to a clone of lorascope's repository, or name the folder with --workspace DIR."
    )


def fetch_base() -> None:
    """Make the sample's base model in a process of its own, unless it is there; its steps go to standard output.

    Raises:
        RunError: it could not be made; what went wrong has been printed.
    """
    if (cached_model(BASE) / "config.json").is_file():
        return
    done = subprocess.run(
        [sys.executable, "-P", "-m", "core.jobs.sample_base"],
        env=os.environ | {"PYTHONPATH": import_path()},
        check=False,
    )
    if done.returncode != 0:
        raise RunError("The sample's base model could not be made; the lines above say why. Nothing else was changed.")
