"""Answers read by the other model on the Examples page: before they are read, after it, and what is said when it failed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from core.cross.kept import cross_folder, save_readings
from core.derived import StatisticsReader
from core.jobs.status import RunStatus, write_status
from core.records import Evidence, Likelihood
from core.store import Run, evidence_table, write_table
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_workspace

BUTTON = "Read each answer with the other model"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "w", n=6)


def _run(workspace: Path) -> Run:
    return Run(next((workspace / "runs").iterdir()))


def _folder(run: Run) -> Path:
    evidence_hash = StatisticsReader(run).evidence_hash
    assert evidence_hash is not None
    return cross_folder(run, "reply", evidence_hash)


def _read(run: Run, ids: list[str], likelier: float) -> None:
    """Keep readings in which every variant finds each token of its own answer so much likelier than anybody else does."""
    texts = {
        (row["example_id"], row["variant"]): row["text"]
        for row in run.evidence(task="reply", kind="generation").to_pylist()
    }
    for reader in ("baseline", "qv-r8"):
        pieces = []
        for name in ids:
            for writer in ("baseline", "qv-r8"):
                text = texts[name, writer]
                logprob = -1.0 if reader == writer else -1.0 - likelier
                likelihood = Likelihood((1, 2), (logprob, -1.0), (0, len(text)), (True, True), len(text.encode()))
                pieces.append(Evidence("reply", reader, name, writer, likelihood=likelihood))
        save_readings(_folder(run), reader, evidence_table(pieces))


def _open(monkeypatch: pytest.MonkeyPatch, workspace: Path, task: str = "reply", example: str = "eval-003") -> AppTest:
    monkeypatch.setenv("LORASCOPE_WORKSPACE", str(workspace))
    return opened(monkeypatch, workspace, "examples", task=task, example=example, shown="qv-r8")


def test_before_it_is_read_there_is_a_button_that_says_what_it_does(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    page = _open(monkeypatch, workspace)
    assert BUTTON in [button.label for button in page.button]
    text = shown(page)
    assert "Loads the base and 1 variant once" in text
    assert f"lorascope cross {_run(workspace).id} --task reply" in text
    assert BUTTON not in [button.label for button in _open(monkeypatch, workspace, "category").button]


def test_what_was_read_is_said_for_both_answers(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    _read(_run(workspace), ["eval-003"], 4.0)
    page = _open(monkeypatch, workspace)
    text = shown(page)
    assert (
        "qv-r8 finds its own answer 4.0 nats likelier than baseline does; 100 % of the gain lies in 1 of 2 tokens."
        in text
    )
    assert "qv-r8 finds baseline&#x27;s answer 4.0 nats less likely than baseline does" in text
    assert BUTTON not in [button.label for button in page.button]
    assert "All answers read by the other model" not in text, "one example that somebody chose is no sample"
    assert BUTTON in [button.label for button in _open(monkeypatch, workspace, example="eval-004").button]


def test_the_mean_stands_there_once_all_were_read(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = _run(workspace)
    _read(run, [f"eval-{number:03d}" for number in range(1, 7)], 2.5)
    text = shown(_open(monkeypatch, workspace))
    assert "qv-r8 on its own answers: +2.50 nats an answer" in text and "(n = 6)" in text
    assert "qv-r8 on baseline&#x27;s answers: −2.50 nats an answer" in text
    assert "no estimate of a KL divergence" in text


def test_readings_of_other_evidence_are_not_found(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = _run(workspace)
    _read(run, ["eval-003"], 4.0)
    path = run.folder / "evidence.parquet"
    before = run.evidence()
    write_table(path, pa.concat_tables([before.slice(1), before.slice(0, 1)]))
    assert BUTTON in [button.label for button in _open(monkeypatch, workspace).button]


def test_why_it_failed_is_said_as_it_is(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = _run(workspace)
    write_status(_folder(run), RunStatus("failed", error="models.base: found no folder <b>x</b>"))
    page = _open(monkeypatch, workspace)
    assert "found no folder &lt;b&gt;x&lt;/b&gt;" in shown(page)
    assert BUTTON in [button.label for button in page.button]


def test_an_answer_that_could_not_be_read_says_why(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    run = _run(workspace)
    for reader in ("baseline", "qv-r8"):
        pieces = [
            Evidence("reply", reader, "eval-003", writer, reason="the model gave <NaN>")
            for writer in ("baseline", "qv-r8")
        ]
        save_readings(_folder(run), reader, evidence_table(pieces))
    text = shown(_open(monkeypatch, workspace))
    assert "qv-r8&#x27;s answer: the model gave &lt;NaN&gt;." in text
