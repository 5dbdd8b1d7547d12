"""A report's sentences and tables as Markdown (GitHub's flavour); charts and examples are left to the page."""

from __future__ import annotations

import re

from core.report.document import Cell, Report, Section, Table

_SPECIAL = re.compile(r"([\\`*_\[\]|~$#])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_LIST = re.compile(r"^(?:(\d+)([.)])|([+-]))(?=\s|$)")
"""A number or a sign that would begin a list."""


def to_markdown(report: Report) -> str:
    """Return headings, sentences and tables; folded tables too."""
    facts = " · ".join(filter(None, (report.author, report.created, f"run {report.run_id}")))
    parts = [f"# {escaped(report.title)}", escaped(facts), f"**{escaped(report.lead)}**", *map(escaped, report.remarks)]
    for section in report.sections:
        parts += _section(section)
    return "\n\n".join([*parts, escaped(report.footnote)]) + "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    line = _ENTITY.sub("&amp;", " ".join(text.split()))
    line = _SPECIAL.sub(r"\\\1", line).replace("<", "&lt;").replace(">", "&gt;")
    return _LIST.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", line)


def table(one: Table) -> str:
    """Return a table with its title and its note."""
    aligned = [":--" if place < one.n_text else "--:" for place in range(len(one.head))]
    lines = [_line([escaped(name) for name in one.head]), _line(aligned)]
    lines += [_line([_cell(cell) for cell in row]) for row in one.rows]
    note = f"\n\n{escaped(one.note)}" if one.note else ""
    return f"### {escaped(one.title)}\n\n" + "\n".join(lines) + note


def _section(section: Section) -> list[str]:
    parts = [f"## {section.title}", *map(escaped, section.paragraphs)]
    if section.points:
        parts.append("\n".join(f"- {escaped(point)}" for point in section.points))
    parts += [table(one) for one in section.tables]
    for heading, text in section.blocks:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
        parts.append(f"### {escaped(heading)}\n\n{fence}\n{text.rstrip()}\n{fence}")
    return parts


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return " ".join(filter(None, (escaped(cell.text), escaped(cell.small))))
