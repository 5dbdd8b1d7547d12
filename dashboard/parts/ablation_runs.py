"""The runs of an ablation as an escaped HTML table: differing settings first, seeds of one configuration together, the reference on top."""

from __future__ import annotations

from html import escape
from itertools import groupby

from core.ablation.records import Cell, Configuration, RunRow
from core.charts.factor_words import interval_text, outcome_heading, short_level
from core.notation import duration_text
from dashboard.parts.ablation_scene import AblationScene
from dashboard.parts.linked_html import link

_LEVEL_CHARACTERS = 22


def run_rows_html(scene: AblationScene) -> str:
    """Return the table, each run's name a link to its adapter; every text that is not ours is escaped."""
    table = scene.table
    settings = [column for column in table.columns if column.name != "seed"]
    heads = [
        "Run", *(escape(column.label) + (" <small>follows</small>" if column.derived else "") for column in settings),
        "seed", escape(outcome_heading(scene.outcome, with_task=False)), "parameters", "training",
    ]  # fmt: skip
    of_name = {one.name: one for one in table.configurations}
    lines = []
    for name, rows in groupby(table.rows, key=lambda row: row.configuration):
        members = list(rows)
        if len(members) > 1:
            lines.append(_seeds_line(scene, of_name[name], len(heads)))
        lines += [_line(scene, row, [column.name for column in settings]) for row in members]
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f'<table class="wide dense"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _seeds_line(scene: AblationScene, one: Configuration, width: int) -> str:
    """Return the line over several seeds of one configuration."""
    numbers = interval_text(one.summary.mean, one.summary.low, one.summary.high, scene.outcome)
    note = "" if one.seeds_stated else "; taken for seeds since no file says otherwise"
    told = escape(f"{one.name}: mean {numbers}, {one.summary.label}{note}")
    return f'<tr class="family"><th colspan="{width}">{told}</th></tr>'


def _line(scene: AblationScene, row: RunRow, names: list[str]) -> str:
    colour = scene.colours.get(row.variant, "")
    swatch = f'<span class="swatch" style="--variant: {colour}"></span>'
    address = link("adapters", scene.chosen.link(adapter=row.variant))
    cells = [_setting(row.cells.get(name)) for name in [*names, "seed"]]
    value = interval_text(row.value.value, row.value.low, row.value.high, scene.outcome)
    facts = (row.value.reason, row.value.method, row.value.signature, f"n = {row.value.n:,}")
    tip = escape("\n".join(fact for fact in facts if fact), quote=True)
    costs = [
        "–" if row.parameters is None else f"{row.parameters:,}",
        "–" if row.training_seconds is None else duration_text(row.training_seconds),
    ]
    tail = "".join(f"<td>{escape(text)}</td>" for text in costs)
    marked = ' class="chosen"' if row.is_reference else ""
    told = " <small>reference</small>" if row.is_reference else ""
    return (
        f'<tr{marked} data-variant="{escape(row.variant, quote=True)}"><th><a href="{address}">{swatch}{escape(row.variant)}</a>{told}</th>'
        f'{"".join(cells)}<td title="{tip}">{escape(value)}</td>{tail}</tr>'
    )


def _setting(cell: Cell | None) -> str:
    if cell is None:
        return '<td class="none">–</td>'
    tip = escape(
        "\n".join(filter(None, (cell.text, f"said by {cell.source}" if cell.source else "", cell.conflict))), quote=True
    )
    flag = ' <span class="worse" aria-label="files disagree">!</span>' if cell.conflict else ""
    return f'<td title="{tip}">{escape(short_level(cell.text, _LEVEL_CHARACTERS))}{flag}</td>'
