r"""A report's tables as LaTeX (booktabs, longtable), to be read into a document with ``\input``."""

from __future__ import annotations

import re

from core.report.document import Cell, Report, Table

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\textquotedbl{}", "\u2212": r"$-$", "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$", "≈": r"$\approx$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--", "\u00a0": "~",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPES)))
_PREAMBLE = r"""% Tables of run {run}, made by lorascope on {created}.
% In the preamble: \usepackage{{booktabs,longtable,amssymb,textcomp}} and \usepackage[T1]{{fontenc}};
% texts in other scripts than Latin need XeLaTeX or LuaLaTeX with a font that has them.
"""


def to_latex(report: Report) -> str:
    """Return every table of the report, each with its title as caption and its name as label."""
    head = _PREAMBLE.format(run=_one_line(report.run_id), created=report.created)
    return head + "\n" + "\n".join(table(one) for one in report.tables)


def escaped(text: str) -> str:
    """Return a text that LaTeX sets as it is, on one line."""
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], _one_line(text))


def table(one: Table) -> str:
    """Return one table as a longtable, which may run over pages."""
    columns = "".join("l" if place < one.n_text else "r" for place in range(len(one.head)))
    head = " & ".join(escaped(name) for name in one.head)
    lines = [
        rf"\begin{{longtable}}{{{columns}}}",
        rf"\caption{{{escaped(one.title)}}}\label{{tab:{one.name}}}\\",
        rf"\toprule {head} \\ \midrule \endfirsthead",
        rf"\toprule {head} \\ \midrule \endhead",
        r"\bottomrule \endlastfoot",
        *(rf"{' & '.join(_cell(cell) for cell in row)} \\" for row in one.rows),
        r"\end{longtable}",
    ]
    note = [rf"\noindent{{\footnotesize {escaped(one.note)}\par}}"] if one.note else []
    return "\n".join([*lines, *note, ""])


def _cell(cell: Cell) -> str:
    text = " ".join(filter(None, (escaped(cell.text), rf"{{\scriptsize {escaped(cell.small)}}}" if cell.small else "")))
    # At the start of a line a bracket would be read as the optional argument of the line before.
    return f"{{}}{text}" if text.startswith(("[", "*")) else text


def _one_line(text: str) -> str:
    """Return a text without line breaks and control characters, of which LaTeX reads some as the end of a paragraph."""
    return " ".join("".join(c if c.isprintable() or c in " \u00a0" else " " for c in text).split(" ")).strip()
