"""Which rows the tables show: primary ones first and always, the rest on request; and that hiding changes no number."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from core.results import Comparison, Difference, MetricRow, Value
from dashboard.parts.evidence_table import evidence_table, reading
from dashboard.parts.metric_cell import difference_tip, value_tip
from dashboard.parts.metric_rows import EVERYTHING, FoldedFamily, LabelGroup, Unfolded, shown_rows, task_rows
from dashboard.parts.metric_tables import MARKS_SIDE_BY_SIDE, comparison_table, matrix_rows, n_more, verdict_matrix
from tests.comparisons import make_comparison


def parameters(row: MetricRow, variant: str | None) -> dict[str, str]:
    return {"metric": row.key}


@pytest.fixture
def comparison() -> Comparison:
    """Accuracy is primary; F1 is not and has two languages; the F1 of a class has two labels; BLEU stands alone in its task."""
    made = make_comparison()
    accuracy, f1, bleu = (made.row(key) for key in ("category/accuracy", "category/f1_macro", "reply/bleu"))
    secondary = replace(f1, primary=False)
    rows = (
        secondary,
        *(replace(secondary, language=language) for language in ("en", "zh")),
        *(replace(secondary, metric="f1_per_class", label="F1 of a class", part=part) for part in ("billing", "<b>")),
        accuracy,
        replace(bleu, primary=False),
    )
    return replace(made, rows=rows)


def test_primary_metrics_come_first_and_the_others_are_counted(comparison: Comparison) -> None:
    category, reply = task_rows(comparison, Unfolded())
    assert [row.key for row in category.rows] == ["category/accuracy"]
    assert (category.n_folded, category.can_fold) == (2, True)
    # Where nothing is primary nothing could be shown first: all is shown.
    assert [row.key for row in reply.rows] == ["reply/bleu"] and not reply.can_fold


def test_what_was_asked_for_follows_its_metric(comparison: Comparison) -> None:
    opened = task_rows(comparison, Unfolded(("category",), languages=True, labels=True))[0]
    lines = [
        line.key if isinstance(line, MetricRow) else isinstance(line, LabelGroup) and len(line.rows)
        for line in opened.lines
    ]
    assert lines == [
        "category/accuracy", "category/f1_macro", "category/f1_macro[en]", "category/f1_macro[zh]", 2,
        "category/f1_per_class[billing]", "category/f1_per_class[<b>]",
    ]  # fmt: skip
    folded = task_rows(comparison, Unfolded(("category",)))[0]
    assert [line for line in folded.lines if isinstance(line, LabelGroup)] and len(folded.rows) == 2


@pytest.mark.parametrize("key", ["category/f1_macro[zh]", "category/f1_per_class[billing]"])
def test_the_chosen_row_is_shown_in_any_case(comparison: Comparison, key: str) -> None:
    assert key in {row.key for row in shown_rows(comparison, Unfolded(chosen=key))}


def test_labels_that_are_primary_are_never_folded(comparison: Comparison) -> None:
    rows = tuple(replace(row, primary=row.part is not None) for row in comparison.rows if row.task == "category")
    declared = replace(comparison, rows=rows)
    assert [row.part for row in shown_rows(declared, Unfolded())] == ["billing", "<b>"]
    table = comparison_table(declared, "light", parameters, Unfolded(), lambda task: {"fold": task or "labels"})
    assert "fold=labels" not in table and "fold=category" in table


def test_hiding_a_row_changes_nothing_in_the_others(comparison: Comparison) -> None:
    def line(unfolded: Unfolded) -> str:
        table = comparison_table(comparison, "light", parameters, unfolded)
        found = re.search(r'<tr data-key="category/accuracy">.*?</tr>', table, re.DOTALL)
        assert found is not None
        return found.group()

    assert line(Unfolded()) == line(Unfolded((EVERYTHING,), True, True))


def test_a_task_has_one_link_that_unfolds_it(comparison: Comparison) -> None:
    def fold(task: str | None) -> dict[str, str]:
        return {"fold": task or "labels"}

    folded = comparison_table(comparison, "light", parameters, Unfolded(), fold)
    assert "2 more metrics" in folded and folded.count("fold=category") == 1 and "fold=reply" not in folded
    opened = comparison_table(comparison, "light", parameters, Unfolded(("category",)), fold)
    assert "The primary metrics alone" in opened and "2 labels, each apart" in opened and "fold=labels" in opened
    assert "<b>" not in comparison_table(comparison, "light", parameters, Unfolded(("category",), labels=True), fold)


def test_chosen_metrics_alone_are_shown_with_their_languages(comparison: Comparison) -> None:
    chosen = Unfolded(("category",), languages=True, metrics=("category/f1_macro",))
    (category,) = task_rows(comparison, chosen)
    assert [row.key for row in category.rows] == ["category/f1_macro", "category/f1_macro[en]", "category/f1_macro[zh]"]
    assert not category.can_fold and category.n_folded == 0
    both = task_rows(comparison, replace(chosen, chosen="reply/bleu"))
    assert [group.task for group in both] == ["category", "reply"], "the metric that is looked at below has a row too"


def test_a_family_folds_into_its_heading_where_there_are_several(comparison: Comparison) -> None:
    accuracy = comparison.row("category/accuracy")
    rows = (
        accuracy,
        *(replace(accuracy, metric=name, family="probabilities", primary=False) for name in ("brier", "ece")),
    )
    several = replace(comparison, rows=(*rows, comparison.row("reply/bleu")))
    folded = ("category/probabilities", "reply/generation")
    category, reply = task_rows(several, Unfolded(("category",), folded=folded))
    assert category.lines == (accuracy, FoldedFamily("probabilities", False, 2))
    assert [row.key for row in reply.rows] == ["reply/bleu"], "the only family of a task has no heading to fold into"

    def fold(what: str | None) -> dict[str, str]:
        return {"fold": what or "labels"}

    table = comparison_table(several, "light", parameters, Unfolded(("category",), folded=folded), fold)
    assert "▸ probabilities (2 metrics)" in table and "▾ primary, " in table and "brier" not in table
    assert "fold=category%2Fprobabilities" in table
    assert "▾" not in comparison_table(several, "light", parameters), "nothing leads to a fold where there are no links"


def test_the_matrix_holds_primary_metrics_and_the_rest_on_request(comparison: Comparison) -> None:
    assert [row.key for row in matrix_rows(comparison)] == ["category/accuracy", "reply/bleu"]
    assert [row.key for row in matrix_rows(comparison, True)][1] == "category/f1_macro" and n_more(comparison) == 1
    assert verdict_matrix(comparison, "light", parameters).count("<table") == 1
    row = comparison.row("category/accuracy")
    many = tuple(replace(row, metric=f"m{i}") for i in range(MARKS_SIDE_BY_SIDE + 1))
    assert verdict_matrix(replace(comparison, rows=many), "light", parameters).count("<table") == 2


def _without(row: MetricRow, reasons: dict[str, str]) -> MetricRow:
    values = {name: Value(None, None, None, 0, 9, reason, "s", "") for name, reason in reasons.items()}
    gone = {name: Difference(None, None, None, None, None, 0, "none", reason, "") for name, reason in reasons.items()}
    differences = {name: gone.get(name, found) for name, found in row.differences.items()}
    return replace(row, values={**row.values, **values}, differences=differences)


def test_a_reason_stands_where_a_value_would(comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    none = _without(row, dict.fromkeys(comparison.variants, "one class <x>"))
    table = comparison_table(replace(comparison, rows=(none,)), "light", parameters)
    assert table.count("no value: one class &lt;x&gt;</td>") == 1 and 'colspan="4"' in table
    some = _without(row, {"qv-r8": "not evaluated yet", "qv-r2": "too long"})
    table = comparison_table(replace(comparison, rows=(some,)), "light", parameters)
    assert (
        "no value: not evaluated yet</small>" in table
        and "no value: too long</small>" in table
        and "80.0 <small>" in table
    )


def test_without_a_direction_there_is_no_mark_and_no_arrow(comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    reason = "neither more nor less is better: shown without a verdict"
    found = {name: replace(one, verdict="none", reason=reason) for name, one in row.differences.items()}
    row = replace(row, direction_free=True, differences=found)
    table = comparison_table(replace(comparison, rows=(row,)), "light", parameters)
    body = table[table.index("<tbody>") :]
    assert ">+25.0<" in body and not set("▲▼≈↑↓") & set(body)
    assert reason in difference_tip(found["qv-r8"], row, 0.95)


def test_tips_say_caution_and_what_could_have_been_shown(comparison: Comparison) -> None:
    row = replace(comparison.row("category/accuracy"), caution="Its bootstrap is biased upward.")
    assert value_tip(row.values["qv-r8"], row, 0.95).endswith("Its bootstrap is biased upward.")
    tip = difference_tip(replace(row.differences["qv-r8"], detectable=0.119), row, 0.95)
    assert "n = 160 pairs; shows differences of 11.9 points and more" in tip
    assert "p < 0.001 unadjusted, p = 0.0012 adjusted" in tip


def test_raw_and_adjusted_p_n_and_the_detectable_difference_stand_beside_each_other(comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    row = replace(row, differences={name: replace(one, detectable=0.119) for name, one in row.differences.items()})
    table = evidence_table(comparison, row, "light", "qv-r8")
    line = table[table.index("<tr class=chosen>") :].partition("</tr>")[0]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", line)
    assert "75.0" in cells[0] and "+25.0" in cells[1]
    assert cells[2:6] == ["&lt; 0.001", "0.0012", "160", "11.9"] and "better than the reference" in cells[6]


def test_it_is_said_which_tests_were_corrected_for(comparison: Comparison) -> None:
    assert "over the 18 tests that were declared beforehand" in " ".join(reading(comparison, comparison.rows[-2]))
    others = sum(len(row.differences) for row in comparison.rows if not row.primary)
    told = " ".join(reading(comparison, comparison.rows[0]))
    assert "Not a primary metric" in told and f"over the {others} tests" in told
