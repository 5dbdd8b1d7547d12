from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.derived import StatisticsReader
from core.metrics import meteor as meteor_module
from core.metrics.meteor import meteor
from core.metrics.registry import get_metric
from core.metrics.tokens import EveryScriptTokenizer
from core.metrics.wordnet import NoSynonyms, data_folders, find_wordnet, wordnet_mark
from tests.core import mini
from tests.core.metrics.made import drawn_texts, observe, total

ROOT = Path(__file__).parents[3]
HALTED, STOPPED = ["the", "car", "halted"], ["the", "automobile", "stopped"]


class StubWordNet:
    """A WordNet of two synsets."""

    name = "wordnet-stub"

    def synsets(self, word: str) -> list[SimpleNamespace]:
        groups = [("car", "automobile"), ("halt", "stop")]
        return [
            SimpleNamespace(lemmas=lambda group=group: [SimpleNamespace(name=lambda name=name: name) for name in group])
            for group in groups if word in group
        ]  # fmt: skip


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meteor_module, "find_wordnet", lambda: None)


def by_hand(text: list[str], reference: list[str]) -> float:
    """Return METEOR of words that are all different and have stems of their own: matched where they are equal."""
    places = [(i, reference.index(word)) for i, word in enumerate(text) if word in reference]
    if not places:
        return 0.0
    chunks = 1 + sum(after != (i + 1, j + 1) for (i, j), after in zip(places, places[1:], strict=False))
    precision, recall = len(places) / len(text), len(places) / len(reference)
    mean = 10 * precision * recall / (recall + 9 * precision)
    return mean * (1 - 0.5 * (chunks / len(places)) ** 3)


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("seed", range(3))
def test_meteor_without_synonyms_equals_the_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = ["kat", "dok", "mat", "tum", "été", "我", "要", "退", "货", "привет", "नमस्ते", "zug"]
    pairs = [
        (rng.permutation(words)[: rng.integers(0, 9)], rng.permutation(words)[: rng.integers(1, 9)]) for _ in range(50)
    ]
    metric = get_metric("meteor")
    statistics = metric.statistics(
        observe([" ".join(text) for text, _ in pairs], [" ".join(some) for _, some in pairs])
    )
    expected = [by_hand(text.tolist(), reference.tolist()) for text, reference in pairs]
    np.testing.assert_allclose(metric.per_example(statistics), expected, atol=1e-12)
    assert "|synonyms:none|" in statistics.signature


@pytest.mark.usefixtures("without")
def test_meteor_equals_nltk_on_drawn_texts_and_takes_the_best_reference() -> None:
    from nltk.translate.meteor_score import single_meteor_score

    texts, first = drawn_texts(3)
    second = drawn_texts(4)[1]
    words, empty = EveryScriptTokenizer().tokenize, SimpleNamespace(synsets=lambda word: [])
    expected = [
        max(single_meteor_score(words(reference), words(text), wordnet=empty) for reference in some)
        for text, *some in zip(texts, first, second, strict=True)
    ]
    observed = observe(texts, list(zip(first, second, strict=True)))
    assert total(get_metric("meteor"), observed) == pytest.approx(np.mean(expected), abs=1e-12)


def test_stems_match_and_synonyms_match_where_there_are_some() -> None:
    assert meteor([["stopping", "cars"]], ["stopped", "car"], NoSynonyms()) == pytest.approx(1 - 0.5 / 8)
    assert meteor([HALTED], STOPPED, NoSynonyms()) == pytest.approx(1 / 6)
    # "the" and the stems "stop" and "halt" match, in two chunks; "automobil", a stem, is in no synset.
    assert meteor([HALTED], STOPPED, StubWordNet()) == pytest.approx(2 / 3 * (1 - 0.5))


def test_values_with_and_without_synonyms_are_never_differenced(monkeypatch: pytest.MonkeyPatch) -> None:
    metric, observed = get_metric("meteor"), observe(["the automobile stopped"], ["the car halted"])
    made = []
    for found in (StubWordNet(), None):
        monkeypatch.setattr(meteor_module, "find_wordnet", lambda found=found: found)
        made.append(metric.statistics(observed))
    assert "|synonyms:wordnet-stub|" in made[0].signature
    assert made[0].array[0, 0] > made[1].array[0, 0] > 0
    assert "computed differently" in (metric.incomparable(*made) or "")
    assert metric.incomparable(made[0], made[0]) is None


def test_a_folder_without_wordnet_has_none_and_a_broken_one_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path))
    assert find_wordnet() is None
    folder = tmp_path / "nltk_data" / "corpora" / "wordnet"
    folder.mkdir(parents=True)
    (folder / "lexnames").write_text("00\tadj.all\t3\n")
    for place in (tmp_path, *folder.relative_to(tmp_path).parents, folder):
        (tmp_path / place).chmod(0o755)
    with pytest.warns(UserWarning, match="WordNet cannot be read .* METEOR goes without synonyms"):
        assert find_wordnet() is None


def test_the_real_wordnet_gives_the_published_figure() -> None:
    wordnet = find_wordnet()
    if wordnet is None:
        pytest.skip("WordNet is not installed: docs/meteor.md says how to")
    assert meteor([HALTED], STOPPED, wordnet) == pytest.approx(1 / 3, abs=1e-3)


def test_a_reference_without_words_has_no_meteor() -> None:
    statistics = get_metric("meteor").statistics(observe(["a"], ["!!!"]))
    assert statistics.reasons == ("the reference has no words",)


def wordnet_of(folder: Path, size: int) -> None:
    (folder / "corpora" / "wordnet").mkdir(parents=True, exist_ok=True)
    (folder / "corpora" / "wordnet" / "data.noun").write_bytes(b"0" * size)


def test_what_wordnet_is_there_is_told_without_importing_nltk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "LORASCOPE_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("NLTK_DATA", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "prefix"))
    if wordnet_mark() != "none":
        pytest.skip("WordNet is installed for the whole machine")
    wordnet_of(tmp_path / "HOME" / "nltk_data", 3)
    assert wordnet_mark() == "3"
    wordnet_of(tmp_path / "data", 5)
    monkeypatch.setenv("NLTK_DATA", os.pathsep.join(["", str(tmp_path / "none"), str(tmp_path / "data")]))
    assert wordnet_mark() == "5"
    own = tmp_path / "LORASCOPE_CACHE" / "nltk_data" / "corpora"
    own.mkdir(parents=True)
    (own / "wordnet.zip").write_bytes(b"0" * 7)
    assert wordnet_mark() == "7" and get_metric("meteor").environment() == "wordnet:7"
    told = "import sys; from core.metrics.registry import get_metric; get_metric('meteor').environment(); print('nltk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_the_folders_are_those_that_nltk_searches() -> None:
    import nltk.data

    searched = {Path(folder) for folder in nltk.data.path}
    assert searched - set(data_folders()) == set()


def test_kept_statistics_are_those_of_the_wordnet_that_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = mini.spec({"t": mini.task("generation", metrics=["meteor", "bleu"])})
    examples = [mini.example("t", number, "the automobile stopped", ()) for number in range(2)]
    evidence = [mini.said("t", name, n, "the car halted") for name in ("baseline", "lora") for n in range(2)]
    reader = StatisticsReader(mini.write(tmp_path / "mini", spec, examples, evidence))
    found = {}
    for mark in ("none", "100"):
        monkeypatch.setattr(meteor_module, "wordnet_mark", lambda mark=mark: mark)
        found[mark] = [reader.path("t", get_metric(name), "lora") for name in ("meteor", "bleu")]
    assert found["none"][0] != found["100"][0] and found["none"][1] == found["100"][1] is not None
