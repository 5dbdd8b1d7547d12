"""A workspace made from what a training run left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.data.read import load_examples
from core.errors import InputError
from core.scaffold import find_adapters, propose
from core.workspace import load_workspace


def _adapters(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "adapter_config.json").write_text("{}")
    return folder


def _messages(path: Path, n: int = 3) -> Path:
    roles = ("system", "user", "assistant")
    rows = [
        {"messages": [{"role": role, "content": f"{role} {i if role != 'system' else ''}"} for role in roles]}
        for i in range(n)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_adapters_at_any_depth_and_checkpoints_only_without_a_finished_one(tmp_path: Path) -> None:
    folder = _adapters(
        tmp_path / "outputs", "r8", "r8/checkpoint-50", "deep/er one", "crashed/checkpoint-90", "crashed/checkpoint-100", ".hidden/x",
        "baseline",
    )  # fmt: skip
    found = find_adapters(folder)
    assert {name: path.relative_to(folder).as_posix() for name, path in found.items()} == {
        "baseline-2": "baseline", "crashed-checkpoint-90": "crashed/checkpoint-90",
        "crashed-checkpoint-100": "crashed/checkpoint-100", "deep-er-one": "deep/er one", "r8": "r8",
    }  # fmt: skip
    assert list(found)[1:3] == ["crashed-checkpoint-90", "crashed-checkpoint-100"]
    assert list(find_adapters(folder / "r8")) == ["r8"]


def test_names_that_collide_are_told_apart(tmp_path: Path) -> None:
    folder = _adapters(tmp_path / "outputs", "a/b", "a-b")
    assert sorted(find_adapters(folder)) == ["a-b", "a-b-2"]


def test_no_adapters(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no adapter"):
        find_adapters(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_adapters(tmp_path / "none")


def test_a_written_workspace_loads_and_its_examples_read(tmp_path: Path) -> None:
    home = tmp_path / "work"
    _adapters(home / "outputs", "r8")
    (home / "base").mkdir()
    data = _messages(tmp_path / "elsewhere/held-out.jsonl")
    proposal = propose(str(home / "base"), home / "outputs", data, home)
    assert not (home / "workspace.yaml").exists()
    path = proposal.write()
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# What is compared")
    workspace = load_workspace(home)
    assert workspace.spec.models.base.path == "base"
    assert workspace.spec.models.adapters["r8"].path == "outputs/r8"
    assert workspace.spec.datasets["held-out"].path == "data/held-out.eval.jsonl"
    examples = load_examples(workspace, "reply")
    assert [example.reference for example in examples] == ["assistant 0", "assistant 1", "assistant 2"]
    assert [example.fields["prompt"] for example in examples] == ["user 0", "user 1", "user 2"]
    assert workspace.spec.tasks["reply"].system == "system "
    assert any("data/held-out.eval.jsonl" in note for note in proposal.notes)
    assert any("held-out.jsonl" in note and "not seen" in note for note in proposal.notes)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    _adapters(tmp_path / "outputs", "r8")
    data = _messages(tmp_path / "rows.jsonl")
    proposal = propose("org/model", tmp_path / "outputs", data, tmp_path)
    derived = tmp_path / "data/rows.eval.jsonl"
    derived.parent.mkdir()
    derived.write_text("mine")
    with pytest.raises(InputError, match="other content and was not touched"):
        proposal.write()
    assert derived.read_text() == "mine" and not (tmp_path / "workspace.yaml").exists()
    derived.unlink()
    proposal.write()
    (tmp_path / "workspace.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"workspace\.yaml is there already"):
        proposal.write()
    assert (tmp_path / "workspace.yaml").read_text() == "mine"


@pytest.mark.parametrize(("base", "expected"), [("org/model", "org/model"), ("cache:tiny", "cache:tiny")])
def test_a_base_that_is_no_folder(tmp_path: Path, base: str, expected: str) -> None:
    _adapters(tmp_path / "outputs", "r8")
    data = _messages(tmp_path / "rows.jsonl")
    assert propose(base, tmp_path / "outputs", data, tmp_path).spec.models.base.path == expected
    with pytest.raises(InputError, match="no such folder"):
        propose("./not-there", tmp_path / "outputs", data, tmp_path)
