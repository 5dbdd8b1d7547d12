"""The form that makes a study: what is rated, by whom and how; what would be made is shown before it is made."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import InputError, RunError
from core.notation import counted
from core.ratings import STANDARD_CRITERIA, StudyDraft, draft_study, store_draft
from core.ratings.outputs import name_variants, rated_tasks
from core.store import Run
from core.workspace import Workspace
from dashboard import cache
from dashboard import rating_session as session
from dashboard.parts import frame
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.navigation import page_link
from dashboard.parts.rate_plan import CRITERION_COLUMNS, MODES, Choice, Written, plan_of
from dashboard.parts.rate_studies import link_told

_LEAKS_SHOWN = 50
_KEY = "rate-new"
_HELP = {
    "mode": "Pairs are quickest and most reliable. Scores ask one output at a time; ranking puts three to five in order.",
    "examples": "Drawn uniformly at random, each stratum by its share; never by how close the outputs are.",
    "overlap": "An item that several people judge is what agreement is computed from.",
    "repeat": "Comes back later with sides swapped: how consistent raters are with themselves.",
    "gold": 'One JSON object a line: {"prompt": "…", "outputs": ["the better one", "the worse one"]}. Raters are not told.',
}


def new_study(place: Workspace) -> None:
    """Draw the form; without a run that generated text, say so."""
    frame.heading("Make a study")
    runs = {run.id: run for run in place.runs() if _generates(run)}
    if not runs:
        frame.face("No texts to rate yet", "People rate texts: run a task that generates them, or import predictions.")
        page_link("run", "Start a run")
        return
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(border=True, key="rate-new"):
        chosen, written = _fields(runs)
    with right:
        _look(place, chosen, written)


def _generates(run: Run) -> bool:
    return any(task.generates for task in run.spec.clean_tasks.values())


def _fields(runs: dict[str, Run]) -> tuple[list[Run], Written]:
    title = st.text_input("Title", key=f"{_KEY}-title", placeholder="what raters read above the form; no model's name")
    modes: list[Choice] = list(MODES)
    mode: Choice = st.segmented_control("Mode", modes, format_func=MODES.__getitem__, default="pair", required=True, key=f"{_KEY}-mode",
                                help=_HELP["mode"])  # fmt: skip
    names = st.multiselect("Runs", list(runs), default=list(runs)[:1], key=f"{_KEY}-runs", placeholder="choose a run")
    chosen = [runs[name] for name in names]
    known = list(name_variants(chosen)) if chosen else []
    variants = st.multiselect("Variants", known, default=known[:3 if mode == "rank" else 2], key=f"{_KEY}-variants-{mode}",
                              placeholder="choose at least two")  # fmt: skip
    against = None
    if mode in ("pair", "graded") and len(variants) > 2:
        against = st.selectbox("Who meets whom", [None, *variants], key=f"{_KEY}-against",
                               format_func=lambda name: f"every other one meets {name}" if name else "each meets each")  # fmt: skip
    one, two, three = st.columns(3)
    examples = one.number_input(
        "Examples", 1, None, 60, key=f"{_KEY}-examples", placeholder="all", help=_HELP["examples"]
    )
    raters = two.number_input("Raters expected", 1, 1000, 1, key=f"{_KEY}-raters")
    overlap = three.number_input("Raters of an item", 1, 1000, 1, key=f"{_KEY}-overlap", help=_HELP["overlap"])
    criteria = _criteria(mode)
    guidelines = st.text_area("Guidelines, in Markdown", key=f"{_KEY}-guidelines", height=110,
                              placeholder="What counts, what does not, and what to do in doubt.")  # fmt: skip
    more = _more(chosen)
    return chosen, Written(
        title, mode, tuple(variants), against, more[0], None if examples is None else int(examples), more[1], criteria, guidelines,
        int(raters), int(overlap), *more[2:],
    )  # fmt: skip


def _criteria(mode: Choice) -> tuple[Mapping[str, Any], ...]:
    if mode != "score":
        return ()
    st.html('<p class="ls-foot">Criteria, asked in this order; add rows below</p>')
    table = pd.DataFrame([{key: getattr(one, key) for key in CRITERION_COLUMNS} for one in STANDARD_CRITERIA])
    edited = st.data_editor(table, num_rows="dynamic", hide_index=True, column_config=dict(CRITERION_COLUMNS), width="stretch",
                            key=f"{_KEY}-criteria")  # fmt: skip
    return tuple({str(name): cell for name, cell in row.items()} for row in edited.to_dict("records"))


def _more(chosen: Sequence[Run]) -> tuple[tuple[str, ...], tuple[str, ...], int, int, int, str, bool, int]:
    """Draw what has a sensible default; return tasks, strata, shares in percent, practice items, gold, reference and seed."""
    with st.expander("More: tasks, strata, repeats, practice, gold items"):
        tasks = st.multiselect(
            "Tasks", _tasks(chosen), key=f"{_KEY}-tasks", placeholder="every task that generates text"
        )
        strata = st.multiselect("Keep the shares of", _strata(chosen), key=f"{_KEY}-strata", placeholder="tasks alone")
        shows = st.checkbox("Raters see the reference", key=f"{_KEY}-reference")
        one, two, three, four = st.columns(4)
        shared = one.number_input(
            "Items shared, %",
            0,
            100,
            100,
            key=f"{_KEY}-shared",
            help="Of the study's items, how many several people judge.",
        )
        repeat = two.number_input("Repeats, %", 0, 50, 12, key=f"{_KEY}-repeat", help=_HELP["repeat"])
        practice = three.number_input("Practice items", 0, 20, 3, key=f"{_KEY}-practice")
        seed = four.number_input("Seed", 0, None, 0, key=f"{_KEY}-seed")
        gold = st.text_area("Gold items", key=f"{_KEY}-gold", height=90, help=_HELP["gold"], placeholder="none")
    return tuple(tasks), tuple(strata), int(shared), int(repeat), int(practice), gold, shows, int(seed)


def _tasks(chosen: Sequence[Run]) -> list[str]:
    try:
        return list(rated_tasks(chosen, ())) if chosen else []
    except InputError:
        return []  # said when the study is looked at


def _strata(chosen: Sequence[Run]) -> list[str]:
    fields = {name.partition("=")[0] for run in chosen for name in cache.slices(run) if "=" in name}
    return sorted({"language", *fields})


def _look(place: Workspace, chosen: list[Run], written: Written) -> None:
    """Draw what would be made of the form, and the button that makes it."""
    is_asked = st.button("Look at it first", key=f"{_KEY}-look", width="stretch")
    try:
        plan = plan_of(written)
        if is_asked:
            with st.spinner("Drawing examples and looking for names of models"):
                session.keep_draft(draft_study(chosen, plan))
    except (InputError, OSError) as error:
        session.keep_draft(None)
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(str(error))}</p>')
        return
    draft = session.draft()
    if draft is None or draft.plan != plan or draft.runs != tuple(run.id for run in chosen):
        st.html(
            '<p class="ls-foot">What would be made appears here: how many items, what is left out, and outputs that name a model.</p>'
        )
        return
    _preview(place, draft)


def _preview(place: Workspace, draft: StudyDraft) -> None:
    per = f", each by {draft.plan.overlap}" if draft.plan.overlap > 1 else ""
    st.html(
        f'<div class="ls-lead"><b>{counted(draft.n_items, "item")}</b> of {counted(draft.n_examples, "example")}{per}: '
        f"{html.escape(', '.join(draft.variants))}</div>"
    )
    for note in draft.notes:
        st.html(f'<div class="ls-note"><b>Note</b><span>{html.escape(note)}</span></div>')
    if draft.leaks:
        n, it = counted(len(draft.leaks), "output"), "it" if len(draft.leaks) == 1 else "them"
        st.html(
            f'<div class="ls-note"><b>Not blind</b><span>{n}: raters can tell who wrote {it}. Texts are shown to '
            "them as they are; take such examples out of the run's data, or keep in mind what they may sway.</span></div>"
        )
        rows = [(leak.name, leak.variant, leak.example_id, leak.excerpt) for leak in draft.leaks[:_LEAKS_SHOWN]]
        exact_table(
            [Column("Found", "6rem"), Column("Variant", "6rem"), Column("Example", "6rem"), Column("Where", "auto")], rows,
            f"{_KEY}-leaks", name="Outputs that name a model",
        )  # fmt: skip
    else:
        st.html('<p class="ls-foot">No output names a model or one of the variants.</p>')
    st.button(
        "Make the study", type="primary", key=f"{_KEY}-make", width="stretch", on_click=_make, args=(place, draft)
    )
    if failed := session.failure():
        st.html(f'<p class="ls-note-failed" role="alert">{html.escape(failed)}</p>')


def _make(place: Workspace, draft: StudyDraft) -> None:
    try:
        made = store_draft(session.store(place.folder), draft)
    except (InputError, RunError) as error:
        session.keep_failure(str(error))
        return
    session.keep_draft(None)
    session.keep_told(link_told(made.study.id, made.key, "The study is made."))
