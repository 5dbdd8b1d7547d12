"""The Report page without a browser: its faces, its choices, and what it offers."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.report.document import SECTIONS
from core.report.formats import FORMATS
from core.report.html import exact
from dashboard.parts import report_exports
from tests.core.report.made import HOSTILE, make_hostile_run
from tests.dashboard.pages import opened, shown
from tests.synthetic import make_run, make_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("report") / "workspace", n=12, runs=False)
    make_hostile_run(folder / "runs" / "hostile")
    make_run(folder / "runs" / "alone", n=6, tasks=("category",), variants=("baseline",))
    return folder


def preview(app: AppTest) -> str:
    """Return the page in the frame."""
    (element,) = app.get("bidi_component")
    return str(json.loads(element.proto.json)["page"])


def test_it_says_what_it_is_and_shows_all_of_it(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = opened(monkeypatch, workspace, "report", run="hostile")
    assert "Everything that hostile found against baseline" in shown(app)
    page = preview(app)
    assert "<h1>qv-r8 against baseline</h1>" in page
    assert HOSTILE["script"] not in page
    assert any(
        exact(text) in page for name, text in HOSTILE.items() if name in ("script", "closing", "image", "entities")
    )
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == [one.label for one in FORMATS.values()]


def test_a_section_is_switched_off_in_the_url_and_in_the_page(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = opened(monkeypatch, workspace, "report", run="hostile", without="method,data")
    assert [box.label for box in app.checkbox if not box.value] == [SECTIONS["data"], SECTIONS["method"]]
    assert 'id="method"' not in preview(app)
    next(box for box in app.checkbox if box.label == SECTIONS["method"]).check().run()
    assert 'id="method"' in preview(app) and 'id="data"' not in preview(app)
    assert app.query_params["without"] == "data"


def test_the_command_that_pushes_is_shown_to_be_copied(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = opened(monkeypatch, workspace, "report", run="hostile", reference="qv-r8", without=",".join(SECTIONS))
    folder = shlex.quote(str(workspace))
    assert [one.value for one in app.code] == [
        f"lorascope push hostile --workspace {folder} --to mlflow --reference qv-r8"
    ]
    app.button_group(key="report-push").set_value("tensorboard").run()
    assert "--to tensorboard" in app.code[0].value


def test_title_and_remarks_are_text(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = opened(monkeypatch, workspace, "report", run="hostile", without=",".join(SECTIONS))
    app.text_input(key="report-title").input(HOSTILE["closing"]).run()
    app.text_area(key="report-remarks").input(HOSTILE["image"]).run()
    page = preview(app)
    assert "<h1>&lt;/div&gt;" in page and "<img" not in page


def test_a_slice_does_not_apply(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = opened(monkeypatch, workspace, "report", run="hostile", slice="language=en")
    assert "Of all examples" in shown(app)


def test_a_run_of_the_reference_alone(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    assert "nothing to compare it with" in preview(opened(monkeypatch, workspace, "report", run="alone"))


def test_without_a_browser_the_charts_are_off_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    monkeypatch.setattr(report_exports, "browser_found", lambda: False)
    app = opened(monkeypatch, workspace, "report", run="hostile")
    off = [button.proto.label for button in app.get("download_button") if button.proto.disabled]
    assert off == ["All charts (zip)"] and "apt install chromium" in shown(app)


def test_without_a_run_it_says_the_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = make_workspace(tmp_path / "workspace", n=6, runs=False)
    assert "No run yet" in shown(opened(monkeypatch, empty, "report"))
