"""Which code of a workspace may run: none, until its owner says so; and a file that changed has to be trusted again.

What was trusted is kept outside the workspace, in the user's own folder, so that a workspace cannot vouch for itself: the
workspace's path with the sha256 of every file in its ``metrics/``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.errors import InputError
from core.own.files import FOLDER, OwnFile, all_files, file_hash
from core.paths import config_folder
from core.store import write_json


@dataclass(frozen=True)
class TrustState:
    """What of a workspace's code is trusted. Files are relative to the workspace: ``metrics/politeness.py``."""

    state: Literal["nothing", "trusted", "changed", "untrusted"]
    """``nothing``: there is no code; ``changed``: something was trusted, and files changed or came since."""
    files: tuple[str, ...] = ()
    """Every file in ``metrics/``."""
    changed: tuple[str, ...] = ()
    untrusted: tuple[str, ...] = ()
    """Files that were not there, or were not trusted."""


def record_path() -> Path:
    """Return the file that keeps what was trusted."""
    return config_folder() / "trust.json"


def is_trusted(workspace: Path) -> TrustState:
    """Return what of a workspace's ``metrics/`` is trusted as it is now.

    Args:
        workspace: its folder.

    Raises:
        InputError: the record is damaged.
    """
    recorded = _record().get(str(workspace.resolve()))
    now = _hashes(workspace)
    if not now:
        return TrustState("nothing")
    known: dict[str, str] = recorded or {}
    changed = tuple(name for name, digest in now.items() if name in known and known[name] != digest)
    untrusted = tuple(name for name in now if name not in known)
    if not changed and not untrusted:
        return TrustState("trusted", tuple(now))
    return TrustState("untrusted" if recorded is None else "changed", tuple(now), changed, untrusted)


def trust(workspace: Path) -> TrustState:
    """Record that every file in a workspace's ``metrics/``, as it is now, may run; return the new state.

    Raises:
        InputError: there is no such file, or the record cannot be written.
    """
    now = _hashes(workspace)
    if not now:
        raise InputError(f"{workspace / FOLDER}: there is no file here, and so nothing to trust.")
    _write(_record() | {str(workspace.resolve()): now})
    return is_trusted(workspace)


def revoke(workspace: Path) -> bool:
    """Forget that a workspace was trusted; return whether it was.

    Raises:
        InputError: the record is damaged or cannot be written.
    """
    record = _record()
    if str(workspace.resolve()) not in record:
        return False
    del record[str(workspace.resolve())]
    _write(record)
    return True


def why_untrusted(workspace: Path, own: OwnFile) -> str | None:
    """Return why a metric must not run, as a sentence with what to do; None where all its files are trusted."""
    state = is_trusted(workspace)
    names = {_name(workspace, path) for path in own.files}
    advice = f"look at it, then run: lorascope trust --workspace {workspace.resolve()}"
    if changed := sorted(names & set(state.changed)):
        return f"not trusted: {changed[0]} has changed since it was; {advice}"
    if new := sorted(names & set(state.untrusted)):
        return f"not trusted: {new[0]} is code that nobody has allowed to run; {advice}"
    return None


def trusted_hashes(workspace: Path) -> dict[str, str]:
    """Return the sha256 of every file that was trusted, by its path relative to the workspace."""
    return dict(_record().get(str(workspace.resolve()), {}))


def _hashes(workspace: Path) -> dict[str, str]:
    return {_name(workspace, path): file_hash(path) for path in all_files(workspace / FOLDER)}


def _name(workspace: Path, path: Path) -> str:
    return path.relative_to(workspace).as_posix()


def _record() -> dict[str, Any]:
    path = record_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: what was trusted cannot be read ({error}). Mend or remove the file.") from None
    good = isinstance(content, dict) and all(isinstance(files, dict) for files in content.values())
    if not good:
        raise InputError(f"{path}: this is not a record of trusted workspaces. Remove the file and trust again.")
    return content


def _write(record: dict[str, Any]) -> None:
    try:
        write_json(record_path(), record)
    except OSError as error:
        raise InputError(f"{record_path()}: cannot be written ({error.strerror}). Make it writable.") from None
