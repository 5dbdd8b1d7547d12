"""How a run's examples are parted, kept in ``derived/``: of 100,000 examples it takes seconds to find and milliseconds to read.

Keyed by the examples and by what of the spec parts them. It can be thrown away at any time; what is damaged reads as not there.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from core.kept_arrays import load_arrays, save_arrays
from core.slices.partition import MOST_VALUES, Part, Partition, partition
from core.store import Run

_FORMAT = 1
"""Raised whenever the same examples come to be parted in another way."""


def kept_partition(run: Run, dataset: str) -> Partition:
    """Return `core.slices.partition.partition`, from ``derived/`` if it is there, else made and kept."""
    path = _path(run, dataset)
    kept = None if path is None else _load(path, dataset)
    if kept is not None:
        return kept
    made = partition(run, dataset)
    if path is not None:
        _save(path, made)
    return made


def _path(run: Run, dataset: str) -> Path | None:
    examples = run.folder / "examples.parquet"
    if not examples.is_file():
        return None
    with examples.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    tasks = {
        name: [task.kind, task.reference] for name, task in run.spec.clean_tasks.items() if task.dataset == dataset
    }
    spec = run.spec.datasets.get(dataset)
    identity = [
        _FORMAT,
        MOST_VALUES,
        digest,
        dataset,
        None if spec is None else spec.model_dump(mode="json", exclude_defaults=True),
        tasks,
    ]
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return run.folder / "derived" / f"slices-{key[:24]}.npz"


def _save(path: Path, made: Partition) -> None:
    n = len(made.position)
    words = {
        "ids": list(made.position),
        "parts": [[part.name, part.dimension, part.kind, part.repeats] for part in made.parts],
        "labels": list(made.labels),
    }
    inside = np.array([part.inside for part in made.parts], dtype=bool).reshape(len(made.parts), n)
    labels = np.array(list(made.labels.values()), dtype=np.int32).reshape(len(made.labels), n)
    save_arrays(path, words, {"inside": np.packbits(inside, axis=1), "labels": labels})


def _load(path: Path, dataset: str) -> Partition | None:
    """Return what is kept in a file; None where it is missing, damaged, or of another shape."""
    found = load_arrays(path)
    if found is None:
        return None
    try:
        words, packed, labels = found.words, found.arrays["inside"], found.arrays["labels"].astype(np.int64)
        position = {name: row for row, name in enumerate(words["ids"])}
        inside = np.unpackbits(packed, axis=1, count=len(position)).astype(bool)
        parts = tuple(
            Part(name, dimension, kind, mask, repeats)
            for (name, dimension, kind, repeats), mask in zip(words["parts"], inside, strict=True)
        )
        return Partition(dataset, position, parts, dict(zip(words["labels"], labels, strict=True)))
    except (KeyError, ValueError, TypeError):
        return None
