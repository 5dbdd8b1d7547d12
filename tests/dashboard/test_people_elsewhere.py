"""Human preference on Overview, Compare and Ablations: one line and one section for a run that people rated, a next step for others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.ratings import Study
from core.workspace import load_workspace
from tests.core.adapters.made import made_adapter
from tests.dashboard.pages import opened, shown
from tests.rated_workspaces import rated_workspace
from tests.synthetic import make_workspace


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Study]]:
    folder = tmp_path_factory.mktemp("people") / "workspace"
    return folder, rated_workspace(folder, ("two", "scores", "empty"), n=24)


def tables(app: object) -> str:
    found = app.get("bidi_component")  # type: ignore[attr-defined]
    return "\n".join(json.dumps(json.loads(element.proto.json), ensure_ascii=False) for element in found)


def test_overview_has_a_line_a_study_that_leads_to_compare(
    monkeypatch: pytest.MonkeyPatch, rated: tuple[Path, dict[str, Study]]
) -> None:
    text = tables(opened(monkeypatch, rated[0], "overview"))
    assert "Study two: qv-r8 ▲ preferred in" in text and "section=people" in text
    assert "(3 raters, alpha " in text and "the study is open" in text


def test_compare_shows_each_study_and_leads_to_it(
    monkeypatch: pytest.MonkeyPatch, rated: tuple[Path, dict[str, Study]]
) -> None:
    app = opened(monkeypatch, rated[0], "compare", section="people")
    assert "Study two: qv-r8 ▲ preferred in" in shown(app)
    table = tables(app)
    assert f"agreement?study={rated[1]['two'].id}" in table and f"agreement?study={rated[1]['scores'].id}" in table
    assert len(app.get("plotly_chart")) == 1


def test_ablations_names_what_people_prefer_beside_the_metrics(
    monkeypatch: pytest.MonkeyPatch, rated: tuple[Path, dict[str, Study]]
) -> None:
    for rank, name in enumerate(load_workspace(rated[0]).spec.models.adapters, start=2):
        made_adapter(rated[0] / "adapters" / name, rank=rank, seed=rank)
    assert "<li>Study two: qv-r8 ▲ preferred in" in shown(opened(monkeypatch, rated[0], "ablations"))


def test_a_run_that_nobody_rated_has_no_line_and_the_section_says_the_next_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LORASCOPE_RATINGS", raising=False)
    folder = make_workspace(tmp_path / "w", n=20)
    assert "section=people" not in tables(opened(monkeypatch, folder, "overview"))
    assert "Nobody was asked about this run&#x27;s outputs yet" in shown(
        opened(monkeypatch, folder, "compare", section="people")
    )
    assert not (folder / "studies").exists()
