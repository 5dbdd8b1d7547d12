"""Pages of a run in which a classification head stands beside causal variants: values where it has some, else the reason."""

from __future__ import annotations

import pytest

from core.jobs.status import RunStatus, write_status
from core.records import BASELINE, Evidence
from core.store import Run, evidence_from_row, evidence_table
from dashboard import example_cache
from dashboard.parts import example_cross
from tests.core import mini
from tests.dashboard.pages import opened, shown

NO_TEXT = "a classification head gives no text"
N = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run written by hand: the head answers labels and numbers, and gives no text."""
    tasks = {
        "label": mini.task("classification", metrics=("accuracy",)),
        "level": mini.task("regression", options=("1", "2", "3"), metrics=("mse",)),
        "reply": mini.task("generation", metrics=("chrf",)),
    }
    examples = [mini.example("label", k, mini.LABELS[k % 3]) for k in range(N)]
    examples += [mini.example("level", k, k % 3 + 1, ("1", "2", "3")) for k in range(N)]
    examples += [mini.example("reply", k, f"reply {k}", ()) for k in range(N)]
    evidence: list[Evidence] = []
    for k in range(N):
        for variant in (BASELINE, "lora"):
            evidence += [mini.chosen("label", variant, k, "no"), mini.chosen("level", variant, k, "2", ("1", "2", "3"))]
            evidence += [
                mini.said("reply", variant, k, f"answer {k}"),
                mini.likely("reply", variant, k, (-1.0,), "reference")
                if variant == BASELINE
                else mini.failed("reply", variant, k, "its server does not tell", "reference"),
            ]
        evidence += [mini.chosen("label", "judge", k, mini.LABELS[k % 3]), mini.failed("reply", "judge", k, NO_TEXT)]
        evidence += [Evidence("level", "judge", f"e{k:03d}", number=k % 3 + 1.25)]
        evidence += [mini.failed("reply", "judge", k, "a classification head gives no log-likelihoods", "reference")]
    folder = tmp_path_factory.mktemp("heads") / "run"
    made = mini.write(folder, mini.spec(tasks, ("lora", "judge")), examples, evidence)
    write_status(folder, RunStatus("finished", done=len(evidence), total=len(evidence), message="Finished"))
    return made


@pytest.mark.parametrize(("page", "words"), [("compare", "n = 12"), ("overview", "Sorted by metrics better")])
def test_pages_show_a_head_beside_the_others(monkeypatch: pytest.MonkeyPatch, run: Run, page: str, words: str) -> None:
    assert words in shown(opened(monkeypatch, run.folder, page))


def test_an_example_shows_the_number_that_a_head_gave(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    html = shown(opened(monkeypatch, run.folder, "examples", task="level", variant="judge", example="e000"))
    assert "1.25" in html


def test_an_answer_whose_reference_has_no_likelihood_is_an_answer(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    html = shown(opened(monkeypatch, run.folder, "examples", task="reply", variant="lora", example="e000"))
    assert "No likelihood of the reference: its server does not tell." in html
    assert "No answer: its server" not in html


def test_a_head_is_not_offered_what_others_wrote(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    offered: list[list[str]] = []
    monkeypatch.setattr(example_cache, "cross_folder_of", lambda *_: (run.folder / "nothing", "hash"))
    monkeypatch.setattr(example_cross, "_button", lambda _scene, job, *_, **__: offered.append(job.request["variants"]))
    for variant in ("judge", "lora"):
        opened(monkeypatch, run.folder, "examples", task="reply", variant=variant, example="e000")
    assert offered == [["lora"], ["lora"]]


def test_a_number_is_kept_to_the_last_bit() -> None:
    piece = Evidence("level", "judge", "e000", number=0.1 + 0.2)
    assert evidence_from_row(evidence_table([piece]).to_pylist()[0]) == piece
