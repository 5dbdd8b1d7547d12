"""How examples are parted, kept: what is read back is what was found, and nothing else is taken for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.slices import find_slices, matcher
from core.slices.kept import kept_partition
from core.slices.partition import Partition, partition
from core.store import Run
from tests.synthetic import make_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path / "run", n=40, tasks=("category", "reply"))


def _kept(run: Run) -> list[Path]:
    return sorted((run.folder / "derived").glob("slices-*.npz"))


def _same(one: Partition, other: Partition) -> bool:
    pairs = list(zip(one.parts, other.parts, strict=True))
    return (
        one.dataset == other.dataset
        and dict(one.position) == dict(other.position)
        and all(replace(a, inside=b.inside) == b and np.array_equal(a.inside, b.inside) for a, b in pairs)
        and all(np.array_equal(one.labels[task], other.labels[task]) for task in {**one.labels, **other.labels})
    )


def test_what_is_read_back_is_what_was_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = partition(run, "tickets")
    assert len(found.parts) > 10 and found.labels
    assert _same(kept_partition(run, "tickets"), found)
    slices, ids = find_slices(run), matcher(run, "language=zh").of("reply")
    assert len(_kept(run)) == 1 and slices and ids

    def fail(*_: object) -> Partition:
        raise AssertionError("read from the examples again")

    monkeypatch.setattr("core.slices.kept.partition", fail)
    assert _same(kept_partition(Run(run.folder), "tickets"), found)
    assert find_slices(Run(run.folder)) == slices and matcher(Run(run.folder), "language=zh").of("reply") == ids


def test_other_examples_are_parted_anew(run: Run) -> None:
    kept_partition(run, "tickets")
    changed = [replace(example, language="fr") for example in run.examples]
    (run.folder / "examples.parquet").unlink()
    run.write_examples(changed)
    assert "language=fr" in [part.name for part in kept_partition(Run(run.folder), "tickets").parts]


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_file_is_made_again(run: Run, damage: bytes | None) -> None:
    found = kept_partition(run, "tickets")
    path = _kept(run)[0]
    path.write_bytes(path.read_bytes()[:200] if damage is None else damage)
    assert _same(kept_partition(run, "tickets"), found)
    assert path.stat().st_size > 200


def test_a_file_of_another_shape_is_not_believed(run: Run) -> None:
    found = kept_partition(run, "tickets")
    path = _kept(run)[0]
    np.savez(path, words=np.frombuffer(b'{"ids": ["a"], "parts": [], "labels": ["x"]}', dtype=np.uint8))
    assert _same(kept_partition(run, "tickets"), found)
