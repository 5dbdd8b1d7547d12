"""Pages of several runs joined: what is said, what is kept with which run, and the choice of rows and columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.flags import read_flags
from core.store import Run
from tests.dashboard.pages import opened, shown
from tests.joined_runs import cut
from tests.synthetic import make_run, make_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("joined")
    folder = make_workspace(place / "workspace", n=8, runs=False)
    whole = make_run(place / "whole", n=20, tasks=("category", "reply"))

    def retrained(known: dict[str, Any]) -> None:
        known["hashes"]["adapters"]["qv-r8"] = "ab" * 32

    cut(whole, folder / "runs" / "monday", ["qv-r8"])
    cut(whole, folder / "runs" / "tuesday", ["qv-r8", "all-r8"], environment=retrained)
    cut(whole, folder / "runs" / "<b>", ["qv-r2"], environment=lambda known: known.update(dtype="bfloat16"))
    return folder


def page(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, **query: str) -> AppTest:
    return opened(monkeypatch, folder, name, run="monday", **query)


def tables(app: AppTest) -> str:
    found = app.get("bidi_component")
    return "\n".join(json.dumps(json.loads(element.proto.json), ensure_ascii=False) for element in found)


def test_compare_says_what_is_joined_and_what_cannot_be(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = page(monkeypatch, workspace, "compare", join="tuesday")
    words = shown(app)
    assert "<b>monday and tuesday are joined by example: category, reply (n = 20).</b>" in words
    assert "qv-r8+tuesday is qv-r8 of tuesday, another model than qv-r8 here." in words
    assert "1 other run cannot be joined with monday" in words
    assert "<b>&lt;b&gt;</b>: the precision differs: bfloat16 in &lt;b&gt;, float32 in monday." in words
    assert app.selectbox(key="reference").options == ["baseline", "qv-r8", "qv-r8+tuesday", "all-r8"]
    table = tables(app)
    assert "qv-r8+tuesday</th>" in table and "join=tuesday" in table and "run=monday&amp;" in table
    sections = str([group.proto for group in app.get("button_group")])
    assert "Where they differ most" in sections and "User feedback" not in sections


def test_any_variant_of_any_run_is_the_reference(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = page(monkeypatch, workspace, "compare", join="tuesday", reference="qv-r8+tuesday")
    assert app.selectbox(key="reference").value == "qv-r8+tuesday"
    head = tables(app).partition("</thead>")[0]
    assert head.index("qv-r8+tuesday</th>") < head.index("baseline</th>")


def test_a_run_that_cannot_be_joined_is_answered_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = page(monkeypatch, workspace, "overview", join="<b>,nothing,monday,tuesday")
    words = shown(app)
    assert app.multiselect(key="join-picked").value == ["<b>", "nothing", "tuesday"], "each can be taken away"
    assert "&lt;b&gt; cannot be joined with monday: the precision differs" in words
    assert "there is no run &#x27;nothing&#x27;" in words
    assert "run monday+tuesday" in words


def test_the_picker_writes_the_address(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = page(monkeypatch, workspace, "compare")
    picker = app.multiselect(key="join-picked")
    assert picker.options == ["tuesday"]
    app = picker.set_value(["tuesday"]).run()
    assert app.query_params["join"] == "tuesday" and "are joined by example" in shown(app)
    app = app.multiselect(key="join-picked").set_value([]).run()
    assert "join" not in app.query_params and "are joined by example" not in shown(app)


def test_flags_are_kept_with_the_first_run_and_thumbs_with_one_alone(
    monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    app = page(monkeypatch, workspace, "examples", join="tuesday", task="category", example="eval-003")
    assert [pill for pill in app.get("button_group") if "qv-r8+tuesday" in str(pill.proto)]
    assert not app.get("text_input")[1:], "one search field, and no note"
    app.button(key="examples-flag").click().run()
    monday = Run(workspace / "runs" / "monday")
    assert read_flags(monday).of("category") == {"eval-003"}
    alone = page(monkeypatch, workspace, "examples", task="category", example="eval-003")
    assert alone.get("text_input")[1:] and "Take the flag away" in [button.label for button in alone.button]


@pytest.mark.parametrize("name", ["report", "adapters"])
def test_other_pages_open_with_joined_runs(monkeypatch: pytest.MonkeyPatch, workspace: Path, name: str) -> None:
    shown(page(monkeypatch, workspace, name, join="tuesday"))


def test_single_metrics_are_chosen_in_the_address(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    app = page(monkeypatch, workspace, "compare", rows="reply/bleu,reply/ghost", columns="all-r8", join="tuesday")
    table = tables(app).partition("</table>")[0]
    assert table.count("data-key=") == 1 and 'data-key=\\"reply/bleu\\"' in table
    assert 'tr class=\\"task\\"' in table and "category</th>" not in table
    assert "qv-r8+tuesday</th>" not in table.partition("</thead>")[0]
    assert app.multiselect(key="compare-rows-chosen").value == ["reply/bleu"]
    app = app.multiselect(key="compare-rows-chosen").set_value([]).run()
    assert "rows" not in app.query_params and tables(app).count("data-key=") > 1


def test_a_family_folds_into_its_heading(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    table = tables(page(monkeypatch, workspace, "compare", folded="reply/likelihood"))
    assert "▸ likelihood (1 metric)" in table and 'data-key=\\"reply/perplexity\\"' not in table
    assert "▾ generation" in table and "folded=reply%2Flikelihood%2Creply%2Fgeneration" in table
    assert 'data-key=\\"reply/bleu\\"' in table
