"""Where lorascope keeps what is the user's own: what can be made again, and what was decided."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for things that can be made again.

    ``LORASCOPE_CACHE`` wins; otherwise the XDG base directory convention, with ``~/.cache`` as its default.
    """
    if chosen := os.environ.get("LORASCOPE_CACHE"):
        return Path(chosen).expanduser()
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "lorascope"


def config_folder() -> Path:
    """Return the folder for what the user decided and what cannot be made again.

    ``LORASCOPE_CONFIG`` wins; otherwise the XDG base directory convention, with ``~/.config`` as its default.
    """
    if chosen := os.environ.get("LORASCOPE_CONFIG"):
        return Path(chosen).expanduser()
    root = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(root).expanduser() / "lorascope"


def import_path() -> str:
    """Return PYTHONPATH for a process of ours: where lorascope itself is, then what the user has set."""
    return os.pathsep.join(filter(None, [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH")]))


def cached_model(name: str) -> Path:
    """Return the folder of the model that a workspace calls ``cache:NAME``; it need not exist yet."""
    return cache_folder() / "models" / name


def forget_old(folder: Path, days: float) -> None:
    """Take away what lies in a folder of the cache and was not used for so many days; what cannot be taken away stays."""
    oldest = time.time() - days * 86_400
    for entry in folder.iterdir() if folder.is_dir() else ():
        try:
            if entry.stat().st_mtime >= oldest:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink()
        except OSError:
            continue
