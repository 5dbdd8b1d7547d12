"""A study before it is stored: what is said of it is what is then made, and nothing is on disk before."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.ratings import Criterion, RatingStore, draft_study, items, list_studies, parse_gold, store_draft
from tests.core.ratings.studies import VARIANTS, plan, write_run


def test_what_a_draft_says_is_what_is_made(lite: RatingStore, tmp_path: Path) -> None:
    draft = draft_study([write_run(tmp_path / "run", 12, identical=(0, 1, 2))], plan())
    assert list_studies(lite) == []
    assert (draft.n_examples, draft.n_items, draft.n_identical, draft.variants) == (12, 9, 3, VARIANTS)
    table = items(store_draft(lite, draft).study)
    assert len(table) == 12 and int(table["identical"].sum()) == 3
    assert len(list_studies(lite)) == 1


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"title": "Is lora better?"}, "Title"),
        ({"guidelines": "The answers of lora are shorter."}, "Guidelines"),
        ({"mode": "score", "criteria": (Criterion(name="x", label="As good as lora"),)}, "Criteria"),
    ],
)
def test_a_text_of_the_study_that_names_a_variant_is_said(tmp_path: Path, more: dict[str, object], where: str) -> None:
    run = write_run(tmp_path / "run")
    (note,) = draft_study([run], plan(**more)).notes
    assert note.startswith(f"{where}: raters can read the name 'lora' there")
    assert draft_study([run], plan(title="Explore colorados")).notes == ()


def test_gold_items_are_read_line_by_line() -> None:
    (gold,) = parse_gold('\n{"prompt": "a", "outputs": ["b", "c"]}\n', "Gold items")
    assert gold.outputs == ("b", "c")
    with pytest.raises(InputError, match=r"^Gold items, line 2: outputs: Field required. Expected a JSON object"):
        parse_gold('{"prompt": "a", "outputs": ["b", "c"]}\n{"prompt": "a"}', "Gold items")
    with pytest.raises(InputError, match="Gold items, line 1: .*Expected a JSON object with prompt and outputs"):
        parse_gold("not json", "Gold items")
