"""``lorascope report``: each format by its ending, and what is refused."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest
import yaml

from core.charts import export
from core.charts.export import browser_found
from core.cli.main import run
from core.ratings import RatingStore, create_study, join, store_url
from core.workspace import load_workspace
from tests.core.ratings import studies
from tests.core.ratings.studies import Clock
from tests.synthetic import make_run, make_workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("report") / "w", n=16, runs=False)
    make_run(folder / "runs" / "small", n=16, tasks=("category",), variants=("baseline", "qv-r8"))
    return folder


def reported(folder: Path, *arguments: str) -> int:
    return run(["report", "--workspace", str(folder), *arguments])


def test_a_page_with_the_authors_words(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert (
        reported(folder, "small", "-o", str(out), "--title", "A <b>", "--remarks", "one\n\ntwo", "--author", "Ana") == 0
    )
    page = out.read_text(encoding="utf-8")
    assert "<h1>A &lt;b&gt;</h1>" in page and '<p class="remark">two</p>' in page and "Ana · " in page


def test_tables_of_chosen_sections(folder: Path, tmp_path: Path) -> None:
    for ending, start in (("md", "# qv-r8 against baseline"), ("tex", "% Tables of run small")):
        out = tmp_path / f"report.{ending}"
        assert reported(folder, "-o", str(out), "--sections", "metrics") == 0
        text = out.read_text(encoding="utf-8")
        assert text.startswith(start) and "Accuracy" in text and "SHA-256" not in text


def test_a_spreadsheet(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.xlsx"
    assert reported(folder, "-o", str(out)) == 0
    book = openpyxl.load_workbook(io.BytesIO(out.read_bytes()))
    assert book.sheetnames[:3] == ["about", "verdicts", "metrics-category"] and "hashes" in book.sheetnames


@pytest.mark.skipif(not browser_found() and "CI" not in os.environ, reason="no Chrome or Chromium")
def test_all_charts_as_an_archive(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "charts.zip"
    assert reported(folder, "-o", str(out), "--sections", "verdict") == 0
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        starts = {name.partition("/")[0]: archive.read(name)[:4] for name in names}
    assert starts == {"svg": b"<svg", "pdf": b"%PDF", "png": b"\x89PNG"}
    assert {name.rpartition("/")[2].partition(".")[0] for name in names} == {"verdict-matrix", "quality-against-cost"}


def test_without_a_browser_the_archive_says_what_to_install_and_the_page_still_works(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export, "browser_found", lambda: False)
    assert reported(folder, "-o", str(tmp_path / "charts.zip")) == 1
    assert "apt install chromium" in capsys.readouterr().err
    assert not (tmp_path / "charts.zip").exists()
    assert reported(folder, "-o", str(tmp_path / "report.html")) == 0


def test_the_model_index_goes_to_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reported(folder, "--model-index", "qv-r8") == 0
    (one,) = yaml.safe_load(capsys.readouterr().out)["model-index"]
    assert one["name"] == "qv-r8" and one["results"][0]["metrics"][0]["type"] == "accuracy"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "expected -o FILE"),
        (["-o", "report.pdf"], "the ending '.pdf' names no format"),
        (["-o", "report"], "the ending '' names no format"),
        (["-o", "nowhere/report.html"], "there is no folder"),
        (["-o", "r.html", "--sections", "metric"], "did you mean 'metrics'"),
        (["-o", "r.html", "--variant", "qv-r9"], "did you mean 'qv-r8'"),
        (["-o", "r.html", "--reference", "qv-r9"], "did you mean 'qv-r8'"),
        (["nothing", "-o", "r.html"], "there is no run 'nothing'"),
        (["--model-index", "qv-r9"], "did you mean 'qv-r8'"),
    ],
)
def test_wrong_input_exits_with_2_and_writes_nothing(
    folder: Path, tmp_path: Path, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert reported(folder, *arguments) == 2
    assert expected in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_people_said_is_in_it_and_ratings_that_cannot_be_read_are_said_to_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LORASCOPE_RATINGS", raising=False)
    copied = make_workspace(tmp_path / "w", n=8, runs=False)
    make_run(copied / "runs" / "small", n=8, tasks=("reply",), variants=("baseline", "qv-r8"))
    store = RatingStore(store_url(copied), clock=Clock()).prepare()
    study = create_study(store, [load_workspace(copied).run("small")], studies.plan(examples=6)).study
    assert studies.rate_all(study, join(study, "Ana"))
    out = tmp_path / "report.md"
    assert reported(copied, "-o", str(out)) == 0
    assert "## Human preference" in out.read_text(encoding="utf-8")
    assert store.path is not None
    store.path.write_bytes(b"no database" * 1_000)
    capsys.readouterr()
    assert reported(copied, "-o", str(out)) == 0
    assert "Human preference is left out" in capsys.readouterr().err
    assert "## Human preference" not in out.read_text(encoding="utf-8")
