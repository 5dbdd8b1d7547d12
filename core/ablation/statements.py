"""Sentences that are true of how the adapters were trained: about two adapters where each level has one seed, about a choice only where
three seeds a level carry it.
"""

from __future__ import annotations

from collections.abc import Sequence

from core import notation
from core.ablation.measured import Measurement
from core.ablation.pairs import Pair, Slope, Told
from core.ablation.records import Configuration, Factor, OneFactor, Outcome, Statement, Trend
from core.ablation.seeds import LEAST_SEEDS
from core.results import Verdict

_PER = {True: "for each doubling of", False: "for each unit of"}


def verdict_of(told: Told, p_adjusted: float | None, outcome: Outcome, level: float) -> Verdict:
    """Return what an adjusted p says of a difference."""
    if told.estimate is None:
        return "none"
    if p_adjusted is None or p_adjusted >= 1 - level or outcome.direction_free:
        return "unclear"
    return "better" if (told.estimate > 0) == outcome.higher_is_better else "worse"


def amount(estimate: float, low: float | None, high: float | None, outcome: Outcome, *, signed: bool = True) -> str:
    """Return a difference with its unit and interval: ``-3.1 points [-4.6, -1.7]``."""
    unit = "points" if outcome.unit in ("share", "points") else notation.UNIT_NAMES[outcome.unit]
    shown = [None if x is None else notation.in_shown_unit(x, outcome.unit) for x in (estimate, low, high)]
    places = notation.decimals(shown, outcome.unit)
    texts = [None if x is None else notation.number_text(x, places, signed) for x in shown]
    interval = f"[{texts[1]}, {texts[2]}]" if texts[1] is not None and texts[2] is not None else ""
    return " ".join(filter(None, (texts[0], unit, interval)))


def pair_statement(
    pair: Pair, factor: Factor, told: Told, p_adjusted: float | None, verdict: Verdict, outcome: Outcome, level: float
) -> str:
    """Return what can be said of two configurations, as one sentence."""
    a, b = (factor.levels[group.levels[pair.factor]].text for group in (pair.a, pair.b))
    if told.estimate is None:
        return f"{pair.b.name} and {pair.a.name} cannot be compared: {told.reason}."
    how_much = amount(told.estimate, told.low, told.high, outcome)
    p = f"adjusted {notation.p_text(p_adjusted)}" if p_adjusted is not None else "no p-value"
    differ = p_adjusted is not None and p_adjusted < 1 - level
    if pair.kind == "factor":
        seeds = sorted((pair.a.n_seeds, pair.b.n_seeds))
        over = f"over {seeds[0]} seeds{'' if seeds[0] == seeds[1] else ' or more'} a level"
        if differ:
            return f"{factor.label}: {b} against {a} changes {outcome.label} by {how_much}, {over} ({p})."
        return f"{factor.label}: {b} and {a} cannot be told apart on {outcome.label}: {how_much}, {over} ({p})."
    (one,), (other,) = pair.compared
    what = f"{factor.label}, {b} against {a}"
    if not differ:
        return f"{other} and {one} ({what}) cannot be told apart on {outcome.label}: {how_much} ({p})."
    side = {"better": f"{other} is better", "worse": f"{other} is worse"}.get(verdict, f"{other} has another value")
    return f"{other} and {one} ({what}) differ: {side}, {how_much} of {outcome.label} ({p})."


def seed_note(pair: Pair, measured: Measurement) -> str:
    """Return how far apart the seeds of one side are and where the other side lies: a description, no test."""
    if pair.kind == "factor":
        return ""
    for several, other in ((pair.a, pair.b), (pair.b, pair.a)):
        inner = [measured.point[name] for name in several.variants if name in measured.point]
        outer = [measured.point[name] for name in other.variants if name in measured.point]
        if len(inner) < 2 or not outer:
            continue
        outcome = measured.outcome
        shown = [notation.in_shown_unit(x, outcome.unit) for x in (min(inner), max(inner), outer[0])]
        places = notation.decimals(shown, outcome.unit)
        low, high, value = (notation.number_text(x, places) for x in shown)
        where = "within that range" if min(inner) <= outer[0] <= max(inner) else "outside that range"
        return f"The {len(inner)} adapters of {several.name} reach {low} to {high}; {other.variants[0]} has {value}, {where}."
    return ""


def trend_statement(
    slope: Slope, factor: Factor, told: Told, p_adjusted: float | None, outcome: Outcome, level: float
) -> str:
    """Return what can be said of a line through three levels or more, as one sentence."""
    if told.estimate is None:
        return f"{factor.label}: no trend can be told: {told.reason}."
    how_much = amount(told.estimate, told.low, told.high, outcome)
    p = f" (adjusted {notation.p_text(p_adjusted)})" if p_adjusted is not None else ""
    per = f"{_PER[factor.log]} {factor.label}"
    if slope.kind == "factor":
        about = f"over {LEAST_SEEDS} seeds or more a level"
    else:
        about = "over these adapters; with one seed a level it is not known whether other seeds give the same"
    if p_adjusted is None or p_adjusted >= 1 - level:
        return f"{outcome.label} shows no trend along {factor.label} that can be told: {how_much} {per}, {about}{p}."
    way = "rises" if told.estimate > 0 else "falls"
    return f"{outcome.label} {way} along {factor.label}: {how_much} {per}, {about}{p}."


def statements_of(
    factors: Sequence[Factor], configurations: Sequence[Configuration], pairs: Sequence[OneFactor], trends: Sequence[Trend],
    outcome: Outcome, reason: str | None,
) -> tuple[Statement, ...]:  # fmt: skip
    """Return everything that is said of one base's adapters, the page's first line first."""
    found = [_headline(configurations, pairs, outcome, reason)]
    for pair in sorted(pairs, key=lambda one: (one.kind != "factor", not one.differs)):
        kind = pair.kind if pair.differs else "unclear"
        found.append(Statement(kind, pair.statement, (pair.factor,), (*pair.variants_a, *pair.variants_b)))
    found += [Statement("trend", trend.statement, (trend.factor.name,)) for trend in trends]
    found += _seed_statements(configurations, outcome)
    for factor in factors:
        if factor.tied:
            levels = "; ".join(level.text for level in factor.levels)
            found.append(
                Statement(
                    "tied",
                    f"{factor.label} always moved together ({levels}): their effects cannot be told apart.",
                    (factor.name,),
                )
            )
    return tuple(found)


def _headline(
    configurations: Sequence[Configuration], pairs: Sequence[OneFactor], outcome: Outcome, reason: str | None
) -> Statement:
    if not pairs:
        why = reason or "no two configurations differ in one choice alone"
        return Statement("design", f"Nothing can be said of single choices: {why}.")
    told = [pair for pair in pairs if pair.differs]
    about = [pair for pair in told if pair.kind == "factor"]
    if about:
        rest = len(about) - 1
        first = max(about, key=_size)
        more = f" So do {rest} more." if rest == 1 else f" {rest} more comparisons of a choice do too." if rest else ""
        return Statement("factor", first.statement + more, (first.factor,), (*first.variants_a, *first.variants_b))
    if any(pair.kind == "factor" for pair in pairs):
        closing = "no choice that has three seeds a level can be told to change it"
    else:
        several = [one.name for one in configurations if one.n_seeds >= LEAST_SEEDS]
        there = (
            f"only {several[0]} has"
            if len(several) == 1
            else f"only {', '.join(several)} have"
            if several
            else "nothing has"
        )
        closing = f"whether the choice matters needs {LEAST_SEEDS} seeds a level ({there} them)"
    if not told:
        which = f"None of {len(pairs)} pairs" if len(pairs) > 1 else "The one pair"
        verb = "can" if len(pairs) > 1 else "cannot"
        differing = "differ" if len(pairs) > 1 else "differs"
        text = f"{which} that {differing} in one choice {verb} be told apart on {outcome.label}; {closing}."
        return Statement("unclear", text)
    first = max(told, key=_size)
    of = f"{len(told)} of {len(pairs)} pairs of adapters that differ in one choice differ on {outcome.label}"
    assert first.difference is not None
    than = "has another value" if first.verdict == "unclear" else f"is {first.verdict}"
    side = f"{first.variants_b[0]} {than} than {first.variants_a[0]}"
    text = f"{of}, most of all in {first.factor_label}: {side}, {amount(first.difference, first.low, first.high, outcome)}; {closing}."
    return Statement("adapters", text, (first.factor,), (*first.variants_a, *first.variants_b))


def _size(pair: OneFactor) -> float:
    return abs(pair.difference or 0.0)


def _seed_statements(configurations: Sequence[Configuration], outcome: Outcome) -> list[Statement]:
    found = []
    for one in configurations:
        if one.n_seeds < 2:
            continue
        deviation = one.summary.seed_deviation
        spread = (
            ""
            if deviation is None
            else f" Between them {outcome.label} has a standard deviation of {amount(deviation, None, None, outcome, signed=False)}."
        )
        taken = (
            ""
            if one.seeds_stated
            else " No file says every seed; they are taken for seeds because their files state the same settings."
        )
        names = ", ".join(one.variants)
        found.append(
            Statement(
                "seeds", f"{names} are {one.n_seeds} seeds of one configuration.{taken}{spread}", (), one.variants
            )
        )
    return found
