"""What people said of the run's variants, study by study: blind ratings, beside the metrics and never mixed with them."""

from __future__ import annotations

from core.charts.human_preference import human_preference_chart, human_preference_table
from core.notation import MARKS
from core.ratings.analysis.results import HumanPreference
from core.report.document import Cell, Chart, Section, Table
from core.report.scene import Scene
from core.results import Verdict
from core.wording.human_preference import alpha_text, preference_mark, study_lines
from core.wording.ratings import e_text, share_texts

_NOTE = (
    "Decisive win rate: won among won and lost, one verdict an item. ▲ preferred, ▼ the other one is, ? cannot be told. The interval is "
    "that of one look; while a study is open the e-value is the number to go by. Alpha: Krippendorff's, how far the raters agree."
)
_TONES: dict[str, Verdict] = {MARKS["better"]: "better", MARKS["worse"]: "worse"}
_HEAD = ("Study", "Variant", "Against", "Criterion", "Decisive win rate", "", "e-value", "Alpha", "Raters", "n")


def preference(scene: Scene) -> Section | None:
    """Return the section; None where nobody was asked."""
    found = scene.people
    if not found:
        return None
    table = Table(
        "preference",
        "Study by study",
        _HEAD,
        tuple(_line(one) for one in found),
        human_preference_table(found),
        _NOTE,
        4,
    )
    told = tuple(line for _, line in study_lines(found))
    if not any(one.win_rate.value is not None for one in found):
        return Section("preference", told, tables=(table,))
    chart = Chart(
        "preference", "Preferred by people", "Decisive win rate of each variant in each study, with intervals",
        lambda mode: human_preference_chart(found, scene.comparison.variants, mode),
    )  # fmt: skip
    return Section("preference", told, tables=(table,), charts=(chart,))


def _line(one: HumanPreference) -> tuple[Cell, ...]:
    mark = preference_mark(one)
    tone = _TONES.get(mark, "unclear")
    rate = (
        Cell("–", one.win_rate.reason or "")
        if one.win_rate.value is None
        else Cell(*share_texts(one.win_rate), tone=tone)
    )
    return (
        Cell(one.title), Cell(one.variant), Cell(one.against), Cell(one.criterion), rate, Cell(mark, tone=tone),
        Cell(e_text(one.e_value)), Cell(alpha_text(one)), Cell(f"{one.n_raters:,}"), Cell(f"{one.win_rate.n:,}"),
    )  # fmt: skip
