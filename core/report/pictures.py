"""All charts of a report as one archive: each as SVG, PDF and PNG, drawn by one browser that stays open."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence

from core.charts.export import ImageKind, Picture, to_images
from core.charts.theme import Mode
from core.report.document import Report

KINDS: tuple[ImageKind, ...] = ("svg", "pdf", "png")
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of every file in the archive, so that the same charts make the same bytes but for what the browser writes into a PDF."""


def to_zip(
    report: Report,
    kinds: Sequence[ImageKind] = KINDS,
    mode: Mode = "light",
    tell: Callable[[int, int], None] | None = None,
) -> bytes:
    """Return the archive: ``svg/differences.svg``, ``pdf/differences.pdf`` and so on, the charts that only it holds too.

    Args:
        report: gathered with the sections whose charts are wanted.
        kinds: which formats.
        mode: light, which is also the one for print, or dark.
        tell: is called with the pictures that are done and all of them.

    Raises:
        RunError: no Chrome or Chromium was found, which draws the pictures.
    """
    figures = [(chart.name, chart.draw(mode)) for chart in report.charts]
    wanted = [(f"{kind}/{name}.{kind}", Picture(figure, kind)) for kind in kinds for name, figure in figures]
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, ((name, _), content) in enumerate(zip(wanted, to_images([one for _, one in wanted]), strict=True), 1):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
            if tell is not None:
                tell(done, len(wanted))
    return sink.getvalue()
