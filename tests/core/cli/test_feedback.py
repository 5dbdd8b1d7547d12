"""``lorascope feedback``, and what ``lorascope compare`` shows of slices, composites, forgetting and feedback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.main import run
from core.workspace import load_workspace
from tests.synthetic import make_workspace

DECLARED = """
composites:
  desk: {weights: {category/accuracy: 2, reply/perplexity: 1}, scale: {reply/perplexity: [50, 2]}}
forgetting: {general: general, domain: reply}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_workspace(tmp_path_factory.mktemp("feedback") / "w", n=40)
    with (made / "workspace.yaml").open("a", encoding="utf-8") as file:
        file.write(DECLARED)
    opened = load_workspace(made)
    path = opened.runs()[0].folder / "spec.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    declared = opened.spec.model_dump(mode="json", include={"composites", "forgetting"})
    path.write_text(json.dumps(content | declared), encoding="utf-8")
    return made


def test_without_feedback_it_says_how_to_give_some(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feedback", "--workspace", str(folder)]) == 0
    assert "has no feedback yet" in capsys.readouterr().out


def test_importing_lists_what_was_left_out_and_compare_shows_satisfaction(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [example.id for example in load_workspace(folder).runs()[0].examples if example.task == "reply"][:20]
    path = tmp_path / "thumbs.csv"
    path.write_text(
        "id,variant,thumb\n" + "".join(f"{name},qv-r8,up\n{name},baseline,down\n" for name in ids) + "zzz,qv-r8,up\n"
    )
    assert run(["feedback", "--workspace", str(folder), "--import", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)) == 40 and json.loads(out)[0]["source"] == "thumbs.csv"
    assert (
        "thumbs.csv, line 42: the run has no example 'zzz'" in err and "40 read in, 0 known already, 1 left out" in err
    )
    assert run(["feedback", "--workspace", str(folder)]) == 0
    assert ids[0] in capsys.readouterr().out
    assert run(["compare", "--workspace", str(folder), "--task", "reply"]) == 0
    assert "reply: Satisfaction" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_wrong_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["feedback", "--workspace", str(folder), "--import", "gone.csv"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_compare_shows_forgetting_composites_and_slices(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--workspace", str(folder), "--slices", "--composite"]) == 0
    out = capsys.readouterr().out
    assert "Forgetting: general (general text) beside reply" in out and "perplexity ratio" in out
    assert "Composite desk: category/accuracy 67 % (0 at 0, 1 at 1); reply/perplexity 33 % (0 at 50, 1 at 2)" in out
    assert "weightings near the declared ones" in out
    assert "in the rest" in out and "Benjamini and Hochberg's correction over all" in out


def test_json_has_all_of_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--workspace", str(folder), "--slices", "--composite", "--task", "category", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["forgetting"]["general"] == "general" and content["composites"][0]["name"] == "desk"
    assert content["slices"]["rows"] and {row["task"] for row in content["slices"]["rows"]} == {"category"}
    assert {"slice", "difference", "contrast", "rest", "key"} <= set(content["slices"]["rows"][0])
    assert run(["compare", "--workspace", str(folder), "--task", "category", "--json"]) == 0
    assert not {"slices", "composites"} & set(json.loads(capsys.readouterr().out))


def test_a_run_without_composites_says_how_to_declare_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_workspace(tmp_path / "w", n=6)
    assert run(["compare", "--workspace", str(made), "--composite"]) == 2
    assert "declares no composite; declare one under `composites`" in capsys.readouterr().err
