"""The path of the evidence ends where the analysis says that it stands, and goes the way that the verdicts went."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ratings import close_study
from core.ratings.analysis import analyse
from core.ratings.analysis.evidence import evidence_path
from core.stats import e_value
from tests.rated_workspaces import rated_workspace


@pytest.mark.parametrize("kind", ["two", "three", "graded", "ranks"])
def test_the_path_ends_at_the_e_value_of_the_analysis(tmp_path: Path, kind: str) -> None:
    study = rated_workspace(tmp_path / "w", (kind,), n=14)[kind]
    for found in analyse(study).preferences:
        for pair in found.pairs:
            path = evidence_path(study, found.criterion, pair.variant, pair.against)
            assert len(path) == pair.n_evidence and path[-1:] == (pytest.approx(pair.e_value),) * bool(path)
    close_study(study)
    pair = analyse(study).preferences[0].pairs[0]
    assert evidence_path(study, "preference", pair.variant, pair.against)[-1] == pytest.approx(pair.e_value)


def test_each_step_is_one_more_verdict(tmp_path: Path) -> None:
    study = rated_workspace(tmp_path / "w", ("alone",), n=14)["alone"]
    path = evidence_path(study, "preference", "qv-r8", "baseline")
    won = lost = 0
    for value in path:
        candidates = {e_value(won + 1, lost).value: (won + 1, lost), e_value(won, lost + 1).value: (won, lost + 1)}
        near = min(candidates, key=lambda one: abs(one - value))
        assert value == pytest.approx(near)
        won, lost = candidates[near]
    pair = analyse(study).preferences[0].pairs[0]
    assert sorted((won, lost)) == sorted((pair.wins, pair.losses))


def test_nobody_rated_is_no_path(tmp_path: Path) -> None:
    study = rated_workspace(tmp_path / "w", ("empty",), n=6)["empty"]
    assert evidence_path(study, "preference", "qv-r8", "baseline") == ()
