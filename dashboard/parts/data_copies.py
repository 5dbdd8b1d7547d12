"""Copies of a data file to take away: repaired, with what was changed listed, or in another format. The file stays as it is."""

from __future__ import annotations

import html
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from core.data.inspect.convert import TARGETS, convert
from core.data.inspect.records import RepairReport
from core.data.inspect.repair import repair
from core.errors import InputError
from core.notation import counted
from core.paths import cache_folder, forget_old
from dashboard.parts.data_scene import Scene
from dashboard.parts.data_work import worked
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import csv_button

_SHOWN = 100
_DAYS_KEPT = 7
_LARGEST = 512 << 20
"""Bytes of a copy that are sent through the browser; it holds them in memory."""


@dataclass(frozen=True)
class _Copy:
    path: Path
    repaired: RepairReport | None = None


def draw_copies(scene: Scene) -> None:
    """Draw what can be taken away."""
    if scene.scan.n_bytes > _LARGEST:
        st.html(
            '<p class="ls-foot">The file is too large for a copy through the browser: '
            "<code>lorascope inspect FILE --repair OUT</code> and <code>--convert FORMAT OUT</code> write one beside it.</p>"
        )
        return
    if any(fault.repair for group in scene.scan.fault_groups for fault in group.first):
        _repaired(scene)
    elif scene.scan.fault_total:
        st.html('<div class="ls-label">Repaired copy</div>')
        st.html(
            '<p class="ls-foot">None of these faults has a repair that cannot change what a row says: mend them by hand.</p>'
        )
    _converted(scene)


def _repaired(scene: Scene) -> None:
    st.html('<div class="ls-label">Repaired copy</div>')
    key = ("repair", scene.scan.sha256, scene.scan.strict)
    try:
        copy = worked(key, "Making the repaired copy", lambda _: _repair(scene))
    except InputError as error:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(scene.file.plain(error))}</p>')
        return
    if copy is None or copy.repaired is None:
        return
    report = copy.repaired
    done, left = sum(report.counts.values()), sum(report.left.values())
    rest = f"Faults without a safe repair, left as they are: {left:,}." if left else "No fault is left."
    st.html(f'<p class="ls-foot">{counted(done, "change")}, listed below. {rest} The file itself is not touched.</p>')
    _download(copy, f"{scene.stem}.repaired.jsonl", "Download the repaired copy", "repaired")
    rows = [
        (f"{one.line:,}", one.code, f"{one.before or '(nothing)'}\n\u2192 {one.after}")
        for one in report.repairs[:_SHOWN]
    ]
    if not rows:
        return
    with st.container(key="chart-repairs"):
        st.html('<div class="ls-label">What was changed</div>')
        with st.container(key="menu-repairs"), st.popover("Export", type="tertiary", width="content"):
            csv_button("CSV of the changes", "repairs", f"{scene.stem}-repairs",
                       lambda: pd.DataFrame([asdict(one) for one in report.repairs]))  # fmt: skip
        columns = (Column("Line", "3.6rem", "number"), Column("Code", "36%"), Column("Change", "auto"))
        exact_table(columns, rows, "data-repair-table", name="repairs")
        if done > len(rows):
            st.html(f'<p class="ls-foot">The first {len(rows):,} of {done:,} changes.</p>')


def _converted(scene: Scene) -> None:
    targets = [name for name in TARGETS.get(scene.scan.format.name, ()) if name != scene.scan.format.name]
    if not targets:
        return
    st.html('<div class="ls-label">The same rows in another format</div>')
    if scene.scan.fault_total:
        st.html(
            '<p class="ls-foot">A file is converted once it has no faults: repair it, drop the copy above, convert that.</p>'
        )
        return
    to = st.pills(
        "Format", targets, key=f"data-convert-{scene.scan.sha256[:8]}", label_visibility="collapsed", wrap=True
    )
    if to is None:
        return
    try:
        copy = worked(("convert", scene.scan.sha256, to), f"Converting to {to}", lambda _: _convert(scene, to))
    except InputError as error:
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(scene.file.plain(error))}</p>')
        return
    if copy is not None:
        _download(copy, f"{scene.stem}.{to}.jsonl", f"Download as {to}", "converted")


def _repair(scene: Scene) -> _Copy:
    out = _new_place()
    return _Copy(out, repair(scene.file.path, out, strict=scene.scan.strict))


def _convert(scene: Scene, to: str) -> _Copy:
    out = _new_place()
    convert(scene.file.path, to, out)
    return _Copy(out)


def _new_place() -> Path:
    """Return the path of a file that does not exist yet, in the cache folder."""
    rooms = cache_folder() / "copies"
    rooms.mkdir(parents=True, exist_ok=True)
    forget_old(rooms, _DAYS_KEPT)
    return Path(tempfile.mkdtemp(dir=rooms)) / "copy.jsonl"


def _download(copy: _Copy, name: str, label: str, key: str) -> None:
    if not copy.path.is_file():
        st.html(
            '<p class="ls-foot">The copy is no longer in the cache. Restart the dashboard and it is made again.</p>'
        )
        return
    st.download_button(
        label, data=copy.path.read_bytes, file_name=name, mime="application/jsonl", on_click="ignore", key=f"data-{key}",
        width="stretch",
    )  # fmt: skip
