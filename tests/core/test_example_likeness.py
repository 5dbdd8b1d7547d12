"""Which examples are like another: by words that are rare, against scikit-learn, and in scripts without spaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.example_likeness import CHARACTERS_READ, likeness_index, read_asked, terms
from core.records import BASELINE, Example
from tests.core.mini import said, spec, task, write

TEXTS = [
    "Please answer: my parcel is late", "Please answer: the hammock is torn", "Please answer: a parcel came late, very late",
    "Please answer: 我的包裹还没有到", "Please answer: 包裹什么时候到", "Please answer: ???", "Please answer: hammock, torn and wet",
]  # fmt: skip


def test_words_are_folded_and_scripts_without_spaces_paired() -> None:
    assert terms("The PARCEL, the parcel_2") == ["the", "parcel", "the", "parcel_2"]
    assert terms("我的包裹 到") == ["我的", "的包", "包裹", "到"]
    assert terms("...") == []
    assert len(terms("a " * CHARACTERS_READ)) == CHARACTERS_READ // 2


def test_the_nearest_share_rare_words_and_an_example_is_not_its_own() -> None:
    index = likeness_index(TEXTS)
    assert index.nearest(0)[0] == 2
    assert index.nearest(1)[0] == 6
    assert index.nearest(3).tolist() == [4]
    assert index.nearest(0, 1).tolist() == [2]


def test_words_that_all_have_make_nothing_alike() -> None:
    assert likeness_index(TEXTS).nearest(5).tolist() == []
    assert likeness_index(["the same"] * 3).nearest(0).tolist() == []
    assert likeness_index(["", ""]).nearest(0).tolist() == []
    assert likeness_index(["alone"]).nearest(0).tolist() == []


def test_the_order_is_that_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    rng = np.random.default_rng(5)
    texts = [" ".join(f"w{number}" for number in rng.zipf(1.6, 12) % 200) for _ in range(80)]
    vectorizer: Any = CountVectorizer
    counts = vectorizer(analyzer=terms).fit_transform(texts).toarray().astype(float)
    weights = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * np.log(len(texts) / (counts > 0).sum(axis=0))
    alike = cosine_similarity(weights)
    index = likeness_index(texts)
    for position in (0, 17, 79):
        found = index.nearest(position, 10)
        best = np.sort(np.delete(alike[position], position))[::-1][:10]
        np.testing.assert_allclose(alike[position][found], best, atol=1e-6)


def test_what_is_asked_is_the_fields_of_the_prompt_or_else_the_prompt_or_the_reference(tmp_path: Path) -> None:
    examples = [
        Example("reply", "a", "rendered", {"text": "own", "more": "words"}, "reference"),
        Example("reply", "b", "rendered", {"text": "", "more": None}, "reference"),
        Example("reply", "c", "", {}, "reference"),
        Example("reply", "d", "", {}, ["several"]),
    ]
    evidence = [said("reply", variant, 0, "x") for variant in (BASELINE, "lora")]
    run = write(tmp_path / "run", spec({"reply": task("generation")}), examples, evidence)
    assert read_asked(run, "reply", ["text", "more"]) == ["own words", "rendered", "reference", '["several"]']
    assert read_asked(run, "reply", []) == ["rendered", "rendered", "reference", '["several"]']
