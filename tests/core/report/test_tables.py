"""Markdown, LaTeX and XLSX: hostile texts are text, numbers are numbers, nothing is lost."""

from __future__ import annotations

import html
import io
import re
import zipfile

import openpyxl
import pytest
from markdown_it import MarkdownIt
from openpyxl.utils.escape import unescape

from core.report import latex, markdown
from core.report.spreadsheet import to_xlsx
from tests.core.report.made import HOSTILE, make_report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a | b", "a \\| b"),
        ("*a* _b_ `c`", "\\*a\\* \\_b\\_ \\`c\\`"),
        ("$x$", "\\$x\\$"),
        ("![b](https://example.com)", "!\\[b\\](https://example.com)"),
        ("&lt; & &#60; R&D", "&amp;lt; & &amp;\\#60; R&D"),
        ("# title", "\\# title"),
        ("1. item", "1\\. item"),
        ("- item", "\\- item"),
        ("-0.5 [1, 2]", "-0.5 \\[1, 2\\]"),
        ("two\n\nlines", "two lines"),
    ],
)
def test_markdown_is_escaped(text: str, expected: str) -> None:
    assert markdown.escaped(text) == expected


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "long"])
def test_a_reader_of_markdown_shows_the_text_and_nothing_else(name: str) -> None:
    """CommonMark's reference port is the referee; white space within a line is what Markdown does not keep."""
    rendered = MarkdownIt("commonmark").enable("table").render(markdown.escaped(HOSTILE[name]))
    assert re.fullmatch(r"<p>[^<]*</p>\n", rendered), rendered
    assert html.unescape(rendered[3:-5]).split() == HOSTILE[name].split()


def test_every_line_of_a_markdown_table_has_as_many_cells() -> None:
    table = make_report().tables[0]
    lines = [line for line in markdown.table(table).splitlines() if line.startswith("|")]
    assert len(lines) == len(table.rows) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(table.head) + 1}


def test_a_markdown_block_is_fenced_longer_than_what_it_holds() -> None:
    text = markdown.to_markdown(make_report())
    assert "### a file\n\n```\n{{ 7 * 7 }}" in text
    assert "<script>" not in text and "\n# " not in text[1:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("50 % & $5 #1 _a_ ^b ~c", r"50 \% \& \$5 \#1 \_a\_ \textasciicircum{}b \textasciitilde{}c"),
        ("a\n\nb\x1bc\u2028d", "a  b c d"),
        ("−1.5 ▲ ↑", r"$-$1.5 $\blacktriangle$ $\uparrow$"),
    ],
)
def test_latex_is_escaped(text: str, expected: str) -> None:
    assert latex.escaped(text) == expected


def test_every_row_of_a_latex_table_has_as_many_cells_and_all_braces_close() -> None:
    report = make_report()
    text = latex.to_latex(report)
    rows = [line for line in text.splitlines() if line.endswith(r" \\") and not line.startswith(r"\toprule")]
    assert len(rows) == len(report.tables[0].rows)
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {1}
    body = text.partition(r"\begin{longtable}")[2]
    plain = body.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert not [line for line in rows if line.startswith("[")]


def test_a_bracket_after_a_row_is_no_argument_of_the_row_before() -> None:
    cell = latex._cell(type(make_report().tables[0].rows[0][0])("[1, 2]"))
    assert cell == "{}[1, 2]"


@pytest.fixture(scope="module")
def book() -> tuple[bytes, openpyxl.Workbook]:
    content = to_xlsx(make_report())
    return content, openpyxl.load_workbook(io.BytesIO(content))


def test_no_cell_is_a_formula_and_no_text_is_changed(book: tuple[bytes, openpyxl.Workbook]) -> None:
    sheet = book[1]["made"]
    rows = list(sheet.iter_rows(min_row=2))
    for cells, (name, text) in zip(rows, HOSTILE.items(), strict=True):
        assert cells[0].value == name
        assert cells[1].data_type == "s"
        assert unescape(str(cells[1].value)) == text[:32_767], name  # XML would read a carriage return as a line's end
    with zipfile.ZipFile(io.BytesIO(book[0])) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if "worksheets/" in name]
    assert not any(b"<f>" in one or b"<hyperlink" in one for one in sheets)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_begins_like_a_formula_is_text(start: str) -> None:
    report = make_report()
    table = report.tables[0]
    table.data.loc[0, "text"] = f"{start}1+1"
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(report)))["made"]
    assert sheet["B2"].data_type == "s" and str(sheet["B2"].value).endswith("1+1")


def test_numbers_are_numbers_and_missing_cells_are_empty(book: tuple[bytes, openpyxl.Workbook]) -> None:
    sheet = book[1]["made"]
    assert sheet["C2"].value == -1.5 and sheet["C2"].data_type == "n"
    assert [sheet[f"D{line}"].value for line in (1, 2, 3, 4)] == ["=1+1", None, None, 3]
    assert sheet["D1"].data_type == "s"


def test_the_first_sheet_says_what_the_others_hold(book: tuple[bytes, openpyxl.Workbook]) -> None:
    about = book[1]["about"]
    assert about["B1"].value == HOSTILE["closing"]
    assert [row[0].value for row in about.iter_rows() if row[0].value == "made"] == ["made"]
