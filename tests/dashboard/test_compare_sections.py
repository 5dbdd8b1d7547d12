"""The sections of Compare and the lines of Overview over made-up runs: full, empty, in a slice, and where they lead."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from core.compare import compare
from core.feedback import give_feedback, read_feedback
from core.slices import find_slices, matcher
from core.store import Run
from core.wording.composites import share_text
from dashboard.parts.compare_feedback import _imported
from tests.core import own_runs
from tests.dashboard.pages import opened, shown
from tests.robust import TWIN, make_robust_run
from tests.synthetic import make_run, make_workspace

DECLARED = {
    "forgetting": {"general": "general", "domain": "reply"},
    "composites": {"desk": {"weights": {"category/accuracy": 2, "reply/rouge_l": 1}}},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("sections") / "workspace", n=8, runs=False)
    make_robust_run(folder / "runs" / "robust", **DECLARED)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("plain") / "workspace", n=8, runs=False)
    make_run(folder / "runs" / "plain", n=20, tasks=("category",), variants=("baseline", "qv-r8"))
    return folder


def tables(app: object) -> str:
    """Return what the page's linked tables hold."""
    found = app.get("bidi_component")  # type: ignore[attr-defined]
    return "\n".join(json.dumps(json.loads(element.proto.json), ensure_ascii=False) for element in found)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("robustness", "qv-r8 is more fragile ▼"),
        ("forgetting", "On general text (general, "),
        ("composite", "of weightings near the declared ones"),
        ("slices", "p-value of the contrast"),
        ("feedback", "Nobody has rated an answer yet"),
        ("metrics", "Adjusted: Holm"),
        ("nonsense", "Adjusted: Holm"),
    ],
)
def test_each_section_says_its_finding(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, section: str, words: str
) -> None:
    assert words in shown(opened(monkeypatch, workspace, "compare", section=section))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("robustness", "No perturbed inputs in this run"),
        ("forgetting", "does not say which of its tasks is general text"),
        ("composite", "This run declares no composite"),
        ("feedback", "Nobody has rated an answer yet"),
    ],
)
def test_a_section_without_anything_says_the_next_step(
    monkeypatch: pytest.MonkeyPatch, plain: Path, section: str, words: str
) -> None:
    assert words in shown(opened(monkeypatch, plain, "compare", section=section))


def test_overview_has_one_line_for_each_and_they_lead_to_their_section(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = opened(monkeypatch, workspace, "overview")
    shown(app)
    page = tables(app)
    assert "Under typos Accuracy drops by" in page and "section=robustness" in page
    assert "On general text" in page and "section=forgetting" in page


def test_a_perturbed_example_stands_beside_its_original(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = opened(monkeypatch, workspace, "examples", task=TWIN, example="eval-001")
    page = shown(app)
    assert "Original input" in page and "Perturbed: Typos" in page
    pieces = tables(app)
    assert '["ins", "Tikcet: "]' in pieces and '["ins", "Ticket: "]' in pieces
    assert "Original input" not in shown(opened(monkeypatch, workspace, "examples", task="category"))


def test_any_slice_can_be_opened_and_counts_the_same_everywhere(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    run = Run(workspace / "runs" / "robust")
    one = next(found for found in find_slices(run) if found.kind == "length" and found.dataset == "tickets")
    app = opened(monkeypatch, workspace, "compare", slice=one.name)
    assert f"slice {one.name}" in shown(app) and one.name in app.selectbox(key="slice").options
    expected = compare(run, where=matcher(run, one.name)).row("category/accuracy").values["qv-r8"]
    assert expected.n == one.n and f"n = {one.n:,}" in tables(app)
    examples = shown(opened(monkeypatch, workspace, "examples", task="category", slice=one.name))
    assert f"n = {one.n} of 60 examples" in examples


def test_a_slice_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    page = shown(opened(monkeypatch, workspace, "compare", slice="category=<b>"))
    assert "no slice &#x27;category=&lt;b&gt;&#x27;: all examples are shown" in page


def test_a_slice_of_the_table_is_a_link_that_opens_it(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = opened(monkeypatch, workspace, "compare", section="slices", metric="reply/rouge_l")
    shown(app)
    page = tables(app)
    names = [one.name for one in find_slices(Run(workspace / "runs" / "robust")) if one.dataset == "tickets"]
    assert any(f"slice={quote_plus(name)}" in page for name in names)
    assert "section=slices&amp;slice" not in page, "the slice is opened among the metrics"


def test_thumbs_become_a_row_and_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=8, runs=False)
    run = make_run(folder / "runs" / "rated", n=30, tasks=("reply",), variants=("baseline", "qv-r8"))
    ids = [example.id for example in run.examples]
    for number, example_id in enumerate(ids):
        give_feedback(run, "reply", example_id, "baseline", "up" if number % 3 == 0 else "down")
        give_feedback(run, "reply", example_id, "qv-r8", "up" if number % 6 else "down", "fine")
    app = opened(monkeypatch, folder, "compare", metric="reply/satisfaction")
    shown(app)
    assert "reply/satisfaction" in tables(app) and "33.3" in tables(app) and "83.3" in tables(app)
    page = shown(opened(monkeypatch, folder, "compare", section="feedback"))
    assert f"{2 * len(ids)} answers with a thumb or a note" in page and "tests of satisfaction alone" in page
    app = opened(monkeypatch, folder, "overview")
    shown(app)
    assert "qv-r8 ▲ 83.3 %" in tables(app) and "section=feedback" in tables(app)


def test_imported_feedback_is_added_once_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", n=4, tasks=("reply",), variants=("baseline", "qv-r8"))
    rows = [{"id": "eval-001", "variant": "qv-r8", "thumb": "up", "note": "good", "source": "ana"},
            {"id": "eval-001", "variant": "qv-r9", "thumb": "up"}]  # fmt: skip
    content = "\n".join(map(json.dumps, rows)).encode()
    told = _imported(run, "../feedback.jsonl", content)
    assert (
        told[0].startswith("1 row of ../feedback.jsonl added")
        and "'qv-r9'" in told[1]
        and str(tmp_path) not in " ".join(told)
    )
    assert read_feedback(run).of("reply", "eval-001", "qv-r8", "ana").note == "good"
    assert "1 were known already" in _imported(run, "feedback.jsonl", content)[0]
    assert "expected" in _imported(run, "feedback.csv", b"a,b\n1,2\n")[0]


def test_feedback_from_elsewhere_stands_under_its_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=8, runs=False)
    run = make_run(folder / "runs" / "rated", n=4, tasks=("reply",), variants=("baseline", "qv-r8"))
    give_feedback(run, "reply", "eval-001", "qv-r8", "down", "<b>rude</b>", source="ana")
    page = shown(opened(monkeypatch, folder, "examples", task="reply", example="eval-001"))
    assert "Imported: 0 of 1 thumbs up" in page and "ana: &lt;b&gt;rude&lt;/b&gt;" in page


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return own_runs.make(tmp_path / "workspace")


def test_own_code_runs_after_it_was_trusted_and_not_before(monkeypatch: pytest.MonkeyPatch, own: Run) -> None:
    place = own.folder.parent.parent
    app = opened(monkeypatch, place, "compare", metric="reply/mine")
    assert "metrics/mine.py" in shown(app) and "not trusted: it does not run" in shown(app)
    assert "no value: not trusted" in tables(app)
    app.button(key="own-trust").click().run(timeout=120)
    assert "not trusted" not in shown(app)
    value = compare(own).row("reply/mine").values["lora"]
    assert value.value is not None and "no value: not trusted" not in tables(app)


def test_code_that_changed_since_it_was_shown_is_not_trusted(monkeypatch: pytest.MonkeyPatch, own: Run) -> None:
    place = own.folder.parent.parent
    app = opened(monkeypatch, place, "compare")
    (place / "metrics" / "mine.py").write_text(own_runs.SHARE_OF_A.replace('"a"', '"b"'))
    app.button(key="own-trust").click().run(timeout=60)
    assert (
        "changed while this page was open" in shown(app) and compare(own).row("reply/mine").values["lora"].value is None
    )


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (1.0, "100 %"), (0.9999, "99.9 %"), (0.00001, "0.1 %"), (0.5, "50 %")]
)
def test_a_share_reads_like_none_or_all_only_where_it_is(share: float, text: str) -> None:
    assert share_text(share) == text
