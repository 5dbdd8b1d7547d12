"""Pages of a run whose predictions came from elsewhere: there is no model, no prompt and no evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.imports.request import ScoreRequest
from core.imports.run import read_predictions, write_run
from core.imports.sources import Source
from tests.dashboard.pages import opened, shown

SAMPLE = Path(__file__).parents[2] / "sample_data" / "predictions"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imported") / "vision"
    write_run(folder, read_predictions(ScoreRequest("vision", (Source(SAMPLE / "vision.jsonl"),))))
    return folder


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("overview", "data: predictions"),
        ("run", "1 finished run"),
        ("compare", "n = 40"),
        ("examples", "large gains on"),
    ],
)
def test_every_page_opens(monkeypatch: pytest.MonkeyPatch, folder: Path, page: str, words: str) -> None:
    assert words in shown(opened(monkeypatch, folder, page))
