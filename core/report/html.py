"""A report as one page that needs no network, no server and no other file; it prints, and it is light or dark as the reader is.

Texts of models are escaped and shown as they are. The page says of itself that nothing may be fetched and no other script may run
(Content-Security-Policy), so that even a mistake in escaping could reach nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

from jinja2 import select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from core.charts.theme import FONT, PALETTES, Mode, Palette, variant_colours
from core.report.document import Chart, Report

_HERE = Path(__file__).parent
SHOWN_AT_FIRST = 2_000
"""Characters of a text that are shown at once; the rest unfolds, and is there in any case."""
_MODES: tuple[Mode, ...] = get_args(Mode)


def to_html(report: Report, mode: Mode | None = None) -> str:
    """Return the page, 5 MB of which are the library that draws the charts; it is there once however many there are.

    Args:
        report: what it says.
        mode: light or dark at first; by default as the reader's system is.
    """
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    library = _plotly() if _drawn(report) else ""
    environment = ImmutableSandboxedEnvironment(
        autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"exact": exact}
    template = environment.from_string((_HERE / "report.html").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        charts={chart.name: _figures(chart) for chart in _drawn(report)},
        style=Markup(_style(report)),
        script=Markup(script),
        mode=mode,
        library=Markup(library),
        policy=_policy(script, library),
        split=partial(_split, at=SHOWN_AT_FIRST),
    )


def exact(text: object) -> Markup:
    """Return a text escaped so that a browser shows each of its characters: a carriage return and NUL too, which HTML would change."""
    shown = str(text).encode("utf-8", "replace").decode("utf-8")
    return Markup(str(escape(shown)).replace("\r", "&#13;").replace("\0", "\u2400"))


def script_json(content: str) -> Markup:
    """Return JSON that can stand inside a script element: what could end the element, or a line of it, is written as an escape."""
    for character in "<>&\u2028\u2029":
        content = content.replace(character, f"\\u{ord(character):04x}")
    return Markup(content)


def _split(text: str, at: int) -> tuple[str, str]:
    """Return the beginning of a text and the rest; a rest of a few characters is not worth a click."""
    return (text, "") if len(text) <= at * 1.2 else (text[:at], text[at:])


def _drawn(report: Report) -> list[Chart]:
    return [chart for chart in report.charts if not chart.extra]


def _figures(chart: Chart) -> Markup:
    inner = ",".join(f"{json.dumps(mode)}:{text}" for mode, text in chart.figures.items())
    return script_json(f"{{{inner}}}")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def _policy(*scripts: str) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts if text
    )
    # The library styles what it draws, and hands pictures over as data: or blob:.
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"


def _style(report: Report) -> str:
    """Return the style sheet with the colours of both modes, and of the variants in each."""
    variables: Mapping[str, str] = {
        mode: _variables(PALETTES[mode]) + _variant_variables(report, mode) for mode in _MODES
    }
    light, dark = (variables[mode] for mode in _MODES)
    sheet = (_HERE / "report.css").read_text(encoding="utf-8")
    return (
        f":root {{ {light} --font: {FONT}; color-scheme: light; }}\n"
        f"@media screen {{ :root[data-mode=dark] {{ {dark} color-scheme: dark; }} }}\n{sheet}"
    )


def _variables(colours: Palette) -> str:
    names: dict[str, Any] = {
        "paper": colours.paper, "text": colours.text, "muted": colours.muted, "grid": colours.grid, "better": colours.better,
        "worse": colours.worse, "better-fill": colours.better_fill, "worse-fill": colours.worse_fill, "neutral-fill": colours.neutral_fill,
    }  # fmt: skip
    return " ".join(f"--{name}: {colour};" for name, colour in names.items()) + " "


def _variant_variables(report: Report, mode: Mode) -> str:
    colours = variant_colours(report.variants, mode)
    return " ".join(f"--variant-{place}: {colours[name]};" for place, name in enumerate(report.variants)) + " "
