"""Agreement's section on what leaves the study: its ratings in six formats, and the end of rating."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.notation import counted
from core.ratings import close_study
from core.ratings.exchange import FORMATS, export_study
from dashboard.parts import frame
from dashboard.parts.agreement_scene import AgreementScene, foot, lead
from dashboard.parts.navigation import page_link

_NAMES = {
    "jsonl": ("JSONL", "Every action, superseded ones too; can be read again."),
    "csv": ("CSV", "The same, for a spreadsheet."),
    "parquet": ("Parquet", "The same, typed."),
    "dpo": ("DPO pairs", "prompt, chosen, rejected for TRL: an item each where more raters preferred one output than the other and than "
                         "both bad; ties and both bad are left out."),
    "llm-comparator": ("LLM Comparator", "A file that Google's LLM Comparator opens: two variants side by side."),
    "argilla": ("Argilla", "Records with responses, as Argilla's client reads them."),
}  # fmt: skip
_PAIRS_ONLY = ("dpo", "llm-comparator")
_MIME = {
    ".jsonl": "application/jsonl",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
}


def draw_export(scene: AgreementScene) -> None:
    """Draw the section."""
    counts = scene.analysis.counts
    lead(
        f"{counted(counts.n_answers, 'answer')} of {counted(counts.n_raters, 'rater')} to {counted(counts.n_rated, 'item')}."
        if counts.n_answers
        else "Nothing was rated yet: the files hold what was skipped and flagged, if anything."
    )
    left, _ = st.columns([3, 2])
    with left:
        pseudonyms = st.toggle(
            "Pseudonyms instead of the raters' names", value=True, key="agreement-pseudonyms",
            help="The same rater has the same pseudonym in every export of this study. Comments are left as they are.",
        )  # fmt: skip
        pair = _pair(scene)
    with st.container(key="agreement-exports"):
        for kind in FORMATS:
            _button(scene, kind, pseudonyms, pair)
    _close(scene)


def _pair(scene: AgreementScene) -> tuple[str, str] | None:
    """Draw the picker of the two variants that LLM Comparator can hold, where there are more."""
    names = scene.analysis.variants
    if scene.analysis.mode != "pair" or len(names) < 3:
        return None
    pairs = [(one, other) for at, one in enumerate(names) for other in names[at + 1 :]]
    return st.selectbox(
        "Pair for LLM Comparator", pairs, format_func=lambda pair: f"{pair[0]} and {pair[1]}", key="agreement-export-pair"
    )  # fmt: skip


def _button(scene: AgreementScene, kind: str, pseudonyms: bool, pair: tuple[str, str] | None) -> None:
    label, what = _NAMES[kind]
    fits = kind not in _PAIRS_ONLY or scene.analysis.mode == "pair"
    left, right = st.columns([2, 9], vertical_alignment="center")
    left.download_button(
        label, data=_content(scene, kind, pseudonyms, pair), file_name=f"{scene.stem}-{kind}{FORMATS[kind]}",
        mime=_MIME[FORMATS[kind]], on_click="ignore", key=f"agreement-export-{kind}", width="stretch", disabled=not fits,
    )  # fmt: skip
    with right:
        foot(what if fits else f"{what} It holds pairs, and this study is of mode {scene.analysis.mode}.")


def _content(scene: AgreementScene, kind: str, pseudonyms: bool, pair: tuple[str, str] | None) -> Callable[[], bytes]:
    """Return what makes the file's content, when it is asked for."""

    def made() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"ratings{FORMATS[kind]}"
            export_study(
                scene.study, path, kind, pseudonyms=pseudonyms, pair=pair if kind == "llm-comparator" else None
            )
            return path.read_bytes()

    return made


def _close(scene: AgreementScene) -> None:
    frame.heading("The end of rating")
    if scene.analysis.closed:
        foot("The study is closed: nothing more is asked or stored, and who has its link may see its results.")
        return
    with st.container(horizontal=True, gap="small"):
        with st.popover("Close the study"):
            st.write(
                "Nothing more is asked or stored afterwards, and raters may see the results. A closed study is not opened again."
            )
            st.button(
                "Close it for good", type="primary", key="agreement-close", on_click=close_study, args=(scene.study,)
            )
        page_link("rate", "Rate")
