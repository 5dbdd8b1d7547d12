"""Finds a workspace's own metrics and reads what they say of themselves, without running a line of them.

A metric NAME is the file ``metrics/NAME.py``, or a folder ``metrics/NAME/`` with ``NAME.py`` and whatever it imports beside it.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from core.errors import InputError, nearest
from core.metrics.metric import Unit
from core.spec import KINDS, NAME_PATTERN

FOLDER = "metrics"
_BLOCK = 1 << 20
_CACHE = "__pycache__"
_UNITS: tuple[str, ...] = get_args(Unit)
_CONSTANTS = frozenset({"LABEL", "HIGHER_IS_BETTER", "UNIT", "KINDS"})
_KINDS = tuple(kind for kind in KINDS if kind != "likelihood")
"""A likelihood task has no predictions that could be handed over."""


@dataclass(frozen=True)
class Declaration:
    """What a metric's file says of it in constants; read from the syntax tree."""

    label: str
    higher_is_better: bool
    unit: Unit
    kinds: tuple[str, ...]
    """The kinds of task that it applies to."""


@dataclass(frozen=True)
class OwnFile:
    """Where one metric is."""

    name: str
    path: Path
    """The Python file."""
    shown: str
    """It as a reader knows it: ``metrics/politeness.py``."""
    files: tuple[Path, ...]
    """All files that belong to it."""

    @property
    def fingerprint(self) -> str:
        """A sha256 over the names and contents of its files."""
        digest = hashlib.sha256()
        for path in self.files:
            digest.update(f"{path.relative_to(self.path.parent).as_posix()}\0{file_hash(path)}\n".encode())
        return digest.hexdigest()


def find_own_metrics(workspace: Path) -> dict[str, OwnFile]:
    """Return the metrics in a workspace's ``metrics/`` folder by name; empty where there is no such folder.

    A folder that is a link is no metric: what it holds could change behind the record of what was trusted.
    """
    folder = workspace / FOLDER
    if not folder.is_dir():
        return {}
    found: dict[str, OwnFile] = {}
    for entry in sorted(folder.iterdir()):
        name = entry.stem if entry.suffix == ".py" else entry.name
        if not re.fullmatch(NAME_PATTERN, name):
            continue
        if entry.suffix == ".py" and entry.is_file():
            found[name] = OwnFile(name, entry, f"{FOLDER}/{entry.name}", (entry,))
        elif not entry.is_symlink() and (entry / f"{name}.py").is_file():
            shown = f"{FOLDER}/{name}/{name}.py"
            found.setdefault(name, OwnFile(name, entry / f"{name}.py", shown, all_files(entry)))
    return found


def own_file(workspace: Path, name: str) -> OwnFile | None:
    """Return one metric of a workspace, None where there is none of this name."""
    return find_own_metrics(workspace).get(name)


def all_files(folder: Path) -> tuple[Path, ...]:
    """Return every file under a folder, sorted; linked folders and compiled files are left out (and never loaded)."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != _CACHE]
        found += [Path(place) / name for name in names if (Path(place) / name).is_file()]
    return tuple(sorted(found))


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read_declaration(own: OwnFile) -> Declaration:
    """Return what a metric says of itself: LABEL, HIGHER_IS_BETTER, UNIT and KINDS, each with a default.

    Raises:
        InputError: the file is no Python, has neither two functions nor a class of `evaluate`, or a constant is not
            what it should be; the message names file and line.
    """
    tree = _tree(own)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.bases]
    if not {"statistics", "value"} <= functions and not classes:
        lacking = " and ".join(f"`{name}`" for name in ("statistics", "value") if name not in functions)
        raise InputError(
            f"{own.shown}: found no function {lacking}; expected the functions `statistics` and `value`, or a class of "
            "evaluate.Metric."
        )
    given = _constants(own, tree)
    return Declaration(
        label=_checked(own, given, "LABEL", own.name, _is_label, "a short text"),
        higher_is_better=_checked(
            own, given, "HIGHER_IS_BETTER", True, lambda value: isinstance(value, bool), "True or False"
        ),
        unit=_checked(
            own, given, "UNIT", "number", lambda value: value in _UNITS, f"one of {', '.join(_UNITS)}", _UNITS
        ),
        kinds=_kinds(own, given),
    )


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= 80 and value.isprintable()


def _tree(own: OwnFile) -> ast.Module:
    try:
        return ast.parse(own.path.read_bytes())
    except SyntaxError as error:
        raise InputError(f"{own.shown}, line {error.lineno or 1}: {error.msg}; expected Python.") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{own.shown}: this is not a Python file ({error}).") from None
    except OSError as error:
        raise InputError(f"{own.shown}: cannot be read ({error.strerror}).") from None


def _constants(own: OwnFile, tree: ast.Module) -> dict[str, tuple[Any, int]]:
    """Return the constants that a metric may set, with their lines; they have to be literals, since nothing is run."""
    found: dict[str, tuple[Any, int]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for name in {target.id for target in targets if isinstance(target, ast.Name)} & _CONSTANTS:
            try:
                found[name] = ast.literal_eval(value), node.lineno
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise InputError(
                    f"{own.shown}, line {node.lineno}: {name}: found something that has to be computed; expected the value itself."
                ) from None
    return found


def _checked(
    own: OwnFile,
    given: dict[str, tuple[Any, int]],
    key: str,
    default: Any,
    good: Any,
    expected: str,
    known: Iterable[str] = (),
) -> Any:
    value, line = given.get(key, (default, 0))
    if isinstance(value, list | dict | set) or not good(value):
        hint = nearest(value, known) if isinstance(value, str) else ""
        raise InputError(f"{own.shown}, line {line}: {key}: found {value!r}{hint}, expected {expected}.")
    return value


def _kinds(own: OwnFile, given: dict[str, tuple[Any, int]]) -> tuple[str, ...]:
    value, line = given.get("KINDS", (_KINDS, 0))
    listed = (value,) if isinstance(value, str) else value
    if not isinstance(listed, tuple | list) or not listed or any(kind not in _KINDS for kind in listed):
        raise InputError(f"{own.shown}, line {line}: KINDS: found {value!r}, expected some of {', '.join(_KINDS)}.")
    return tuple(listed)
