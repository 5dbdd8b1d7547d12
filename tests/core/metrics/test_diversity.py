from __future__ import annotations

import numpy as np
import pytest
from nltk.util import ngrams

from core.metrics.registry import find_metric, get_metric
from core.metrics.tokens import EveryScriptTokenizer
from tests.core.metrics.made import drawn_texts, observe, total


@pytest.mark.parametrize("name", ["distinct_1", "distinct_2", "distinct_3", "repetition"])
@pytest.mark.parametrize("seed", range(2))
def test_the_share_of_distinct_ngrams_equals_a_count_with_nltk(name: str, seed: int) -> None:
    order = 4 if name == "repetition" else int(name[-1])
    texts = [f"{text} {text[: 3 * index]}" for index, text in enumerate(drawn_texts(seed)[0])]
    expected = []
    for text in texts:
        found = list(ngrams(EveryScriptTokenizer().tokenize(text), order))
        share = len(set(found)) / len(found) if found else np.nan
        expected.append(1 - share if name == "repetition" else share)
    metric = get_metric(name)
    observed = observe(texts, ["x"] * len(texts))
    values = metric.per_example(metric.statistics(observed))
    np.testing.assert_allclose(values, expected, atol=1e-12)
    assert np.isnan(values).any(), "some texts are too short"
    assert total(metric, observed) == pytest.approx(np.nanmean(expected))


def test_figures_by_hand() -> None:
    assert total(get_metric("distinct_1"), observe(["a a a b", "我我"], ["x", "x"])) == pytest.approx(
        (2 / 4 + 1 / 2) / 2
    )
    assert total(get_metric("repetition"), observe(["a b c d a b c d"], ["x"])) == pytest.approx(1 - 4 / 5)
    assert not get_metric("repetition").higher_is_better


def test_no_reference_is_needed_but_words_are() -> None:
    observed = observe(["a b", "", "!", None, "one"], [None, "x", "x", "x", "x"])
    one, two = (get_metric(name).statistics(observed) for name in ("distinct_1", "distinct_2"))
    assert one.reasons == (None, "the text has no words", "the text has no words", "the model failed", None)
    assert two.reasons[4] == "the text has fewer than 2 words"
    assert get_metric("repetition").statistics(observed).missing.all()
    assert np.isnan(total(get_metric("repetition"), observed))


def test_any_order_of_one_digit_is_a_name() -> None:
    assert find_metric("distinct_5") is not None
    assert [find_metric(name) for name in ("distinct_0", "distinct_12", "distinct_", "distinct_n")] == [None] * 4
