"""Data: is the file sound, how long are its rows, what will the trainer make of it, and what of it leaked?"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping

import streamlit as st

from core.data.inspect.records import Scan
from core.errors import InputError
from core.workspace import Workspace
from dashboard import state
from dashboard.parts import (
    data_compare,
    data_faults,
    data_look,
    data_overlap,
    data_quality,
    data_results,
    data_rows,
    data_shape,
    frame,
)
from dashboard.parts.data_files import (
    AGAINST,
    AS,
    FILE,
    DataFile,
    drop_area,
    forget_places,
    is_evaluation,
    known_files,
    partner,
    say_what_was_dropped,
    size_limit,
    take_up_drop,
)
from dashboard.parts.data_headline import draw_headline, is_evaluation_alone
from dashboard.parts.data_scene import (
    CODE,
    CUT,
    DEFAULT_CUT,
    FIND,
    LINE,
    LINES,
    OVER,
    RULES,
    SHOW,
    Scene,
    model_of,
)
from dashboard.parts.data_style import DATA_CSS
from dashboard.parts.url_choices import UrlChoices

_NAMES = (FILE, AGAINST, RULES, SHOW, CUT, LINE, LINES, FIND, CODE, OVER, AS, "loss")
_SEGMENTS: Mapping[str, tuple[str, Callable[[Scene], None]]] = {
    "faults": ("Faults", data_faults.draw),
    "shape": ("Shape", data_shape.draw),
    "look": ("Look", data_look.draw),
    "overlap": ("Duplicates and leakage", data_overlap.draw),
    "quality": ("Quality", data_quality.draw),
    "compare": ("Compare", data_compare.draw),
    "rows": ("Rows", data_rows.draw),
}
"""In the URL, on the page, and what draws it: only the chosen one is computed."""
_RULES = {"trl": "As TRL takes it", "strict": "Strict"}
_LARGEST_CUT = 10_000_000


def show() -> None:
    """Draw the page."""
    st.html(f"<style>{DATA_CSS}</style>")
    choices = UrlChoices("data", _NAMES)
    take_up_drop(choices)
    _draw(choices)
    state.forget_drop()  # not where another click interrupted the drawing: then it is still to be shown


def _draw(choices: UrlChoices) -> None:
    workspace, trouble = _workspace()
    files = known_files(workspace, [choices.one(FILE), choices.one(AGAINST)])
    file, strict = _pickers(choices, files)
    say_what_was_dropped()
    if trouble:
        frame.face("This workspace cannot be opened", trouble)
    if file is None:
        frame.face(
            "No data file yet",
            "Drop a JSONL, JSON, CSV or Parquet file above (gzip and zstd of these too), or name one under `datasets` in "
            f"workspace.yaml. {size_limit()}",
        )  # fmt: skip
        return
    try:
        evaluation = is_evaluation(file, partner(file, files, choices), choices)
        found = data_results.scanned(file, strict=strict, evaluation=evaluation)
        if found is not None:
            _inspected(choices, files, file, found, workspace)
    except InputError as error:
        frame.face("This file cannot be read", file.plain(error))


def _workspace() -> tuple[Workspace | None, str]:
    """Return the workspace; or None, and what is wrong where there should be one. Dropped files need none."""
    try:
        return state.workspace(), ""
    except InputError as error:
        folder = state.workspace_folder()
        return None, str(error) if folder.is_file() or (folder / "workspace.yaml").exists() else ""


def _pickers(choices: UrlChoices, files: list[DataFile]) -> tuple[DataFile | None, bool]:
    """Draw what is looked at and by which rules; return the file, None where there is none, and whether rules are strict."""
    by_key = {file.key: file for file in files}
    with st.container(key="data-pickers"):
        left, middle, right = st.columns([4.2, 4.6, 3.2], vertical_alignment="bottom")
        asked = choices.one(FILE)
        chosen = asked if asked in by_key else next(iter(by_key), None)
        with left:
            st.selectbox(
                "Data file", list(by_key), format_func=lambda key: by_key[key].label, disabled=not by_key, placeholder="none yet",
                help=size_limit().replace("`", ""), **choices.widget(FILE, chosen, lambda: forget_places(choices)),
            )  # fmt: skip
        with middle:
            drop_area(choices)
        rules = choices.one(RULES, list(_RULES)) or "trl"
        with right:
            st.segmented_control(
                "Rules", list(_RULES), format_func=_RULES.__getitem__, required=True, **choices.widget(RULES, rules),
                help="Strict holds rows to the contract for messages (or text) to the letter; TRL also takes tools, content in "
                     "parts and its other forms.",
            )  # fmt: skip
    if asked is not None and asked not in by_key:
        words = f"There is no data file {asked!r} any more; dropped files are kept for 30 days."
        st.html(f'<p class="ls-foot" role="status">{html.escape(words)}</p>')
    return (by_key[chosen] if chosen is not None else None), rules == "strict"


def _inspected(
    choices: UrlChoices, files: list[DataFile], file: DataFile, scan: Scan, workspace: Workspace | None
) -> None:
    scene = Scene(
        choices, file, tuple(files), partner(file, files, choices), scan, model_of(workspace), _max_length(choices), state.mode(),
    )  # fmt: skip
    draw_headline(scene)
    # An evaluation file need not have a trainer's form: that it has none is not the first thing to look at. The shape of a
    # large file takes minutes, which nobody asked for who opens the page.
    is_sound = not scan.fault_total or is_evaluation_alone(scene)
    default = "shape" if is_sound and scene.is_small else "faults"
    segment = choices.one(SHOW, list(_SEGMENTS)) or default
    st.segmented_control(
        "What to look at", list(_SEGMENTS), format_func=lambda name: _SEGMENTS[name][0], required=True,
        label_visibility="collapsed", **choices.widget(SHOW, segment),
    )  # fmt: skip
    with st.container(key=f"data-{segment}"):
        _SEGMENTS[segment][1](scene)


def _max_length(choices: UrlChoices) -> int:
    asked = choices.one(CUT) or ""
    return min(max(int(asked), 1), _LARGEST_CUT) if asked.isdecimal() and len(asked) < 12 else DEFAULT_CUT
