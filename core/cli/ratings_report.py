"""``lorascope ratings report``: what a study's ratings say, for people and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.options import examples, json_option, print_json, print_table, workspace_option
from core.errors import InputError
from core.notation import number_text, p_text

if TYPE_CHECKING:
    from core.ratings.analysis import StudyAnalysis
    from core.ratings.analysis.estimate import Estimate
    from core.ratings.analysis.results import PreferenceAnalysis, ScoreAnalysis

_METRICS_SHOWN = 10


@click.command(
    "report",
    epilog=examples("lorascope ratings report 3f2a90c1b7de", "lorascope ratings report Replies --json | jq .headline"),
)
@click.argument("study")
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Scores: how much a criterion counts in an average over criteria; without any there is none.",
)
@workspace_option
@json_option
def report(study: str, weights: tuple[str, ...], workspace: Path, as_json: bool) -> None:
    """Print who is preferred in STUDY and how surely, whether the raters agree, and which metrics agree with them.

    STUDY is an id, the start of one, or a title.
    """
    from core.ratings import open_store, open_study
    from core.ratings.analysis import analyse
    from core.workspace import load_workspace

    opened = load_workspace(workspace)
    known = {run.id: run for run in opened.runs()}
    chosen = open_study(open_store(opened.folder), study)
    runs = [known[name] for name in chosen.runs if name in known]
    analysis = analyse(chosen, runs=runs, criteria_weights=_weights(weights) or None)
    if as_json:
        print_json(_plain(asdict(analysis)))
        return
    _print(analysis)


def _weights(given: tuple[str, ...]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in given:
        name, _, number = one.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise InputError(f"--weight: found {one!r}, expected NAME=NUMBER such as fluency=2.") from None
    return found


def _plain(value: Any) -> Any:
    """Return what JSON knows: an e-value beyond what a float holds has no number there, and is null."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print(analysis: StudyAnalysis) -> None:
    click.echo(analysis.headline)
    for preference in analysis.preferences:
        _print_preference(preference, len(analysis.preferences) > 1)
    if analysis.scores is not None:
        _print_scores(analysis.scores)
    click.echo("")
    _print_agreement(analysis)
    _print_raters(analysis)
    _print_metrics(analysis)
    counts = analysis.counts
    click.echo(
        f"\n{counts.n_rated:,} of {counts.n_items:,} items rated by {counts.n_raters:,}, {counts.n_answers:,} answers, "
        f"{counts.n_skipped:,} skipped; {counts.n_identical:,} items of identical outputs counted apart; "
        f"seed {analysis.seed}, study {analysis.study_id}."
    )
    for note in analysis.notes:
        click.echo(note)


def _print_preference(found: PreferenceAnalysis, named: bool) -> None:
    from core.ratings.analysis.headline import e_text

    click.echo(f"\n{found.label}" if named else "")
    rows = [
        (f"{one.variant} / {one.against}", f"{one.wins:,}", f"{one.losses:,}", f"{one.ties:,}", f"{one.both_bad:,}",
         _share(one.decisive), _share(one.length_controlled), p_text(one.p_adjusted).removeprefix("p ").removeprefix("= "),
         f"{e_text(one.e_value)} of {one.threshold:g}")
        for one in found.pairs
    ]  # fmt: skip
    header = ("pair", "wins", "losses", "ties", "both bad", "decisive %", "at equal length %", "adjusted p", "e-value")
    print_table(header, rows)
    if found.strengths is None:
        return
    click.echo("")
    if found.strengths.reason is not None:
        click.echo(f"Strengths: {found.strengths.reason}")
        return
    ranked = [
        (f"{one.rank}", "" if one.best is None else f"{one.best}–{one.worst}", one.variant, _number(one.strength, 2), _number(one.elo, 0))
        for one in found.strengths.variants
    ]  # fmt: skip
    print_table(("rank", "between", "variant", "strength", "Elo scale"), ranked)
    for note in found.strengths.notes:
        click.echo(note)


def _print_scores(found: ScoreAnalysis) -> None:
    click.echo("")
    rows = [
        (row.label, row.variant, _number(row.mean, 2), "" if row.difference is None else _number(row.difference, 2, signed=True),
         p_text(row.p_adjusted).removeprefix("p ").removeprefix("= "), f"{row.mean.n:,}")
        for row in (*found.rows, *found.weighted)
    ]  # fmt: skip
    print_table(("criterion", "variant", "mean", "difference", "adjusted p", "n"), rows)


def _print_agreement(analysis: StudyAnalysis) -> None:
    rows = [
        (row.label, _share(row.raw), _number(row.alpha.alpha, 2), row.alpha.level, _number(row.fleiss, 2), f"{row.alpha.alpha.n:,}")
        for row in analysis.agreement
    ]  # fmt: skip
    print_table(("agreement on", "equal %", "alpha", "level", "Fleiss' kappa", "n"), rows)


def _print_raters(analysis: StudyAnalysis) -> None:
    if not analysis.quality.raters:
        return
    click.echo("")
    rows = [
        (one.rater, f"{one.n_answers:,}", _share(one.left), _share(one.flipped), _share(one.too_fast), _share(one.gold),
         "" if one.seconds_median is None else f"{one.seconds_median:.1f}")
        for one in analysis.quality.raters
    ]  # fmt: skip
    print_table(("rater", "answers", "left %", "flipped %", "too fast %", "gold right %", "seconds"), rows)


def _print_metrics(analysis: StudyAnalysis) -> None:
    click.echo("")
    if analysis.metrics.rows:
        rows = [
            (one.title, one.task, one.criterion, _share(one.accuracy), _number(one.tau, 2), f"{one.accuracy.n:,}")
            for one in analysis.metrics.rows[:_METRICS_SHOWN]
        ]
        print_table(("metric", "task", "criterion", "orders as people %", "tau", "n"), rows)
    if analysis.metrics.reason is not None:
        click.echo(f"Metrics against people: {analysis.metrics.reason}.")
    for judge in analysis.judges:
        click.echo(
            f"Judge {judge.judge}, {judge.variant} / {judge.against}: {_share(judge.corrected)} % corrected, "
            f"{_share(judge.human)} % by people alone ({judge.n_labelled:,} items), {_share(judge.judge_alone)} % by itself."
        )


def _share(found: Estimate) -> str:
    return _text(found, 100.0, 0, signed=False)


def _number(found: Estimate, places: int, signed: bool = False) -> str:
    return _text(found, 1.0, places, signed)


def _text(found: Estimate, scale: float, places: int, signed: bool) -> str:
    if found.value is None:
        return "–"
    value = number_text(found.value * scale, places, signed)
    if found.low is None or found.high is None:
        return value
    return (
        f"{value} [{number_text(found.low * scale, places, signed)}, {number_text(found.high * scale, places, signed)}]"
    )
