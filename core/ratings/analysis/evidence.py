"""How the evidence for one variant grew while a study was rated: the e-value after each verdict that came to stand."""

from __future__ import annotations

from core.ratings.analysis.answers import compared, count_pair_votes, evidence, read_answers
from core.ratings.study import Study
from core.stats import e_values


def evidence_path(study: Study, criterion: str, variant: str, against: str) -> tuple[float, ...]:
    """Return the e-value after each decisive verdict, in the order in which they came to stand.

    The last one is `PairResult.e_value`; empty before the first.

    Args:
        study: of pairs or rankings, opened by its owner or closed.
        criterion: one of the study's.
        variant: of the pair.
        against: the other one, the earlier of the two in the order of `StudyAnalysis.variants`.

    Raises:
        InputError: the study was opened by a link and is not closed.
    """
    rated = read_answers(study)
    pairs = compared(rated.own, study.plan.mode, criterion)
    votes = count_pair_votes(pairs, rated.variants)
    mine = votes[(votes["variant"] == variant) & (votes["against"] == against)]
    won = evidence(rated, mine, pairs)["sign"].to_numpy() > 0
    return tuple(float(value) for value in e_values(won.astype(float))) if len(won) else ()
