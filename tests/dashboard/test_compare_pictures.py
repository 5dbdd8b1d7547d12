"""The pictures behind a metric on Compare and what was picked in them, without a browser: what they say and where they lead."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, quote_plus

import pytest

from core.compare import compare, example_scores
from core.diagnostics.paired import paired_differences, win_tie_loss
from core.diagnostics.picks import Pick
from core.store import Run
from dashboard import diagnostic_cache
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_run, make_workspace

N = 24


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("pictures") / "workspace", n=8, runs=False)
    make_run(folder / "runs" / "one", n=N, tasks=("category", "reply"), variants=("baseline", "qv-r8", "qv-r2"))
    return folder


@pytest.fixture(scope="module")
def run(workspace: Path) -> Run:
    return Run(workspace / "runs" / "one")


def figures(app: object) -> str:
    return "\n".join(element.proto.spec for element in app.get("plotly_chart"))  # type: ignore[attr-defined]


def components(app: object) -> str:
    found = app.get("bidi_component")  # type: ignore[attr-defined]
    return "\n".join(json.dumps(json.loads(element.proto.json), ensure_ascii=False) for element in found)


@pytest.mark.parametrize(
    ("metric", "picture", "words"),
    [
        ("reply/rouge_l", "differences", "how the examples moved"),
        ("reply/rouge_l", "outcomes", "wins, ties and losses"),
        ("reply/rouge_l", "length", "against the length of the output"),
        ("category/accuracy", "length", "against the length of the prompt"),
        ("category/accuracy", "confusion", "which labels were confused"),
        ("category/accuracy", "calibration", "bins of equal width"),
        ("category/accuracy", "curves", "1,000 shared resamples"),
        ("reply/rouge_l", "confusion", "how the examples moved"),
        ("category/accuracy", "differences", "wins, ties and losses"),
        ("reply/rouge_l", "<script>", "how the examples moved"),
    ],
)
def test_each_picture_is_drawn_or_the_first_that_fits(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, metric: str, picture: str, words: str
) -> None:
    app = opened(monkeypatch, workspace, "compare", metric=metric, variant="qv-r8", picture=picture)
    assert "Adjusted: " in shown(app) and words in figures(app)


def picks(run: Run) -> list[tuple[str, Pick, int]]:
    """Return picks with how many examples the picture counted there."""
    scores = example_scores(run, "reply", "rouge_l")
    moved = paired_differences(scores, "baseline", "qv-r8")
    (won,) = win_tie_loss(scores, "baseline", ["qv-r8"], True)
    low, high = float(moved.edges[-2]), float(moved.edges[-1])
    return [
        ("reply/rouge_l", Pick("difference", "rouge_l", "qv-r8", "baseline", (low, high)), int(moved.counts[-1])),
        ("reply/rouge_l", Pick("outcome", "rouge_l", "qv-r8", "baseline", labels=("win",)), won.wins),
        ("reply/rouge_l", Pick("length", "rouge_l", "qv-r8", "baseline", (0.0, 1e6)), N),
    ]


@pytest.mark.parametrize("number", range(3))
def test_a_pick_lists_as_many_examples_as_were_counted_and_opens_the_same_ones(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, run: Run, number: int
) -> None:
    metric, pick, n = picks(run)[number]
    app = opened(monkeypatch, workspace, "compare", metric=metric, variant="qv-r8", pick=pick.text())
    content = components(app)
    assert (
        f"{n:,} example{'' if n == 1 else 's'}: " in content
        and f"pick={quote_plus(pick.text())}" in content.replace("&amp;", "&")
    )
    ids = diagnostic_cache.picked(run, "reply", pick)
    assert len(ids) == n
    there = opened(
        monkeypatch, workspace, "examples", task="reply", metric="rouge_l", variant="qv-r8", pick=pick.text()
    )
    told = shown(there)
    assert "Picked on Compare: " in told and f"n = {n:,} of {N:,} examples" in told
    there.button(key="examples-unpick").click().run()
    assert "Picked on Compare" not in shown(there) and "pick" not in there.query_params


def test_a_cell_of_the_confusion_matrix_picks_what_it_counted(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, run: Run
) -> None:
    answers = diagnostic_cache.answers(run, "category", "qv-r8")
    cell = next((true, one) for true, one in zip(answers.references, answers.answers, strict=True) if true and one)
    pick = Pick("cell", "accuracy", "qv-r8", "baseline", labels=(str(cell[0]), str(cell[1])))
    n = sum(pair == cell for pair in zip(answers.references, answers.answers, strict=True))
    app = opened(
        monkeypatch, workspace, "compare", metric="category/accuracy", variant="qv-r8", picture="confusion", pick=pick.text()
    )  # fmt: skip
    assert not app.exception
    assert f"{n} example{'' if n == 1 else 's'}: {cell[0]} answered by qv-r8 as {cell[1]}" in components(app)


@pytest.mark.parametrize(
    ("pick", "words"),
    [
        ("nonsense", "cannot be read: take `pick` out of it"),
        (
            '["outcome","rouge_l","ghost","baseline",[],["win"]]',
            "no variant 'ghost' to pick examples by; it has baseline, qv-r8",
        ),
        ('["outcome","ghost","qv-r8","baseline",[],["win"]]', "no metric 'ghost' to pick examples by"),
        ('["cell","rouge_l","qv-r8","baseline",[],["a","b"]]', "reply has no single labels as answers"),
    ],
)
def test_what_cannot_be_picked_says_why_and_shows_everything(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, pick: str, words: str
) -> None:
    app = opened(monkeypatch, workspace, "examples", task="reply", metric="rouge_l", variant="qv-r8", pick=pick)
    told = shown(app).replace("&#x27;", "'")
    assert words in told and f"n = {N:,} of {N:,} examples" in told


def test_a_pick_of_another_metric_is_dropped(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    pick = Pick("outcome", "rouge_l", "qv-r8", "baseline", labels=("win",)).text()
    app = opened(monkeypatch, workspace, "compare", metric="category/accuracy", variant="qv-r8", pick=pick)
    assert not app.exception and "pick" not in app.query_params


def test_a_hostile_label_is_shown_as_text(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    pick = Pick("cell", "accuracy", "qv-r8", "baseline", labels=("<img src=x>", "b")).text()
    app = opened(monkeypatch, workspace, "compare", metric="category/accuracy", picture="confusion", pick=pick)
    found = components(app)
    assert not app.exception and "0 examples: &lt;img src=x&gt;" in found and "<img" not in found


def test_the_front_says_how_surely_and_over_what(monkeypatch: pytest.MonkeyPatch, workspace: Path, run: Run) -> None:
    app = opened(monkeypatch, workspace, "overview", cost="MB of weights")
    told = shown(app)
    assert f"of 1,000 resamples of {N} examples the variant is on it" in told
    assert "baseline 100 %" in figures(app), "nothing weighs less than no adapter"
    timed = shown(opened(monkeypatch, workspace, "overview", cost="ms a token"))
    assert f"of {N} examples, times over the probe's repeats" in timed.replace("&#x27;", "'")


def test_cards_follow_the_rule_in_the_address(monkeypatch: pytest.MonkeyPatch, workspace: Path, run: Run) -> None:
    app = opened(monkeypatch, workspace, "overview", sort="size")
    assert "Sorted by fewest bytes of weights" in shown(app)
    sizes = {
        name: found["adapter_bytes"]
        for name, found in json.loads((run.folder / "preflight.json").read_text())["variants"].items()
    }
    smallest = min((name for name in compare(run).variants if name in sizes), key=sizes.__getitem__)
    links = [part.split("&quot;")[0].split('\\"')[0] for part in components(app).split("compare?")[1:]]
    assert parse_qs(links[0].replace("&amp;", "&"))["variant"] == [smallest]


def test_columns_are_chosen_in_the_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", n=8, runs=False)
    names = ("baseline", "a1", "a2", "a3", "a4")
    make_run(folder / "runs" / "wide", n=12, tasks=("category",), variants=names)
    app = opened(monkeypatch, folder, "compare", columns="a4,a2,ghost")
    head = components(app).split("</thead>")[0]
    assert not app.exception and [name in head for name in names] == [True, False, True, False, True]
    app = opened(monkeypatch, folder, "compare", columns="ghost")
    assert all(name in components(app).split("</thead>")[0] for name in names)
