"""Model judges: their verdicts corrected by people's, so that a judge's many verdicts sharpen people's few.

A judge rates within the study, or its verdicts were imported as a study of their own into the same store (on the same
examples, and on more of them).
"""

from __future__ import annotations

import pandas as pd
from sqlalchemy import select

from core.ratings.actions import actions
from core.ratings.analysis.answers import Rated, compared
from core.ratings.analysis.estimate import Estimate, Settings, mean, rate, undefined
from core.ratings.analysis.human_signs import human_signs
from core.ratings.analysis.results import JudgeResult
from core.ratings.judges import is_judge, shown_name
from core.ratings.study import closed_at, open_study
from core.ratings.tables import RATERS
from core.stats import prediction_powered_mean

_METHOD = "prediction-powered inference, tuned; by the normal approximation, which wants some 30 items labelled by both"
_VALUES = {"left": 1.0, "right": 0.0, "tie": 0.5, "both_bad": 0.5}
_KEY = ["task", "example_id", "variant", "against"]


def judge_results(rated: Rated, settings: Settings) -> tuple[JudgeResult, ...]:
    """Return every judge and pair of variants that it judged, by the study's first criterion; pairs alone."""
    if rated.study.plan.mode != "pair":
        return ()
    judged = _judged(rated)
    if judged.empty:
        return ()
    human = human_signs(rated, rated.criteria[0].name)
    human = human.assign(label=(human["sign"] + 1) / 2)
    found = []
    for (judge, variant, against), mine in judged.groupby(["judge", "variant", "against"], sort=False):
        ours = human[(human["variant"] == variant) & (human["against"] == against)]
        both = mine.merge(ours[[*_KEY, "label", "group"]], on=_KEY, how="left")
        found.append(_result(str(judge), str(variant), str(against), both, settings))
    return tuple(found)


def _judged(rated: Rated) -> pd.DataFrame:
    """Return the mean verdict of each judge on each example and pair: judge, task, example_id, variant, against, verdict (0 to 1)."""
    parts = [_verdicts(rated.judged, rated, rated.criteria[0].name)]
    task_names = set(rated.items["task"])
    for study_id in _studies_of_judges(rated):
        other = open_study(rated.study.store, study_id)
        if other.plan.mode != "pair" or (rated.study.role != "owner" and closed_at(other) is None):
            continue
        frame = actions(other, current_only=True)
        frame = frame[~frame["practice"].astype(bool) & ~frame["gold"].astype(bool)]
        frame = frame.assign(group=frame["item_id"])
        found = _verdicts(frame, rated, other.plan.asked_criteria[0].name)
        if len(task_names) == 1 and not task_names & set(found["task"]):
            found = found.assign(task=next(iter(task_names)))  # a judge's file need not know what the task is called
        parts.append(found)
    every = pd.concat(parts)
    return every.groupby(["judge", *_KEY], sort=False)["verdict"].mean().reset_index()


def _studies_of_judges(rated: Rated) -> list[str]:
    """Return the other studies of the store in which nobody but judges rated."""
    with rated.study.store.reading() as connection:
        rows = connection.execute(select(RATERS.c.study_id, RATERS.c.name)).all()
    people = {study_id for study_id, name in rows if not is_judge(name)}
    return sorted({study_id for study_id, _ in rows} - people - {rated.study.id})


def _verdicts(frame: pd.DataFrame, rated: Rated, criterion: str) -> pd.DataFrame:
    """Return one row a verdict on two variants of the study; 1 is for the later one of the two."""
    place = {name: number for number, name in enumerate(rated.variants)}
    pairs = compared(frame, "pair", criterion)
    pairs = pairs[pairs["first"].isin(place) & pairs["second"].isin(place)]
    labels = frame.drop_duplicates("item_id").set_index("item_id")[["task", "example_id"]].reindex(pairs["item_id"])
    rows = [
        (shown_name(rater), second, first, 1 - _VALUES[verdict]) if place[second] > place[first]
        else (shown_name(rater), first, second, _VALUES[verdict])
        for rater, first, second, verdict in pairs[["rater", "first", "second", "verdict"]].itertuples(index=False, name=None)
    ]  # fmt: skip
    found = pd.DataFrame(rows, columns=["judge", "variant", "against", "verdict"])
    return found.assign(task=labels["task"].to_numpy(), example_id=labels["example_id"].to_numpy())


def _result(judge: str, variant: str, against: str, both: pd.DataFrame, settings: Settings) -> JudgeResult:
    labelled, alone = both[both["label"].notna()], both[both["label"].isna()]
    human = mean(
        labelled["label"].to_numpy(dtype=float), labelled["group"].tolist(), settings, "no item labelled by both"
    )
    n, m = len(labelled), len(alone)
    judge_mean = Estimate(
        float(both["verdict"].mean()), None, None, len(both), "no interval: the judge's bias is not in one"
    )
    decided = labelled[(labelled["label"] != 0.5) & (labelled["verdict"] != 0.5)]
    alike = ((decided["label"] > 0.5) == (decided["verdict"] > 0.5)).to_numpy(dtype=bool)
    accuracy = rate(alike, decided["group"].tolist(), settings, "no item was decided by both")
    if n < 2 or m < 2:
        why = f"undefined: {n:,} items were labelled by people and the judge and {m:,} by the judge alone, expected at least 2 of each"
        bias = float((labelled["verdict"] - labelled["label"]).mean()) if n else None
        return JudgeResult(
            judge, variant, against, human, judge_mean, undefined(why, n + m), bias, None, n, m, accuracy
        )
    found = prediction_powered_mean(
        labelled["label"].to_numpy(dtype=float), labelled["verdict"].to_numpy(dtype=float),
        alone["verdict"].to_numpy(dtype=float), tuned=True, level=settings.level,
    )  # fmt: skip
    low, high = max(0.0, found.low), min(1.0, found.high)
    corrected = (
        Estimate(found.value, low, high, n + m, None, _METHOD)
        if low < high
        else Estimate(found.value, None, None, n + m, "no interval: all verdicts are equal")
    )
    return JudgeResult(
        judge, variant, against, human, judge_mean, corrected, found.judge_bias, found.judge_weight, n, m, accuracy
    )  # fmt: skip
