"""Where lorascope keeps what it can make again: the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for things that can be made again.

    ``LORASCOPE_CACHE`` wins; otherwise the XDG base directory convention, with ``~/.cache`` as its default.
    """
    if chosen := os.environ.get("LORASCOPE_CACHE"):
        return Path(chosen).expanduser()
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "lorascope"


def import_path() -> str:
    """Return PYTHONPATH for a process of ours: where lorascope itself is, then what the user has set."""
    return os.pathsep.join(filter(None, [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH")]))


def cached_model(name: str) -> Path:
    """Return the folder of the model that a workspace calls ``cache:NAME``; it need not exist yet."""
    return cache_folder() / "models" / name
