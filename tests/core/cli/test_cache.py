"""``lorascope cache``: what is kept, and deleting some of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from core.cli.main import run
from core.evidence_cache import VariantIdentity, evidence_folder
from core.evidence_entries import list_entries
from core.store import write_json
from tests.core.test_evidence_cache import IDENTITY, PART, cache_in, scores
from tests.synthetic import make_workspace

HASHES = {"base": "w", "adapters": {}, "adapter_configs": {}, "checkpoints": {}, "model_configs": {"baseline": "c"}}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose run has a baseline's evidence in the cache, beside that of a model that no run has, and an old entry."""
    folder = make_workspace(tmp_path_factory.mktemp("cached") / "w", n=8)
    (run_folder,) = (path for path in (folder / "runs").iterdir() if path.is_dir())
    spec = json.loads((run_folder / "spec.json").read_text())
    spec["models"]["adapters"] = {}
    spec["settings"] |= {"max_new_tokens": 8, "seed": 0}
    (run_folder / "spec.json").write_text(json.dumps(spec))
    write_json(
        run_folder / "environment.json", {"hashes": HASHES, "tokenizer": "t", "dtype": "float32", "device": "cpu"}
    )
    cache = cache_in(evidence_folder(folder))
    for moment, identity in ((1000, VariantIdentity("w/c", None, 1.0, "float32", "cpu")), (2000, IDENTITY)):
        cache.put(identity, PART, scores("\x1b[31mlora" if identity == IDENTITY else "baseline"))
        os.utime(cache._path(identity, PART), (moment, moment))
    unknown = evidence_folder(folder) / "ab" / f"{'ab' * 32}.parquet"
    unknown.parent.mkdir()
    shutil.copy(next((run_folder).glob("*.parquet")), unknown)
    return folder


@pytest.fixture
def workspace(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "w"))


def used(workspace: Path) -> list[str | None]:
    return [entry.origin and entry.origin.key["identity"]["base"] for entry in list_entries(evidence_folder(workspace))]


def prune(workspace: Path, *arguments: str) -> int:
    return run(["cache", "prune", "--workspace", str(workspace), *arguments])


def test_it_shows_what_is_kept_by_model(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "--workspace", str(workspace)]) == 0
    out = capsys.readouterr().out
    first, header, *rows = out.splitlines()
    assert first.startswith("3 parts of evidence, ") and str(evidence_folder(workspace)) in first
    assert header.split() == ["model", "base", "adapter", "device", "parts", "size", "last", "used"]
    assert [row.split()[0] for row in rows] == ["[31mlora", "baseline", "unknown"]
    assert "models/base" in rows[0] and "adapter/conf" in rows[0] and "cpu float32" in rows[0] and "ago" in rows[0]
    assert "\x1b" not in out


def test_json_is_for_scripts(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "--workspace", str(workspace), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parts"] == 3 and told["bytes"] == sum(model["bytes"] for model in told["models"])
    assert [model["variant"] for model in told["models"]] == ["\x1b[31mlora", "baseline", None]
    assert told["models"][1]["last_used"] == "1970-01-01T00:16:40+00:00"
    assert told["models"][1]["adapter"] is None and told["models"][1]["base"] == "w/c"


def test_nothing_is_kept_yet(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(evidence_folder(workspace))
    assert run(["cache", "--workspace", str(workspace)]) == 0
    assert "Nothing is kept" in capsys.readouterr().out
    assert prune(workspace, "--keep", "0", "--yes") == 0
    assert capsys.readouterr().out == "Nothing to delete.\n"


def test_what_no_run_has_is_deleted_and_what_is_unknown_stays(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prune(workspace, "--unused", "--yes") == 0
    assert capsys.readouterr().out.startswith("Deleted 1 part of 3, ")
    assert used(workspace).count("w/c") == 1 and used(workspace).count(None) == 1 and len(used(workspace)) == 2


def test_what_was_not_used_for_long_is_deleted(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prune(workspace, "--older-than", "30d", "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["parts"], told["left"], told["dry_run"]) == (2, 1, False)
    assert told["freed"] == told["bytes"] > 0
    assert used(workspace) == [None]


def test_a_size_is_kept_and_the_least_recently_used_go_first(workspace: Path) -> None:
    entries = list_entries(evidence_folder(workspace))
    assert prune(workspace, "--keep", f"{sum(entry.n_bytes for entry in entries) - 1}", "--yes") == 0
    assert used(workspace) == ["base/config", None]
    assert prune(workspace, "--keep", "1GB", "--yes") == 0
    assert len(used(workspace)) == 2


def test_a_dry_run_deletes_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prune(workspace, "--keep", "0", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("Would delete 3 parts of 3, ")
    assert len(used(workspace)) == 3


def test_it_asks_first_and_where_nobody_can_answer_it_says_so(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prune(workspace, "--keep", "0") == 2
    assert "Nobody is there to answer: add --yes to delete" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("core.cli.cache.click.confirm", lambda question, **_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert prune(workspace, "--keep", "0") == 1
    assert len(used(workspace)) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say what is to be deleted: --older-than AGE, --keep SIZE, --unused"),
        (["--older-than", "30"], "found '30'; expected hours, days or weeks: 12h, 30d, 8w."),
        (["--older-than", "-1d"], "found '-1d'; expected hours, days or weeks"),
        (["--keep", "much"], "found 'much'; expected a size: 500MB, 5GB, 0."),
        (["--keep", "5 apples"], "found '5 apples'; expected a size"),
    ],
)
def test_wrong_input_exits_with_2(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert prune(workspace, *arguments, "--yes") == 2
    assert sentence in capsys.readouterr().err
    assert len(used(workspace)) == 3


def test_outside_a_workspace_it_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "--workspace", str(tmp_path)]) == 2
    assert "found no workspace.yaml" in capsys.readouterr().err


def test_the_workspace_may_be_named_before_or_after_prune(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "--workspace", str(workspace), "prune", "--keep", "0", "--dry-run"]) == 0
    assert "3 parts of 3" in capsys.readouterr().out
