"""Tables of a comparison as HTML: what they hold, and that nothing in them is interpreted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.notation import bar_shares
from dashboard.parts.metric_cell import COMPACT_ABOVE, difference_tip, value_tip, variant_name
from dashboard.parts.metric_rows import EVERYTHING, Unfolded
from dashboard.parts.metric_tables import comparison_table, verdict_matrix
from tests.comparisons import make_comparison


def parameters(row: object, variant: str | None) -> dict[str, str]:
    return {"metric": getattr(row, "key", ""), **({"variant": variant} if variant else {})}


def test_the_reference_comes_first_and_languages_only_when_asked() -> None:
    comparison = make_comparison()
    table = comparison_table(comparison, "light", parameters)
    head = table[: table.index("</thead>")]
    assert [name for name in head.replace("<", ">").split(">") if name in comparison.variants] == list(
        comparison.variants
    )
    turned = replace(comparison, reference="qv-r2")
    head = comparison_table(turned, "light", parameters).split("</thead>")[0]
    assert [name for name in head.replace("<", ">").split(">") if name in comparison.variants][0] == "qv-r2"
    assert 'class="language"' not in table
    assert 'class="language"' in comparison_table(
        comparison, "light", parameters, Unfolded((EVERYTHING,), languages=True)
    )


def test_a_row_holds_value_interval_difference_p_and_mark() -> None:
    table = comparison_table(make_comparison(), "light", parameters)
    for text in ("75.0", "[67.5, 82.5]", "▲ +25.0", "[+22.0, +28.0]", "p = 0.0012", "▼ +4.40"):
        assert text in table, text


def test_the_chosen_row_is_marked_once() -> None:
    table = comparison_table(make_comparison(), "light", parameters, Unfolded(chosen="reply/bleu"))
    assert table.count('class="chosen"') == 1


def test_tips_say_n_method_and_signature_or_the_reason() -> None:
    row = make_comparison().row("general/perplexity")
    tip = value_tip(row.values["qv-r8"], row, 0.95)
    assert "n = 160" in tip and "bootstrap" in tip and "perplexity|v1" in tip and "95 %" in tip
    assert value_tip(row.values["qv-r2"], row, 0.95) == "no value: no example has a likelihood"
    assert "no example has both values" in difference_tip(row.differences["qv-r2"], row, 0.95)
    assert "160 pairs" in difference_tip(row.differences["qv-r8"], row, 0.95)


def test_with_many_variants_the_differences_interval_stays_and_the_values_moves_to_the_tooltip() -> None:
    comparison = make_comparison(("baseline", "a", "b", "c"))
    names = ("baseline", *(f"v{i}" for i in range(COMPACT_ABOVE + 1)))
    rows = tuple(
        replace(row, values={name: row.values["a"] for name in names},
                differences={name: row.differences["a"] for name in names[1:]})
        for row in comparison.rows
    )  # fmt: skip
    many = replace(comparison, variants=names, rows=rows)
    assert "75.0 <small>[67.5, 82.5]</small>" in comparison_table(comparison, "light", parameters)
    table = comparison_table(many, "light", parameters)
    assert "<br><small>[+22.0, +28.0]</small><br><small>p = 0.0012</small>" in table
    assert "<small>[67.5, 82.5]" not in table and "[67.5, 82.5]" in table


@pytest.mark.parametrize("p", [0.04999, 0.0499996, 0.05 - 1e-12])
def test_a_mark_never_stands_beside_a_p_that_reads_like_the_level(p: float) -> None:
    comparison = make_comparison()
    row = comparison.row("category/accuracy")
    row = replace(row, differences={"qv-r8": replace(row.differences["qv-r8"], p_adjusted=p)})
    table = comparison_table(replace(comparison, rows=(row,)), "light", parameters)
    assert float(table.split("<small>p = ")[1].split("<")[0]) < 0.05


@pytest.mark.parametrize("draw", [comparison_table, verdict_matrix])
def test_names_are_escaped(draw: object) -> None:
    hostile = '"><script>alert(1)</script>'
    comparison = make_comparison(("baseline", hostile))
    rows = tuple(replace(row, task=hostile, label=hostile) for row in comparison.rows)
    assert callable(draw)
    made = draw(replace(comparison, rows=rows), "dark", parameters)
    assert "<script" not in made


def test_bars_are_shares_of_the_rows_largest_value_and_begin_at_zero() -> None:
    row = make_comparison().rows[0]
    values = {
        name: replace(value, value=number)
        for (name, value), number in zip(row.values.items(), (0.5, 0.25, 0.0), strict=False)
    }
    assert list(bar_shares(replace(row, values=values)).values()) == [1.0, 0.5, 0.0]
    below = {name: replace(value, value=-0.1) for name, value in values.items()}
    none = {name: replace(value, value=None) for name, value in values.items()}
    assert bar_shares(replace(row, values=below)) == bar_shares(replace(row, values=none)) == {}
    comparison = make_comparison()
    table = comparison_table(replace(comparison, rows=(replace(row, values=values),)), "light", parameters)
    assert '<span class="bar" style="--share: 0.500" aria-hidden="true">' in table


def test_columns_can_be_left_out_and_colours_stay() -> None:
    comparison = make_comparison()
    last = comparison.variants[-1]
    whole, part = (comparison_table(comparison, "light", parameters, only=only) for only in (None, [last]))
    heads = [table.split("</thead>")[0] for table in (whole, part)]
    assert heads[1].count("swatch") == 2 and heads[0].count("swatch") == len(comparison.variants)
    assert variant_name(comparison, last, "light") in heads[0] and variant_name(comparison, last, "light") in heads[1]
