"""What the run's data files are like, as far as they are still there to be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.data.inspect.headline import headline
from core.data.inspect.records import FORMATS
from core.data.inspect.scan import scan
from core.data.profile import rows_of
from core.data.profile.leakage import find_leakage
from core.errors import InputError
from core.notation import counted, size_text
from core.report.document import Section
from core.report.scene import Scene
from core.spec import DatasetSpec

LARGEST = 64_000_000
"""Bytes up to which a file is inspected for a report; what is larger takes longer than a report should."""
LARGEST_FOR_LEAKAGE = 8_000_000
"""The same for looking up a file's rows in the training file."""


def data(scene: Scene) -> Section | None:
    """Return the section; None for a run without data sets."""
    hashes: Mapping[str, Any] = (scene.environment.get("hashes") or {}).get("datasets") or {}
    points: list[str] = []
    for name, spec in scene.run.spec.datasets.items():
        points += _of_dataset(scene.workspace, name, spec, hashes.get(name))
    return Section("data", points=tuple(points)) if points else None


def _of_dataset(workspace: Path | None, name: str, spec: DatasetSpec, expected: str | None) -> list[str]:
    path = None if workspace is None else workspace / spec.path
    if path is None or not (path.is_file() or path.is_dir()):
        return [
            f"{name}: the file is not here, so that nothing is said of it. Its SHA-256 when it was evaluated: {expected or 'not kept'}."
        ]
    train = None if spec.train is None or workspace is None else workspace / spec.train
    told = [f"{name} (evaluation): {_said(path, expected, evaluation=True)}"]
    if train is not None and (train.is_file() or train.is_dir()):
        told.append(f"{name} (training): {_said(train, None, evaluation=False)}")
        told += _leaked(name, path, train)
    return told


def _said(path: Path, expected: str | None, evaluation: bool) -> str:
    size = path.stat().st_size if path.is_file() else 0
    if size > LARGEST:
        return f"{size_text(size)}, too large to inspect here; see lorascope inspect."
    try:
        found = scan(path, evaluation=evaluation)
    except InputError as error:
        return str(error)
    changed = " It has changed since the run." if expected and expected != found.sha256 else ""
    told = headline(found)
    if evaluation and found.format.name == "unknown":
        told = told.replace(FORMATS["unknown"], "fields of its own")  # an evaluation file is read by no trainer
    return f"{told}.{changed}"


def _leaked(name: str, path: Path, train: Path) -> list[str]:
    if max(path.stat().st_size, train.stat().st_size) > LARGEST_FOR_LEAKAGE:
        return []
    try:
        leakage = find_leakage(lambda: rows_of(path), lambda: rows_of(train))
    except InputError as error:
        return [f"{name}: leakage was not looked for: {error}"]
    return [
        f"{name}: {counted(sum(leakage.counts.values()), 'row')} of the evaluation file found in the training file."
    ]
