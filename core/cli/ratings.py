"""``lorascope ratings``: make, list, close, report, export and import studies of human rating."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.options import examples, json_option, print_json, print_table, say, workspace_option
from core.cli.ratings_report import report
from core.errors import InputError

if TYPE_CHECKING:
    from core.ratings import RatingStore, StudyPlan

_FORMATS = ("jsonl", "csv", "parquet", "dpo", "llm-comparator", "argilla")
_LEAKS_SHOWN = 5


@click.group(
    "ratings",
    epilog=examples("lorascope ratings create --title Replies --variant baseline --variant qv-r8 --examples 60"),
)
def command() -> None:
    """Make, list, close, report, export and import studies in which people rate texts blind.

    They are kept in the workspace, in studies/ratings.sqlite; for a team the environment variable LORASCOPE_RATINGS names a
    PostgreSQL database: postgresql+psycopg://USER@HOST/NAME.
    """


def _store(workspace: Path) -> RatingStore:
    from core.ratings import open_store
    from core.workspace import load_workspace

    return open_store(load_workspace(workspace).folder)


@command.command(
    "create",
    epilog=examples(
        "lorascope ratings create --title Replies --variant baseline --variant qv-r8 --examples 60 --raters 2 --overlap 2",
        "lorascope ratings create --title Quality --mode score --examples 40 --guidelines rules.md",
    ),
)
@click.option("--title", required=True, help="What raters read above the form.")
@click.option("--mode", type=click.Choice(["pair", "score", "rank"]), default="pair", show_default=True)
@click.option("--graded", is_flag=True, help="Pairs on a scale from -3 to 3.")
@click.option(
    "--run", "runs", multiple=True, metavar="RUN", help="A run; give it once for each. By default the newest."
)
@click.option("--variant", "variants", multiple=True, metavar="VARIANT", help="By default every variant of the runs.")
@click.option(
    "--against", metavar="VARIANT", help="Pairs: the variant that every other one meets; by default each meets each."
)
@click.option("--task", "tasks", multiple=True, metavar="TASK", help="By default every task that generates text.")
@click.option("--examples", "n_examples", type=click.IntRange(1), help="How many are drawn; by default all.")
@click.option(
    "--stratify", multiple=True, metavar="FIELD", help="A tag field or `language` that the draw keeps the shares of."
)
@click.option("--raters", type=click.IntRange(1), default=1, show_default=True, help="How many are expected.")
@click.option("--overlap", type=click.IntRange(1), default=1, show_default=True, help="Raters of a shared item.")
@click.option(
    "--overlap-share",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of items that are shared.",
)
@click.option(
    "--repeat-share",
    type=click.FloatRange(0, 0.5),
    default=0.12,
    show_default=True,
    help="Share that comes back swapped.",
)
@click.option(
    "--practice", type=click.IntRange(0, 20), default=3, show_default=True, help="Practice items before the first."
)
@click.option(
    "--criterion",
    "criteria",
    multiple=True,
    metavar="NAME",
    help="Asked instead of the mode's own; NAME=LABEL, if wanted.",
)
@click.option("--guidelines", type=click.Path(path_type=Path), metavar="FILE", help="Markdown.")
@click.option(
    "--gold", type=click.Path(path_type=Path), metavar="FILE", help="JSONL: prompt, outputs (best first), accept."
)
@click.option("--show-reference", is_flag=True, help="Raters see the reference.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@workspace_option
@json_option
def create(runs: tuple[str, ...], workspace: Path, as_json: bool, **asked: Any) -> None:
    """Make a study of one or more runs and print its id and the secret of the raters' link, which is not shown again."""
    from core.ratings import create_study, items, open_store
    from core.workspace import load_workspace

    opened = load_workspace(workspace)
    chosen = [opened.run(name) for name in runs] or opened.runs()[:1]
    made = create_study(open_store(opened.folder), chosen, _plan(asked))
    study, table = made.study, items(made.study)
    told = {
        "id": study.id, "title": study.plan.title, "key": made.key, "variants": list(study.variants), "items": len(table),
        "identical": int(table["identical"].sum()), "notes": list(study.notes), "leaks": [asdict(leak) for leak in made.leaks],
    }  # fmt: skip
    if as_json:
        print_json(told)
        return
    click.echo(f"Study {study.id}: {study.plan.title!r}, {len(table):,} items of {', '.join(study.variants)}.")
    click.echo(f"Key of the raters' link, shown only now: {made.key}")
    for note in study.notes:
        say(f"Note: {note}")
    if made.leaks:
        say(f"Warning: {len(made.leaks):,} outputs name a model, so that raters are not blind there:")
        for leak in made.leaks[:_LEAKS_SHOWN]:
            say(f"  {leak.task}, {leak.example_id}, {leak.variant}: {leak.name!r} in {leak.excerpt!r}")


def _plan(asked: dict[str, Any]) -> StudyPlan:
    from core.ratings import Criterion, StudyPlan, parse_gold

    guidelines, gold = asked.pop("guidelines"), asked.pop("gold")
    named = [name.partition("=") for name in asked.pop("criteria")]
    criteria = tuple(
        Criterion(name=name, label=label or name.replace("_", " ").capitalize()) for name, _, label in named
    )
    return StudyPlan(
        examples=asked.pop("n_examples"), criteria=criteria, guidelines=_read(guidelines) if guidelines else "",
        gold=parse_gold(_read(gold), str(gold)) if gold else (), **asked,
    )  # fmt: skip


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text in UTF-8 ({error}).") from None


@command.command("list", epilog=examples("lorascope ratings list", "lorascope ratings list --json | jq -r '.[0].id'"))
@workspace_option
@json_option
def list_(workspace: Path, as_json: bool) -> None:
    """List the studies of the workspace, newest first."""
    from core.ratings import RatingStore, list_studies, store_url
    from core.workspace import load_workspace

    store = RatingStore(store_url(load_workspace(workspace).folder))
    studies = list_studies(store.prepare()) if store.exists else []
    if as_json:
        print_json([asdict(study) for study in studies])
        return
    if not studies:
        click.echo("No studies yet. Make one with: lorascope ratings create --title TITLE")
        return
    rows = [
        (one.id, one.title, one.mode, "closed" if one.closed else "open", f"{one.n_items:,}", f"{one.n_raters:,}",
         f"{one.n_answers:,}", one.created[:16].replace("T", " "), ", ".join(one.variants))
        for one in studies
    ]  # fmt: skip
    print_table(("study", "title", "mode", "state", "items", "raters", "answers", "created (UTC)", "variants"), rows)


@command.command("close", epilog=examples("lorascope ratings close 3f2a90c1b7de"))
@click.argument("study")
@workspace_option
def close(study: str, workspace: Path) -> None:
    """End the rating of STUDY: nothing more is stored, and raters may see its results."""
    from core.ratings import close_study, open_study

    opened = open_study(_store(workspace), study)
    close_study(opened)
    click.echo(f"Study {opened.id} is closed.")


@command.command(
    "export",
    epilog=examples(
        "lorascope ratings export 3f2a90c1b7de --to csv --pseudonyms",
        "lorascope ratings export 3f2a90c1b7de --to dpo --output preferences.jsonl",
    ),
)
@click.argument("study")
@click.option("--to", "to", type=click.Choice(_FORMATS), required=True)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="By default STUDY-FORMAT in this folder."
)
@click.option("--pseudonyms", is_flag=True, help="Replace the names of raters by ones that stay the same.")
@click.option("--pair", nargs=2, metavar="A B", help="llm-comparator: which two variants, where the study has more.")
@workspace_option
def export(
    study: str, to: str, output: Path | None, pseudonyms: bool, pair: tuple[str, str] | None, workspace: Path
) -> None:
    """Write the ratings of STUDY to a file.

    jsonl, csv and parquet hold every action, superseded ones too. dpo holds prompt, chosen and rejected: one row for each item
    where more raters preferred one output than the other and than "both bad"; ties and both bad are left out. Practice, gold
    items and repeats are in the first three alone.
    """
    from core.ratings import open_study
    from core.ratings.exchange import FORMATS, export_study

    opened = open_study(_store(workspace), study)
    path = output or Path(f"{opened.id}-{to}{FORMATS[to]}")
    report = export_study(opened, path, to, pseudonyms=pseudonyms, pair=pair)
    click.echo(f"Wrote {report.path} ({report.rows:,} rows).")
    for note in report.notes:
        say(f"Note: {note}")


@command.command("import", epilog=examples("lorascope ratings import ratings.jsonl --title 'Pilot of May'"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--title", help="By default what the file says, or its name.")
@click.option(
    "--judge", metavar="MODEL", help="The verdicts are a model's: they are no rater's, and people's correct them."
)
@workspace_option
def import_(file: Path, title: str | None, judge: str | None, workspace: Path) -> None:
    """Read FILE (.jsonl, .csv or .parquet) as a study that is closed.

    Needed in each row: example_id, rater, value, and variant_left with variant_right for a pair. What `export` wrote is read whole.
    With --judge the rater is not needed; `report` then shows the judge's win rate corrected by people's verdicts on the same examples.
    """
    from core.ratings.exchange import import_study

    study = import_study(_store(workspace), file, title=title, judge=judge)
    click.echo(f"Study {study.id}: {study.plan.title!r}. {' '.join(study.notes)}")


command.add_command(report)
