"""The languages of answers, kept: detected once, and of the evidence that they were detected in."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records import BASELINE
from core.store import Run
from core.text_features import answer_languages
from tests.core.mini import example, said, spec, task, write

ENGLISH, CHINESE = (
    "Where is my parcel? It should have come on Monday.",
    "我的包裹在哪里?星期一就应该到了,请帮我查一下。",
)


def _run(folder: Path) -> Run:
    evidence = [
        said("reply", variant, number, text)
        for variant in (BASELINE, "lora")
        for number, text in enumerate((ENGLISH, CHINESE))
    ]
    return write(
        folder / "run", spec({"reply": task("generation")}), [example("reply", i, "r") for i in range(2)], evidence
    )


def test_they_are_detected_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _run(tmp_path)
    first = answer_languages(run, "reply", "hash")
    assert first.counts() == {"en": 2, "zh": 2}
    assert first.among("zh").tolist() == [False, True, False, True] and not first.among("fr").any()

    def fail(text: str) -> str:
        raise AssertionError(f"detected again: {text}")

    monkeypatch.setattr("core.text_features.kept.detect_language", fail)
    again = answer_languages(run, "reply", "hash")
    assert again.names == first.names and again.codes.tolist() == first.codes.tolist()
    with pytest.raises(AssertionError, match="detected again"):
        answer_languages(run, "reply", "another hash")


def test_nothing_is_kept_of_a_run_that_goes_on_and_damage_is_mended(tmp_path: Path) -> None:
    run = _run(tmp_path)
    answer_languages(run, "reply")
    assert not list((run.folder / "derived").glob("languages-*"))
    answer_languages(run, "reply", "hash")
    path = next((run.folder / "derived").glob("languages-*"))
    path.write_bytes(b"damaged")
    assert answer_languages(run, "reply", "hash").counts() == {"en": 2, "zh": 2}
