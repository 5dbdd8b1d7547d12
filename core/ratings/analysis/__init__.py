"""What a study's ratings say: who is preferred and how surely, whether raters agree, and which metrics agree with them.

`analyse` reads the store and returns `results.StudyAnalysis`, plain frozen data; nothing is interpreted that people or models wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.ratings.analysis.against_judges import judge_results
from core.ratings.analysis.against_metrics import against_metrics
from core.ratings.analysis.agreement import agreement_rows
from core.ratings.analysis.answers import Rated, read_answers
from core.ratings.analysis.disagreements import disagreements
from core.ratings.analysis.estimate import Settings
from core.ratings.analysis.headline import headline, notes
from core.ratings.analysis.pairs import pair_results, win_matrix
from core.ratings.analysis.quality import rating_quality
from core.ratings.analysis.results import HumanPreference, PreferenceAnalysis, StudyAnalysis
from core.ratings.analysis.scores import check_weights, score_analysis
from core.ratings.analysis.strengths import strengths
from core.ratings.analysis.summary import human_preference
from core.ratings.study import Study
from core.store import Run

__all__ = ["HumanPreference", "StudyAnalysis", "analyse", "human_preference"]


def analyse(
    study: Study,
    *,
    runs: Sequence[Run] | None = None,
    criteria_weights: Mapping[str, float] | None = None,
    level: float = 0.95,
    resamples: int = 2_000,
    seed: int = 0,
) -> StudyAnalysis:
    """Analyse a study. An empty study, one of skips alone, one rater or all ties give results with reasons, no error.

    Args:
        study: opened by its owner; by a link only once it is closed.
        runs: those that the study was made from, as far as they are still there, for the part on metrics; None leaves it out.
        criteria_weights: of mode score, by criterion: how much each counts in an average over criteria. None gives no average.
        level: of the intervals.
        resamples: for bootstrap intervals.
        seed: of the resamples.

    Raises:
        InputError: the study was opened by a link and is not closed; or weights name an unknown criterion or are not positive.
        RunError: the store is locked or cannot be reached.
    """
    settings = Settings(level, resamples, seed)
    rated = read_answers(study)
    counts, mode = rated.counts(), study.plan.mode
    check_weights(rated, criteria_weights)
    scores = score_analysis(rated, settings, criteria_weights) if mode == "score" else None
    preferences = () if mode == "score" else _preferences(rated, settings)
    agreement, quality = agreement_rows(rated, settings), rating_quality(rated, settings)
    return StudyAnalysis(
        study_id=study.id,
        title=study.plan.title,
        mode=mode,
        graded=study.plan.graded,
        closed=rated.closed,
        variants=rated.variants,
        reference=rated.variants[0],
        counts=counts,
        preferences=preferences,
        scores=scores,
        agreement=agreement,
        quality=quality,
        disagreements=disagreements(rated),
        metrics=against_metrics(rated, runs, settings),
        judges=judge_results(rated, settings),
        headline=headline(rated, counts, preferences, scores, agreement, quality),
        notes=notes(rated, counts, settings),
        level=level,
        resamples=resamples,
        seed=seed,
    )


def _preferences(rated: Rated, settings: Settings) -> tuple[PreferenceAnalysis, ...]:
    pairs = pair_results(rated, settings)
    several = len(rated.variants) > 2
    return tuple(
        PreferenceAnalysis(
            criterion=one.name,
            label=one.label,
            pairs=pairs[one.name],
            strengths=strengths(rated, one.name, settings) if several else None,
            matrix=win_matrix(rated, pairs[one.name]),
        )
        for one in rated.criteria
    )
