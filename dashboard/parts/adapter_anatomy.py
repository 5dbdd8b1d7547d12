"""Adapters' section on what changed: a heat-map of layers and modules, singular values, most-moved modules; or two adapters' overlap."""

from __future__ import annotations

from html import escape
from typing import cast

import pandas as pd
import streamlit as st

from core.adapters.anatomy import Anatomy, ModuleChange
from core.adapters.overlap import Overlap
from core.charts.adapter_tables import anatomy_table, overlap_table
from core.charts.anatomy import (
    LIKENESSES,
    QUANTITIES,
    Likeness,
    Quantity,
    change_heatmap,
    overlap_heatmap,
    short_parts,
    singular_values_chart,
)
from dashboard import adapter_cache, state
from dashboard.parts import frame
from dashboard.parts.adapter_job import job_panel
from dashboard.parts.adapter_scene import MODULE, SHOWN, AdapterScene, Subject, one_of
from dashboard.parts.adapter_words import share_text
from dashboard.parts.exact_table import Column, exact_table
from dashboard.parts.export_menu import chart, export_menu

_LISTED = 12
_NOTE = "Reads the adapter's factors and the base's weights once, in a process of its own; no model is loaded. Seconds for a small base."
_TITLES = (Column("Layer", "3.4rem", "number"), Column("Module", "auto"), Column("Change / weight", "7.4rem", "number"),
           Column("Norm", "4.6rem", "number"), Column("Effective rank", "8.6rem", "number"))  # fmt: skip


def draw_anatomy(scene: AdapterScene) -> None:
    """Draw the section, or how to come by it."""
    if not scene.subject.facts.is_lora or (scene.beside and not scene.beside.facts.is_lora):
        frame.face(
            "Nothing to measure",
            "What an adapter changed is measured for LoRA, whose change is a product of two factors.",
        )
        return
    if scene.beside is None:
        _one(scene, scene.subject)
    else:
        _two(scene, scene.subject, scene.beside)


def _one(scene: AdapterScene, subject: Subject) -> None:
    job, anatomy = adapter_cache.anatomy(scene.workspace, subject.facts)
    job_panel(job, "Measure what it changed", _NOTE, again=anatomy is not None)
    if anatomy is None:
        return
    quantities = [name for name in QUANTITIES if any(getattr(one, name) is not None for one in anatomy.modules)]
    quantity = cast(Quantity, one_of(quantities, scene.choices.one(SHOWN), quantities[0]))
    st.segmented_control("Shown", quantities, format_func=lambda name: QUANTITIES[name], label_visibility="collapsed",
                         **scene.choices.widget(SHOWN, quantity))  # fmt: skip

    def table() -> pd.DataFrame:
        return anatomy_table({subject.name: anatomy})

    chart(
        change_heatmap(anatomy, subject.name, quantity, state.mode()), "anatomy", scene.stem, table,
        alt="How much of each layer's modules changed", on_pick=lambda module: _pick(scene, module),
    )  # fmt: skip
    module = _module(scene, anatomy)
    left, right = st.columns([6, 5], gap="medium")
    with left, st.container(key="chart-most-moved"):
        frame.heading("Moved most")
        export_menu("most-moved", f"{scene.stem}-modules", table)
        listed, names = anatomy.most_moved[:_LISTED], short_parts(anatomy.parts)
        exact_table(
            _TITLES, [_row(one, names[one.part]) for one in listed], "most-moved-rows", name="Modules that changed most",
            ids=[one.module for one in listed], selected=module.module, on_pick=lambda picked: _pick(scene, picked),
        )  # fmt: skip
    with right:
        if module.singular_values:
            chart(
                singular_values_chart({subject.name: module}, scene.colours, state.mode()), "singular-values", scene.stem, table,
                alt="Singular values of one module's change",
            )  # fmt: skip
        else:
            frame.face("No singular values", "DoRA turns the whole weight, so its change has no low rank.")
    more = " ".join(anatomy.remarks)
    st.html(
        '<p class="ls-foot">Change: scale x B A, from the factors. A click on a module shows its singular values. '
        f"{len(anatomy.modules)} modules, tensors {anatomy.tensor_hash[:8]}. {escape(more)}</p>"
    )


def _two(scene: AdapterScene, first: Subject, second: Subject) -> None:
    job, overlap = adapter_cache.overlap(scene.workspace, first.facts, second.facts)
    job_panel(
        job,
        "Compare the two",
        "Reads both adapters' factors; no base and no model is needed.",
        again=overlap is not None,
    )
    if overlap is not None and overlap.modules:
        likeness = cast(Likeness, one_of(list(LIKENESSES), scene.choices.one(SHOWN), "cosine"))
        st.segmented_control("Shown", list(LIKENESSES), format_func=lambda name: LIKENESSES[name], label_visibility="collapsed",
                             **scene.choices.widget(SHOWN, likeness))  # fmt: skip
        chart(
            overlap_heatmap(overlap, (first.name, second.name), likeness, state.mode()), "overlap", scene.stem,
            lambda: overlap_table(overlap), alt="How alike the two adapters' changes are", on_pick=lambda module: _pick(scene, module),
        )  # fmt: skip
        st.html(f'<p class="ls-foot">{escape(_reading(overlap))}</p>')
    _side_by_side(scene, (first, second))


def _side_by_side(scene: AdapterScene, subjects: tuple[Subject, Subject]) -> None:
    """Draw what each of two adapters changed, in the colours of one scale."""
    found: dict[str, Anatomy] = {}
    for subject in subjects:
        job, anatomy = adapter_cache.anatomy(scene.workspace, subject.facts)
        job_panel(job, f"Measure what {subject.name} changed", _NOTE, again=anatomy is not None)
        if anatomy is not None:
            found[subject.name] = anatomy
    quantity: Quantity = "share" if all(one.share is not None for one in found.values()) else "change_norm"
    top = max((getattr(one.most_moved[0], quantity) or 0.0 for one in found.values()), default=None)
    for place, (name, anatomy) in enumerate(found.items()):
        chart(
            change_heatmap(anatomy, name, quantity, state.mode(), top=top), f"anatomy-{place}", name,
            lambda anatomy=anatomy, name=name: anatomy_table({name: anatomy}), alt=f"What {name} changed",
            on_pick=lambda module: _pick(scene, module),
        )  # fmt: skip
    if len(found) == 2:
        asked = scene.choices.one(MODULE)
        shared = [one.module for one in next(iter(found.values())).most_moved]
        common = [module for module in shared if all(_find(one, module) for one in found.values())]
        if common:
            module = one_of(common, asked, common[0])
            changes = {name: change for name, anatomy in found.items() if (change := _find(anatomy, module))}
            if all(one.singular_values for one in changes.values()):
                chart(
                    singular_values_chart(changes, scene.colours, state.mode()), "singular-values", scene.stem,
                    lambda: anatomy_table(found), alt="Singular values of one module's change",
                )  # fmt: skip


def _module(scene: AdapterScene, anatomy: Anatomy) -> ModuleChange:
    """Return the module that was chosen, else the one that moved most."""
    return _find(anatomy, scene.choices.one(MODULE)) or anatomy.most_moved[0]


def _find(anatomy: Anatomy, module: str | None) -> ModuleChange | None:
    return next((one for one in anatomy.modules if one.module == module), None)


def _pick(scene: AdapterScene, module: object) -> None:
    """Take up a module that was clicked in a chart or a table."""
    picked = module[0] if isinstance(module, list) and module else module
    if isinstance(picked, str):
        scene.choices.put(MODULE, picked)


def _row(one: ModuleChange, name: str) -> tuple[str, ...]:
    return (
        "none" if one.layer is None else str(one.layer),
        name,
        "not known" if one.share is None else share_text(one.share),
        f"{one.change_norm:.3g}",
        "none" if one.effective_rank is None else f"{one.effective_rank:.2f} of {one.rank}",
    )


def _reading(overlap: Overlap) -> str:
    inputs, chance = overlap.mean("input_overlap"), overlap.mean("input_chance")
    listens = "" if inputs is None or chance is None else (
        f" Directions that they read from: {100 * inputs:.0f} % shared, by chance {100 * chance:.1f} %; what both started from counts, "
        "so adapters of one seed share them."
    )  # fmt: skip
    return (
        "Principal angles between the subspaces that the changes span (Bjorck and Golub 1973). Tensors "
        f"{overlap.tensor_hashes[0][:8]} and {overlap.tensor_hashes[1][:8]}.{listens}"
    )
