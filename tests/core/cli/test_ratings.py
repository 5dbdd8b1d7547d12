"""``lorascope ratings``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.main import run
from core.ratings import RatingStore, join, open_store, open_study
from tests.core.ratings.studies import Clock, rate_all, write_run


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LORASCOPE_RATINGS", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "w"
    write_run(folder / "runs/20261122-160000", 12, ("lora", "other"))
    (folder / "workspace.yaml").write_text("models: {base: {path: base}}\ndatasets: {}\ntasks: {}\n")
    return folder


def call(*arguments: str | Path) -> int:
    return run(["ratings", *map(str, arguments)])


def created(workspace: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict:
    capsys.readouterr()
    assert call("create", "--title", "Replies", "--workspace", workspace, "--json", *more) == 0
    return json.loads(capsys.readouterr().out)


def rate(workspace: Path, study_id: str, name: str) -> None:
    store = RatingStore(f"sqlite:///{workspace}/studies/ratings.sqlite", clock=Clock())
    study = open_study(store, study_id)
    rate_all(study, join(study, name))


def test_from_making_a_study_to_its_file(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("list", "--workspace", workspace) == 0
    assert "No studies yet" in capsys.readouterr().out and not (workspace / "studies").exists()
    guidelines, gold = workspace / "rules.md", workspace / "gold.jsonl"
    guidelines.write_text("# Rules\n")
    gold.write_text('{"prompt": "2+2?", "outputs": ["4", "5"]}\n\n')
    made = created(
        workspace, capsys, "--variant", "baseline", "--variant", "lora", "--examples", "6", "--stratify", "topic", "--raters", "2",
        "--overlap", "2", "--repeat-share", "0", "--guidelines", str(guidelines), "--gold", str(gold), "--criterion", "tone=The tone",
        "--seed", "3",
    )  # fmt: skip
    assert (
        made["items"] == 6
        and made["variants"] == ["baseline", "lora"]
        and len(made["key"]) >= 32
        and made["leaks"] == []
    )
    rate(workspace, made["id"], "Ana")
    assert call("list", "--workspace", workspace, "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["n_answers"], listed["n_raters"], listed["closed"]) == (made["id"], 6, 1, None)
    assert call("export", made["id"], "--to", "csv", "--workspace", workspace) == 0
    assert (Path.cwd() / f"{made['id']}-csv.csv").is_file() and "10 rows" in capsys.readouterr().out
    assert call("close", "Replies", "--workspace", workspace) == 0
    assert call("import", f"{made['id']}-csv.csv", "--title", "Again", "--workspace", workspace) == 0
    assert "'Again'. Read from" in capsys.readouterr().out
    assert call("list", "--workspace", workspace) == 0
    out = capsys.readouterr().out.splitlines()
    assert (
        out[0].split()[:4] == ["study", "title", "mode", "state"]
        and len(out) == 3
        and all("closed" in line for line in out[1:])
    )
    study = open_study(open_store(workspace), made["id"])
    assert study.plan.asked_criteria[0].label == "The tone" and study.plan.gold[0].outputs == ("4", "5")


@pytest.mark.parametrize("to", ["jsonl", "parquet", "dpo", "llm-comparator", "argilla"])
def test_every_format(workspace: Path, capsys: pytest.CaptureFixture[str], to: str) -> None:
    made = created(workspace, capsys, "--variant", "lora", "--variant", "other", "--practice", "0")
    rate(workspace, made["id"], "Ana")
    assert (
        call(
            "export",
            made["id"][:6],
            "--to",
            to,
            "--output",
            workspace / "out",
            "--pseudonyms",
            "--workspace",
            workspace,
        )
        == 0
    )
    content = (workspace / "out").read_bytes()
    assert content and b"Ana" not in content


def test_the_key_and_the_leaks_are_said_to_people(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(workspace / "runs/20261122-170000", 4, ("way",))
    assert call("create", "--title", "T", "--run", "20261122-170000", "--workspace", workspace) == 0
    captured = capsys.readouterr()
    assert "Key of the raters' link, shown only now: " in captured.out and "4 items of baseline, way" in captured.out
    assert (
        "Warning: 8 outputs name a model" in captured.err
        and "'way' in" in captured.err
        and "no practice items" in captured.err
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["create", "--title", "T", "--variant", "lora"], "found only 'lora', expected at least two"),
     (["create", "--title", "T", "--run", "nope"], "there is no run 'nope'"),
     (["create", "--title", "T", "--examples", "2", "--raters", "20"], "found 20 raters for 6 items"),
     (["create", "--title", "T", "--guidelines", "none.md"], "none.md: there is no such file"),
     (["create", "--title", "T", "--gold", "gold.jsonl"], "gold.jsonl, line 1: outputs: Field required"),
     (["create", "--title", "T", "--mode", "duel"], "'duel' is not one of"), (["create"], "Missing option '--title'"),
     (["export", "nope", "--to", "csv"], "there is no study 'nope'"), (["close", "nope"], "there is no study 'nope'"),
     (["import", "none.csv"], "none.csv: there is no such file"), (["export", "x", "--to", "xlsx"], "'xlsx' is not one of")],
)  # fmt: skip
def test_mistakes_are_sentences(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    Path("gold.jsonl").write_text('{"prompt": "x"}\n')
    assert call(*arguments, "--workspace", workspace) == 2
    assert said in capsys.readouterr().err


def test_a_workspace_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("list", "--workspace", tmp_path) == 2
    assert "found no workspace.yaml" in capsys.readouterr().err
