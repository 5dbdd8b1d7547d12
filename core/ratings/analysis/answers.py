"""What counts of a study's actions: people's own answers, repeats, gold items and judges' verdicts apart, and verdicts of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.ratings.actions import actions, items
from core.ratings.analysis.results import Counts
from core.ratings.exchange.verdicts import Votes
from core.ratings.judges import is_judge
from core.ratings.records import Criterion
from core.ratings.study import Study, closed_at
from core.records import BASELINE

SIDES = ("left", "right", "tie", "both_bad")


@dataclass(frozen=True)
class Rated:
    """A study's answers, sorted by what they are good for. Frames have the columns of `core.ratings.actions.COLUMNS` and ``group``."""

    study: Study
    variants: tuple[str, ...]
    """The reference first."""
    closed: bool
    items: pd.DataFrame
    """As `core.ratings.actions.items`, with ``group``: what is resampled together, the example or its group."""
    own: pd.DataFrame
    """People's current answers to the study's own items; repeats left out."""
    repeats: pd.DataFrame
    gold: pd.DataFrame
    judged: pd.DataFrame
    """Model judges' current answers to the study's own items, repeats included."""
    n_skipped: int
    n_flagged: int
    skips: pd.Series
    """How many own items each rater skipped, by ``rater_id``."""
    complete: frozenset[str]
    """Items whose verdict stands: as many answers as asked for; all that were rated once the study is closed."""

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """What was asked."""
        return self.study.plan.asked_criteria

    @property
    def main_criterion(self) -> str:
        """The one by which raters are looked at: ``overall`` where it was asked, else the first."""
        names = [criterion.name for criterion in self.criteria]
        return "overall" if self.study.plan.mode == "score" and "overall" in names else names[0]

    def counts(self) -> Counts:
        """Return how much was rated."""
        shown = ~self.items["identical"].astype(bool)
        return Counts(
            n_items=int(shown.sum()),
            n_identical=int((~shown).sum()),
            n_rated=int(self.own["item_id"].nunique()),
            n_complete=len(self.complete),
            n_answers=int(self.own["assignment_id"].nunique()),
            n_skipped=self.n_skipped,
            n_flagged=self.n_flagged,
            n_repeats=int(self.repeats["assignment_id"].nunique()),
            n_gold=int(self.gold["assignment_id"].nunique()),
            n_raters=int(self.own["rater_id"].nunique()),
            n_judged=int(self.judged["assignment_id"].nunique()),
        )


def read_answers(study: Study) -> Rated:
    """Read a study.

    Raises:
        InputError: it was opened by a link and is not closed.
    """
    frame, table = actions(study), items(study)
    table["group"] = [
        _group(*row) for row in table[["cluster", "task", "example_id"]].itertuples(index=False, name=None)
    ]
    frame["group"] = [
        _group(*row) for row in frame[["cluster", "task", "example_id"]].itertuples(index=False, name=None)
    ]
    aside = {name: frame[name].astype(bool) for name in ("practice", "gold", "repeat")}
    judge = frame["rater"].map(is_judge).astype(bool)
    current = frame["current"].astype(bool)
    study_own = ~aside["practice"] & ~aside["gold"] & ~aside["repeat"]
    rated = current & (frame["kind"] == "rate")
    own = frame[rated & study_own & ~judge]
    skipped = frame[current & (frame["kind"] == "skip") & study_own & ~judge]
    flagged = frame[(frame["kind"] == "flag") & ~aside["practice"]]
    closed = closed_at(study) is not None
    answers = own.groupby("item_id")["assignment_id"].nunique()
    needed = table.set_index("item_id")["needed"].reindex(answers.index)
    return Rated(
        study=study,
        variants=reference_first(study),
        closed=closed,
        items=table,
        own=own,
        repeats=frame[rated & aside["repeat"] & ~judge],
        gold=frame[rated & aside["gold"] & ~judge],
        judged=frame[rated & ~aside["practice"] & ~aside["gold"] & judge],
        n_skipped=int(skipped["assignment_id"].nunique()),
        n_flagged=int(flagged["item_id"].nunique()),
        skips=skipped.groupby("rater_id")["assignment_id"].nunique(),
        complete=frozenset(answers.index[closed | (answers >= needed)]),
    )


def reference_first(study: Study) -> tuple[str, ...]:
    """Return the study's variants, the reference first: what the others were to meet, else the baseline, else the first one."""
    names = study.variants
    baselines = [name for name in names if name == BASELINE or name.endswith(f"/{BASELINE}")]
    reference = study.plan.against or next(iter(baselines), next(iter(names), ""))
    return (reference, *(name for name in names if name != reference))


def _group(cluster: str | None, task: str, example_id: str) -> str:
    # None of the three can hold what another one is told from: a name with the separator only joins what it joins.
    return f"group\x1f{cluster}" if isinstance(cluster, str) else f"{task}\x1f{example_id}"


PAIR_COLUMNS = (
    "item_id",
    "group",
    "assignment_id",
    "rater",
    "rater_id",
    "number",
    "first",
    "second",
    "verdict",
    "grade",
)


def compared(frame: pd.DataFrame, mode: str, criterion: str) -> pd.DataFrame:
    """Return one row a comparison of two variants: an answer to a pair, or a pair of a ranking.

    Args:
        frame: answers, as in `Rated`.
        mode: pair or rank.
        criterion: the one to read.

    Returns:
        The columns `PAIR_COLUMNS`: ``first`` stood on the left, in a ranking further up on screen; ``verdict`` is of `SIDES`;
        ``grade`` is -3 to 3 for graded pairs (above 0 for the right one) and None otherwise.
    """
    rows = []
    names = ["item_id", "group", "assignment_id", "rater", "rater_id", "number", "shown", "value"]
    for *known, shown, value in frame.loc[frame["criterion"] == criterion, names].itertuples(index=False, name=None):
        if mode == "rank":
            for left in range(len(shown)):
                for right in range(left + 1, len(shown)):
                    order = "tie" if value[left] == value[right] else "left" if value[left] < value[right] else "right"
                    rows.append((*known, shown[left], shown[right], order, None))
        else:
            graded = not isinstance(value, str)
            verdict = ("left" if value < 0 else "right" if value > 0 else "tie") if graded else value
            rows.append((*known, shown[0], shown[1], verdict, value if graded else None))
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def count_pair_votes(pairs: pd.DataFrame, variants: Sequence[str]) -> pd.DataFrame:
    """Return one row for each item and pair of variants, with the verdict of its raters.

    The verdict is that of the most votes, by the rule of `core.ratings.exchange.verdicts`: a variant wins with more votes than
    the other one and than "both bad".

    Args:
        pairs: from `compared`.
        variants: in order; the earlier one of a pair is ``against``.

    Returns:
        item_id, group, variant, against, verdict (win, loss, tie, both_bad: for ``variant``), votes, split (not of one mind).
    """
    place = {name: number for number, name in enumerate(variants)}
    found: dict[tuple[str, str, str], Votes] = {}
    groups: dict[str, str] = {}
    for row in pairs[["item_id", "group", "first", "second", "verdict"]].itertuples(index=False, name=None):
        item_id, group, first, second, verdict = row
        against, variant = sorted((first, second), key=lambda name: place.get(name, len(place)))
        votes = found.setdefault((item_id, variant, against), Votes(item_id, (variant, against)))
        groups[item_id] = group
        chosen = {"left": first, "right": second}.get(verdict)
        votes.for_first += chosen == variant
        votes.for_second += chosen == against
        votes.tie += verdict == "tie"
        votes.both_bad += verdict == "both_bad"
    rows = [(item_id, groups[item_id], *key, *_verdict(votes)) for (item_id, *key), votes in found.items()]
    names = ["item_id", "group", "variant", "against", "verdict", "votes", "split"]
    return pd.DataFrame(rows, columns=names)


def evidence(rated: Rated, votes: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return what may count for evidence that is looked at after every rating: verdicts that no later answer can turn.

    A verdict stands once its item is complete, and a group of examples gives one, once all of it is: until then it could turn,
    and who looks often would see it stand where it is most flattering.

    Args:
        rated: the study.
        votes: of one pair of variants, from `count_pair_votes`.
        pairs: the comparisons behind them.

    Returns:
        One row a group that is decided, in the order in which they came to stand: group, sign (1 for ``variant``, -1 for
        ``against``).
    """
    shown = set(votes[["variant", "against"]].iloc[0]) if len(votes) else set()
    items = rated.items[~rated.items["identical"].astype(bool)]
    waiting = {
        group
        for item_id, group, variants in items[["item_id", "group", "variants"]].itertuples(index=False, name=None)
        if item_id not in rated.complete and shown <= set(variants) and not rated.closed
    }
    standing = votes[~votes["group"].isin(waiting)]
    sums = standing["verdict"].map({"win": 1, "loss": -1}).fillna(0).groupby(standing["group"]).sum()
    last = pairs[pairs["item_id"].isin(standing["item_id"])].groupby("group")["number"].max()
    order = last.reindex(sums.index).sort_values().index
    signs = sums.reindex(order)
    decided = signs[signs != 0]
    return pd.DataFrame({"group": decided.index, "sign": decided.gt(0).map({True: 1, False: -1}).to_numpy(dtype=int)})


def _verdict(votes: Votes) -> tuple[str, int, bool]:
    counts = (votes.for_first, votes.for_second, votes.tie, votes.both_bad)
    verdict = {0: "win", 1: "loss", None: votes.why_not.replace(" ", "_")}[votes.winner]
    return verdict, sum(counts), max(counts) < sum(counts)
