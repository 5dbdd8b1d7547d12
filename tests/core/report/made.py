"""A report of which every text is hostile, and a run whose outputs are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.parquet as pq

from core.charts.theme import Mode, styled
from core.report.document import Cell, Chart, ExampleCard, Report, Section, Table, Text
from core.store import Run
from tests.synthetic import make_run

HOSTILE = {
    "script": "<script>window.hit = 1; alert(1)</script>",
    "closing": "</div></body></html></script><!-- <script>",
    "image": '<img src="https://example.com/x.png" onerror="window.hit = 1">',
    "maths": "$x$ $$y$$ \\(z\\) \\frac{1}{2}",
    "directive": ":red[x] :smile: [a](javascript:alert(1)) ![b](https://example.com/b.png)",
    "template": "{{ 7 * 7 }} {% include 'x' %} {# gone #}",
    "right to left": "\u202eabc\u202c \u05e9\u05dc\u05d5\u05dd (1)",
    "zero width": "a\u200bb\u200cc\u200dd\ufeffe\u2060f",
    "white space": "\n\n  two  spaces\ttab\r\ncarriage\rreturn\n",
    "separators": "line\u2028paragraph\u2029end",
    "entities": "&lt;b&gt; &amp;amp; &#60;",
    "formula": "=cmd|' /C calc'!A1",
    "long": "x" * 200_000,
}
"""What model output may hold; each is to be shown as it is."""


def draw(mode: Mode) -> go.Figure:
    """Return a figure with text that would end its script element."""
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], customdata=[[HOSTILE["closing"]], [HOSTILE["separators"]]]))
    return styled(figure, mode, HOSTILE["script"], HOSTILE["maths"], 300)


def make_report() -> Report:
    """Return a report with a table, a chart and an example, every text of which is hostile."""
    texts = tuple(Text(name, text, HOSTILE["script"], "baseline") for name, text in HOSTILE.items())
    rows = tuple((Cell(name), Cell(text[:200], HOSTILE["closing"], "better")) for name, text in HOSTILE.items())
    data = pd.DataFrame({"name": list(HOSTILE), "text": list(HOSTILE.values()), "number": [-1.5] * len(HOSTILE)})
    data["=1+1"] = [None, float("nan"), *[3] * (len(HOSTILE) - 2)]
    table = Table("made", HOSTILE["script"], ("Name", HOSTILE["maths"]), rows, data, HOSTILE["directive"])
    section = Section(
        "examples", (HOSTILE["script"], HOSTILE["maths"]), (HOSTILE["directive"],), (table,),
        (Chart("made", "made", HOSTILE["image"], draw), Chart("extra", "extra", "extra", draw, True)),
        (ExampleCard(HOSTILE["image"], "reply", HOSTILE["closing"], "worse", texts),), (("a file", HOSTILE["template"]),),
    )  # fmt: skip
    return Report(
        HOSTILE["script"], HOSTILE["closing"], HOSTILE["maths"], (HOSTILE["directive"], HOSTILE["script"]),
        "2026-11-22T10:00:00+00:00", HOSTILE["template"], (section,), HOSTILE["entities"], ("baseline", "qv-r8"),
    )  # fmt: skip


def make_hostile_run(folder: Path) -> Run:
    """Return a finished run of one task in which the baseline is always right and the variant writes hostile texts."""
    run = make_run(folder, n=len(HOSTILE) - 1, tasks=("reply",), variants=("baseline", "qv-r8"))
    table = pq.read_table(run.truth)
    generated = iter([text for name, text in HOSTILE.items() if name != "long"])
    right = {example.id: str(example.reference) for example in run.examples}
    columns = (table[name].to_pylist() for name in ("kind", "variant", "example_id", "text"))
    changed = [
        text if kind != "generation" else right[name] if variant == "baseline" else next(generated)
        for kind, variant, name, text in zip(*columns, strict=True)
    ]
    place = table.schema.get_field_index("text")
    pq.write_table(table.set_column(place, "text", pa.array(changed, pa.string())), run.truth)
    return Run(run.folder)
