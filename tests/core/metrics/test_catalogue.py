"""The list of metrics: complete, in order, and each told in one sentence of its own."""

from __future__ import annotations

from collections import Counter

import pytest

from core.metrics.catalogue import FAMILIES, by_family, entries
from core.metrics.registry import all_metrics, find_metric
from core.spec import KINDS

LISTED = entries()
PROMISED = {
    "classification": """accuracy balanced_accuracy precision recall f1 precision_micro precision_macro precision_weighted recall_micro
        recall_macro recall_weighted f1_micro f1_macro f1_weighted precision_per_class recall_per_class f1_per_class mcc roc_auc
        roc_auc_macro roc_auc_weighted pr_auc log_loss brier ece""",
    "regression": "mse rmse mae r2 pearson spearman within_1 within_0.5 unparsable",
    "generation": """bleu chrf chrf++ ter rouge_1 rouge_2 rouge_l rouge_lsum meteor exact_match token_f1 distinct_1 distinct_2
        distinct_3 repetition length_ratio""",
    "likelihood": "perplexity bits_per_byte reference_log_likelihood token_accuracy",
    "multilabel": "hamming_loss jaccard_samples jaccard_micro jaccard_macro subset_accuracy f1_micro f1_macro",
    "ranking": "ndcg_at_5 ndcg_at_10 ndcg_at_7 ndcg_exp_at_5 map mrr precision_at_5 recall_at_5 hit_rate hit_rate_at_10",
    "medical": "sensitivity specificity ppv npv lr_plus lr_minus roc_auc accuracy",
    "finance": "total_return sharpe sortino max_drawdown hit_rate",
    "vision": "iou map_50 map_50_95",
}  # fmt: skip


def test_every_metric_is_listed_once_with_its_kinds() -> None:
    assert sorted(entry.name for entry in LISTED) == sorted(all_metrics())
    for kind in KINDS:
        assert [entry.name for entry in entries(kind)] == [entry.name for entry in LISTED if kind in entry.kinds]
        assert entries(kind), kind


@pytest.mark.parametrize("kind", list(PROMISED))
def test_the_metrics_of_the_field_are_there_for_their_kind_of_task(kind: str) -> None:
    for name in PROMISED[kind].split():
        metric = find_metric(name)
        assert metric is not None and kind in metric.kinds, name


def test_families_come_in_their_order_and_hold_together() -> None:
    families = [entry.family for entry in LISTED]
    assert list(dict.fromkeys(families)) == list(FAMILIES) == list(by_family(LISTED))
    assert families == sorted(families, key=FAMILIES.index)


def test_a_definition_is_one_sentence_without_its_full_stop() -> None:
    for entry in LISTED:
        assert 10 < len(entry.definition) <= 200, (entry.name, len(entry.definition))
        assert entry.definition[-1] not in ".;:," and "\n" not in entry.definition, entry.name
        assert "Statistics:" not in entry.definition and "``" not in entry.definition, entry.name


def test_definitions_and_labels_tell_metrics_apart() -> None:
    said = Counter((entry.name.partition("_at_")[0], entry.definition) for entry in LISTED)
    texts = Counter(text for _, text in said)  # one text for all cut-offs of a metric, which speaks of the first k
    assert {text: n for text, n in texts.items() if n > 1} == {}
    assert all(n == 1 or "first k" in text for (_, text), n in said.items())
    assert {text: n for text, n in Counter(entry.label for entry in LISTED).items() if n > 1} == {}


def test_bounds_directions_and_units_fit_each_other() -> None:
    for entry in LISTED:
        assert entry.direction in ("higher", "lower", "none")
        if entry.lowest is not None and entry.highest is not None:
            assert entry.lowest < entry.highest, entry.name
        if entry.unit == "share" and entry.name != "total_return":
            assert (entry.lowest, entry.highest) in ((0, 1), (-1, 0)), entry.name
        if entry.unit == "points":
            assert entry.lowest == 0 and entry.highest in (100, None), entry.name
    assert {entry.name for entry in LISTED if entry.direction == "none"} == {"length_ratio"}


def test_the_uncertainty_is_that_of_the_metric() -> None:
    said = {entry.name: entry.uncertainty for entry in LISTED}
    assert said["accuracy"].startswith("Wilson; differences by McNemar")
    assert said["sensitivity"].startswith("Wilson; differences by Tango")
    assert said["bleu"].endswith("swap test") and said["rouge_l"].endswith("sign-flip")
    assert said["sharpe"].startswith("stationary block bootstrap")
    assert said["max_drawdown"].startswith("no interval: ")
