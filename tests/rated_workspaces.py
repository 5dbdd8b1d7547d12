"""A workspace with a made-up run that people who do not exist have rated: a study of each kind, small enough for tests of pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.ratings import Study, StudyPlan, close_study, create_study
from core.ratings.records import GoldItem
from core.workspace import load_workspace
from tests.simulated_raters import Taste, fill, rating_store
from tests.synthetic import make_workspace

STRENGTHS = {"qv-r8": 1.6, "all-r8": 0.6, "qv-r2": 0.1}
HOSTILE_NAME = "<b>Zoé</b> $x^2$ **b** :red[x]"
HOSTILE_TITLE = "<i>Empty</i> **study** $y$"
ANA, BEN = Taste("Ana", STRENGTHS, tie=0.1, comment="clearer, <u>shorter</u>"), Taste("Ben", STRENGTHS, tie=0.1)
HASTY = Taste(HOSTILE_NAME, STRENGTHS, left=6.0, seconds=0.7, own=1.0, skipped=0.1, flagged=0.1, tie=0.05)
TWO, THREE = ("baseline", "qv-r8"), ("baseline", "qv-r8", "all-r8")
GOLD = tuple(GoldItem(prompt=f"{n} + 1?", outputs=(str(n + 1), "no idea")) for n in range(3))

_PLANS: dict[str, tuple[dict[str, Any], Sequence[Taste]]] = {
    "two": ({"variants": TWO, "raters": 3, "overlap": 2, "repeat_share": 0.3, "gold": GOLD}, (ANA, BEN, HASTY)),
    "three": ({"variants": THREE, "raters": 2, "overlap": 2, "examples": 16}, (ANA, BEN)),
    "scores": ({"mode": "score", "variants": THREE, "raters": 2, "overlap": 2, "examples": 10}, (ANA, BEN)),
    "graded": ({"graded": True, "variants": TWO, "raters": 2, "overlap": 2, "examples": 12}, (ANA, BEN)),
    "ranks": ({"mode": "rank", "variants": THREE, "raters": 2, "overlap": 2, "examples": 10}, (ANA, BEN)),
    "alone": ({"variants": TWO, "examples": 10}, (ANA,)),
    "empty": ({"variants": TWO, "title": HOSTILE_TITLE}, ()),
}


def rated_workspace(
    folder: Path, kinds: Sequence[str] = tuple(_PLANS), closed: Sequence[str] = ("three",), n: int = 40
) -> dict[str, Study]:
    """Write a workspace and return its studies.

    Args:
        folder: of the workspace, not there yet.
        kinds: which studies.
        closed: those that are closed at the end.
        n: tickets of the run.
    """
    make_workspace(folder, n=n)
    return rated(folder, kinds, closed)


def rated(folder: Path, kinds: Sequence[str], closed: Sequence[str] = ()) -> dict[str, Study]:
    """Make and rate studies of the newest run of a workspace, and return them."""
    store, clock = rating_store(folder)
    runs = load_workspace(folder).runs()[:1]
    found = {}
    for seed, kind in enumerate(kinds):
        more, tastes = _PLANS[kind]
        plan = StudyPlan(
            **({"title": f"Study {kind}", "mode": "pair", "repeat_share": 0.0, "practice": 0, "seed": seed} | more)
        )
        study = create_study(store, runs, plan).study
        fill(study, clock, tastes, seed)
        if kind in closed:
            close_study(study)
        found[kind] = study
    return found
