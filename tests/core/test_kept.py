from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import kept
from core.compare import compare
from core.metrics.registry import get_metric
from core.store import Run, write_json
from tests.synthetic import make_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("runs") / "made", n=20, tasks=("category", "general"))


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    """A copy of the made run, with nothing derived."""
    folder = tmp_path / "made"
    folder.mkdir()
    for path in made.folder.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    return Run(folder)


def files(run: Run) -> list[Path]:
    return sorted((run.folder / "derived").glob("comparison-*.json"))


def forbid_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.compare.measured_lines", lambda *args, **more: pytest.fail("computed again"))


def test_what_is_read_back_is_equal_to_the_last_bit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compare(run)
    assert len(files(run)) == 1
    forbid_computing(monkeypatch)
    again = compare(Run(run.folder))
    assert again == first
    assert repr(again) == repr(first)
    assert first.efficiency


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json", b'{"run_id": 3}', b"\xff"])
def test_a_damaged_file_is_made_again(run: Run, damage: bytes) -> None:
    first = compare(run)
    files(run)[0].write_bytes(damage)
    assert compare(Run(run.folder)) == first
    assert json.loads(files(run)[0].read_bytes())["run_id"] == "made"


def test_each_reference_is_kept_apart(run: Run) -> None:
    assert compare(run).reference != compare(run, "qv-r8").reference == "qv-r8"
    assert len(files(run)) == 2


def test_a_slice_is_not_kept(run: Run) -> None:
    compare(run, where=lambda example: example.language == "en")
    assert files(run) == []


def test_a_run_that_goes_on_is_not_kept(tmp_path: Path) -> None:
    running = make_run(tmp_path / "going", n=10, tasks=("category",), state="running", parts_done=0.5)
    compare(running)
    assert not (running.folder / "derived").exists()


@pytest.mark.parametrize("change", ["spec", "probe", "metric", "engine", "name"])
def test_what_could_change_a_number_changes_the_key(run: Run, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    compare(run)
    folder = run.folder
    if change == "spec":
        content = json.loads((folder / "spec.json").read_text())
        content["level"] = 0.9
        write_json(folder / "spec.json", content)
    elif change == "probe":
        (folder / "probe.json").unlink()
    elif change == "metric":
        monkeypatch.setattr(type(get_metric("accuracy")), "version", 99)
    elif change == "engine":
        monkeypatch.setattr(kept, "ENGINE_FORMAT", 99)
    else:
        folder = folder.rename(folder.with_name("renamed"))
    found = compare(Run(folder))
    assert len(files(Run(folder))) == 2
    assert found.run_id == folder.name
    assert found.level == (0.9 if change == "spec" else 0.95)


def test_a_folder_that_cannot_be_written_is_compared_all_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(kept, "write_atomically", refuse)
    assert compare(run).rows
    assert files(run) == []
