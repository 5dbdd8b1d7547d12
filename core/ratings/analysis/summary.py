"""What people said of a run's variants, one line each: for pages whose subject is the run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.ratings.analysis.agreement import levels_of, rating_table
from core.ratings.analysis.answers import Rated, compared, count_pair_votes, evidence, read_answers
from core.ratings.analysis.estimate import Estimate, Settings, mean, rate
from core.ratings.analysis.human_signs import human_signs
from core.ratings.analysis.pairs import looks_of, looks_threshold
from core.ratings.analysis.results import HumanPreference
from core.ratings.analysis.scores import groups_of, score_table
from core.ratings.listing import list_studies
from core.ratings.store import RatingStore
from core.ratings.study import Study, open_study
from core.stats import EValue, e_value, krippendorff_alpha
from core.store import Run

_SETTINGS = Settings(level=0.95, resamples=1_000, seed=0)
_NOTHING = "no decisive verdicts"


def human_preference(run: Run, store: RatingStore) -> tuple[HumanPreference, ...]:
    """Return one line for each study of a run and each variant that met the reference in it, newest study first.

    Only variants of this run count; a study that nobody has answered yet gives no line.

    Args:
        run: whose studies are wanted.
        store: the workspace's; nothing where there is none yet.

    Raises:
        RunError: the store is locked or cannot be reached.
    """
    found: list[HumanPreference] = []
    for summary in list_studies(store):
        if run.id in summary.runs and summary.n_answers:
            found += _lines(open_study(store, summary.id), run)
    return tuple(found)


def _lines(study: Study, run: Run) -> list[HumanPreference]:
    rated = read_answers(study)
    if rated.own.empty:
        return []
    names = {name: name.removeprefix(f"{run.id}/") for name in rated.variants}
    mine = [name for name in rated.variants if names[name] in run.spec.models.variants]
    reference = rated.variants[0]
    if reference not in mine:
        return []
    ratings = rating_table(rated, rated.main_criterion).to_numpy(dtype=np.float64).T
    alpha = krippendorff_alpha(ratings, levels_of(study.plan.mode, study.plan.graded)[0])
    read = _of_scores if study.plan.mode == "score" else _of_pairs
    lines = []
    for variant in mine[1:]:
        found = read(rated, variant, reference)
        if found is None:
            continue
        win_rate, difference, bet = found
        lines.append(HumanPreference(
            study_id=study.id, title=study.plan.title, mode=study.plan.mode, closed=rated.closed, variant=names[variant],
            against=names[reference], criterion=rated.main_criterion, win_rate=win_rate, difference=difference,
            e_value=bet.value, may_stop=bet.may_stop, alpha=alpha.value, alpha_reason=alpha.reason,
            n_raters=int(rated.own["rater_id"].nunique()),
            sentence=_sentence(names[variant], names[reference], win_rate, difference),
        ))  # fmt: skip
    return lines


def _of_pairs(rated: Rated, variant: str, reference: str) -> tuple[Estimate, None, EValue] | None:
    pairs = compared(rated.own, rated.study.plan.mode, rated.main_criterion)
    votes = count_pair_votes(pairs, rated.variants)
    mine = votes[(votes["variant"] == variant) & (votes["against"] == reference)]
    if mine.empty:
        return None
    decided = mine[mine["verdict"].isin(["win", "loss"])]
    signs = evidence(rated, mine, pairs)["sign"].to_numpy()
    won = (decided["verdict"] == "win").to_numpy()
    return rate(won, decided["group"].tolist(), _SETTINGS, _NOTHING), None, _bet(signs, looks_of(rated))


def _of_scores(rated: Rated, variant: str, reference: str) -> tuple[Estimate, Estimate, EValue] | None:
    table = score_table(rated, rated.main_criterion)
    both = table[table[variant].notna() & table[reference].notna()]
    if both.empty:
        return None
    gaps = (both[variant] - both[reference]).to_numpy(dtype=float)
    groups = np.array(groups_of(both), dtype=object)
    won = rate(gaps[gaps != 0] > 0, groups[gaps != 0].tolist(), _SETTINGS, _NOTHING)
    # Scores of incomplete items could still move, and with them which variant is ahead.
    standing = replace(rated, own=rated.own[rated.own["item_id"].isin(rated.complete)])
    signs = human_signs(standing, rated.main_criterion)
    mine = signs[(signs["variant"] == variant) & (signs["against"] == reference)]
    by_group = np.sign(mine.groupby("group")["sign"].sum().to_numpy(dtype=float)) if len(mine) else np.zeros(0)
    return won, mean(gaps, groups.tolist(), _SETTINGS, _NOTHING), _bet(by_group, len(rated.variants) - 1)


def _bet(signs: np.ndarray | pd.Series, n_looks: int) -> EValue:
    return e_value(int((signs > 0).sum()), int((signs < 0).sum()), alpha=1 / looks_threshold(n_looks))


def _sentence(variant: str, reference: str, won: Estimate, difference: Estimate | None) -> str:
    if won.value is None:
        return f"{variant} against {reference}: no decisive verdict yet."
    bounds = "" if won.low is None or won.high is None else f" [{100 * won.low:.0f}, {100 * won.high:.0f}]"
    what = "scored higher than" if difference is not None else "preferred to"
    where = "examples with different scores" if difference is not None else "decisive pairs"
    return f"{variant} is {what} {reference} in {100 * won.value:.0f} %{bounds} of {won.n:,} {where}."
