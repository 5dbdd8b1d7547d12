"""The Ablations page's second half: what parts do, how an adapter is taken apart, and every face in between."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.experiment.results import experiment_results
from core.jobs.status import RunStatus, read_status, write_status
from core.store import Run
from core.wording.experiment import PART_TITLES, headline, part_sentence
from core.workspace import load_workspace
from tests.ablated import WHOLE, make_ablated_run
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_workspace
from tests.worker_double import sleeping_worker

SAMPLE = Path(__file__).parents[2] / "sample_data"
KEY = "category/accuracy"


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose one run takes an adapter apart."""
    folder = make_workspace(tmp_path_factory.mktemp("apart") / "workspace", n=4, runs=False)
    make_ablated_run(
        folder / "runs" / "apart", n=40, tasks=("category",), off={"mixing": "Parts of <b>this</b> are off."}
    )
    return folder


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped workspace without its run, and without a base on this disk."""
    monkeypatch.setattr("core.experiment.prepare.check_models", lambda workspace, models: None)
    for name in ("workspace.yaml", "data", "adapters", "metrics"):
        (tmp_path / name).symlink_to(SAMPLE / name)
    return tmp_path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Run]]:
    """The runs that were started, each of which stays queued."""
    runs: list[Run] = []

    def start(run: Run) -> int:
        runs.append(run)
        write_status(run.folder, RunStatus("queued", message="Starting the worker"))
        return 1

    monkeypatch.setattr("core.jobs.launch.start", start)
    yield runs


def _page(monkeypatch: pytest.MonkeyPatch, folder: Path, **query: str) -> AppTest:
    return opened(monkeypatch, folder, "ablations", section="experiment", **query)


def _button(app: AppTest, key: str) -> Any:
    return app.button(key=key)


def test_each_part_has_its_sentence_and_its_picture(monkeypatch: pytest.MonkeyPatch, apart: Path) -> None:
    app = _page(monkeypatch, apart)
    text, found = shown(app), experiment_results(Run(apart / "runs" / "apart"))
    assert html.escape(headline(found, KEY)) in text
    for part in PART_TITLES:
        assert html.escape(part_sentence(found, KEY, part)) in text, part
    charts = [element.proto.id for element in app.get("plotly_chart")]
    assert len(charts) == 7, "two for the depth"
    assert "p adjusted over" in text and "a family of the parts alone" in text and "run apart" in text
    assert "a slice is not looked at" not in text
    assert "Parts of &lt;b&gt;this&lt;/b&gt; are off." in text


def test_the_url_chooses_the_metric_and_the_part_that_is_looked_into(
    monkeypatch: pytest.MonkeyPatch, apart: Path
) -> None:
    app = _page(monkeypatch, apart, metric="category/f1_macro", variant="all-r8.no-mlp")
    found = experiment_results(Run(apart / "runs" / "apart"))
    assert html.escape(headline(found, "category/f1_macro")) in shown(app)
    assert app.selectbox(key="ablations-variant").value == "all-r8.no-mlp"
    app.selectbox(key="ablations-metric").set_value(KEY).run()
    assert html.escape(headline(found, KEY)) in shown(app)


def test_examples_open_against_the_whole_adapter(monkeypatch: pytest.MonkeyPatch, apart: Path) -> None:
    app = _page(monkeypatch, apart, variant="all-r8.no-attention", slice="hard=true")
    assert "all examples: a slice is not looked at here" in shown(app)
    _button(app, "ablations-open-examples").click().run()
    assert not app.exception
    assert app.session_state["reference"] == WHOLE


def test_without_an_ablation_the_form_asks_and_says_what_it_would_cost(
    monkeypatch: pytest.MonkeyPatch, sample: Path, started: list[Run]
) -> None:
    app = _page(monkeypatch, sample)
    text = shown(app)
    assert "Which parts of an adapter do the work?" in text
    assert "variants, the baseline and the whole adapter included." in text
    assert "How long it takes is not known: no finished run of these tasks here to go by." in text
    app.selectbox(key="ablation-adapter").set_value("qv-r2").run()
    app.multiselect(key="ablation-parts-qv-r2").set_value(["rank", "mixing"]).run()
    assert "No other adapter was named to mix it with." in shown(app)
    app.multiselect(key="ablation-partners-qv-r2").set_value(["qv-r8"]).run()
    app.number_input(key="ablation-examples").set_value(3).run()
    app.number_input(key="ablation-minutes").set_value(2.0).run()
    _button(app, "ablation-start").click().run()
    (run,) = started
    ablation = run.spec.ablation
    assert ablation is not None
    assert (ablation.adapter, ablation.partners, ablation.parts) == ("qv-r2", ("qv-r8",), ("rank", "mixing"))
    assert (run.spec.drawn, ablation.minutes, list(run.spec.clean_tasks)) == (3, 2.0, ["category"])
    assert "qv-r2 taken apart: rank, mixing" in shown(app)
    assert _button(app, "ablation-start").disabled, "one run at a time"


def test_what_cannot_be_started_is_said_before_the_button_is_pressed(
    monkeypatch: pytest.MonkeyPatch, sample: Path, started: list[Run]
) -> None:
    app = _page(monkeypatch, sample)
    app.multiselect(key="ablation-parts-qv-r8").set_value([]).run()
    assert "Choose at least one part." in shown(app) and _button(app, "ablation-start").disabled
    app.multiselect(key="ablation-parts-qv-r8").set_value(["mixing"]).run()
    assert "There is nothing to try of the adapter &#x27;qv-r8&#x27;" in shown(app)
    assert _button(app, "ablation-start").disabled and not started


def test_an_adapter_whose_files_are_gone_is_named(monkeypatch: pytest.MonkeyPatch, apart: Path) -> None:
    app = _page(monkeypatch, apart)
    assert "models.adapters.qv-r8.path: found no folder" in shown(app)
    assert _button(app, "ablation-start").disabled


def test_one_that_goes_on_shows_its_progress_and_is_cancelled_and_resumed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: list[Run]
) -> None:
    folder = make_workspace(tmp_path / "workspace", n=4, runs=False)
    run = make_ablated_run(folder / "runs" / "apart", n=4, tasks=("category",))
    with sleeping_worker("apart") as process:
        write_status(run.folder, RunStatus("running", done=8, total=80, message="Evaluating", pid=process.pid))
        app = _page(monkeypatch, folder)
        assert "8 of 80 answers" in shown(app) and _button(app, "ablation-start").disabled
        _button(app, "cancel-apart").click().run()
        assert process.wait(timeout=20) != 0
    assert "8 of 80 answers are done and kept" in shown(app)
    _button(app, "resume-apart").click().run()
    assert [one.id for one in started] == ["apart"]


def test_what_the_minutes_left_out_is_said_and_can_be_resumed(monkeypatch: pytest.MonkeyPatch, apart: Path) -> None:
    run = Run(apart / "runs" / "apart")
    before = read_status(run)
    missing = ("all-r8.no-mlp", "all-r8.rank-1")
    write_status(run.folder, replace(before, state="cancelled", done=8, total=80, left_out=missing))
    try:
        app = _page(monkeypatch, apart)
    finally:
        write_status(run.folder, before)
    assert "Not measured for lack of minutes: all-r8.no-mlp, all-r8.rank-1. Resume goes on with them." in shown(app)
    assert "resume-apart" in [button.key for button in app.button]


def test_a_folder_of_results_alone_says_that_it_needs_its_models(monkeypatch: pytest.MonkeyPatch, apart: Path) -> None:
    folder = apart / "runs" / "apart"
    assert load_workspace(folder).only_run is not None
    assert "Nothing to take apart here" in shown(_page(monkeypatch, folder))
