"""The formats that a report can be written in, and what makes a file of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.report.document import Report, Wishes


@dataclass(frozen=True)
class Format:
    """One format."""

    ending: str
    label: str
    mime: str
    has_examples: bool
    needs_browser: bool
    make: Callable[[Report], bytes]


def _html(report: Report) -> bytes:
    from core.report.html import to_html

    return to_html(report).encode("utf-8", "replace")


def _markdown(report: Report) -> bytes:
    from core.report.markdown import to_markdown

    return to_markdown(report).encode("utf-8", "replace")


def _latex(report: Report) -> bytes:
    from core.report.latex import to_latex

    return to_latex(report).encode("utf-8", "replace")


def _xlsx(report: Report) -> bytes:
    from core.report.spreadsheet import to_xlsx

    return to_xlsx(report)


def _zip(report: Report) -> bytes:
    from core.report.pictures import to_zip

    return to_zip(report)


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: dict[str, Format] = {
    one.ending: one
    for one in (
        Format("html", "HTML page", "text/html", True, False, _html),
        Format("md", "Markdown", "text/markdown", False, False, _markdown),
        Format("tex", "LaTeX tables", "application/x-tex", False, False, _latex),
        Format("xlsx", "XLSX", _XLSX, False, False, _xlsx),
        Format("zip", "All charts (zip)", "application/zip", False, True, _zip),
    )
}
"""By the ending of a file's name."""


def fitting(wishes: Wishes, chosen: Format) -> Wishes:
    """Return the wishes without the examples where a format does not hold them: reading their texts would be for nothing."""
    if chosen.has_examples:
        return wishes
    return replace(wishes, sections=tuple(name for name in wishes.sections if name != "examples"))
