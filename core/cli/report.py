"""``lorascope report``: write a run as a page, as tables, as a spreadsheet, or as an archive of all its charts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.compare import open_run
from core.cli.joining import join_option, joined_sentences, open_joined
from core.cli.options import examples, say, workspace_option
from core.errors import InputError, RunError, nearest
from core.report.document import SECTIONS, Wishes
from core.report.formats import FORMATS, fitting

if TYPE_CHECKING:
    from core.ratings.analysis.results import HumanPreference
    from core.store import Run

_ENDINGS = {"htm": "html", "markdown": "md"}


@click.command(
    "report",
    epilog=examples(
        "lorascope report sample --workspace sample_data -o report.html",
        "lorascope report sample -o tables.tex --sections metrics,robustness",
        "lorascope report sample -o charts.zip",
        "lorascope report sample --model-index qv-r8",
    ),
)
@click.argument("run", required=False)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Where to; its ending says what: .html a page that needs no network, .md and .tex tables, .xlsx a spreadsheet, .zip all "
    "charts as SVG, PDF and PNG.",
)  # fmt: skip
@click.option("--reference", metavar="VARIANT", help="What the others are compared with; by default what the run says.")
@click.option("--title", default="", help="By default what was compared.")
@click.option("--author", default="")
@click.option("--remarks", default="", metavar="TEXT", help="The author's own words, shown under the title.")
@click.option("--sections", metavar="A,B", help=f"Only these: {', '.join(SECTIONS)}.")
@click.option(
    "--variant", metavar="VARIANT", help="Whose examples and pictures are shown; by default those of the best."
)
@click.option(
    "--examples", "n_examples", type=click.IntRange(0, 50), default=Wishes.n_examples, show_default=True,
    help="Biggest gains, and biggest losses, of each task.",
)  # fmt: skip
@click.option(
    "--model-index", "card", metavar="VARIANT", help="Print the model-index of VARIANT's model card as YAML instead."
)
@join_option
@workspace_option
def command(
    run: str | None, out: Path | None, reference: str | None, title: str, author: str, remarks: str, sections: str | None,
    variant: str | None, n_examples: int, card: str | None, joins: tuple[str, ...], workspace: Path,
) -> None:  # fmt: skip
    """Write what RUN found to a file that stands on its own.

    RUN is an id, the start of one, or a run's folder; the newest run where it is left out.
    """
    if card is None and out is None:
        raise InputError(
            "Found no file to write; expected -o FILE, its ending one of "
            + ", ".join(f".{one}" for one in FORMATS)
            + "."
        )
    kind = None if out is None else _format(out)
    opened = open_joined(open_run, run, joins, workspace)
    for sentence in joined_sentences(opened):
        say(sentence)
    if card is not None:
        click.echo(_model_index(opened, reference, card), nl=False)
        return
    names = tuple(SECTIONS) if sections is None else tuple(name.strip() for name in sections.split(",") if name.strip())
    wishes = Wishes(title, author, remarks, names, variant, n_examples)
    if out is not None and kind is not None:
        _write(opened, reference, wishes, out, kind)


def _format(out: Path) -> str:
    ending = out.suffix.lower().removeprefix(".")
    kind = _ENDINGS.get(ending, ending)
    if kind not in FORMATS:
        listed = ", ".join(f".{one}" for one in FORMATS)
        raise InputError(
            f"{out}: the ending {out.suffix!r} names no format{nearest(ending, FORMATS)}; expected one of {listed}."
        )
    if not out.absolute().parent.is_dir():
        raise InputError(f"{out}: there is no folder {out.absolute().parent}. Make it first, or name another file.")
    return kind


def _write(run: Run, reference: str | None, wishes: Wishes, out: Path, kind: str) -> None:
    from core.report.gather import gather
    from core.store import write_atomically

    chosen = FORMATS[kind]
    report = gather(run, reference, fitting(wishes, chosen), people=people_of(run))
    write_atomically(out, chosen.make(report))
    say(f"Written: {out}")


def people_of(run: Run) -> tuple[HumanPreference, ...]:
    """Return what people said of the run's variants; nothing where nobody was asked, or where it cannot be read, which is said."""
    from core.own.rows import workspace_of
    from core.ratings import RatingStore, store_url
    from core.ratings.analysis import human_preference

    if (place := workspace_of(run)) is None:
        return ()
    store = RatingStore(store_url(place))
    try:
        return human_preference(run, store.prepare()) if store.exists else ()
    except (InputError, RunError) as error:
        say(f"Human preference is left out: {error}")
        return ()


def _model_index(run: Run, reference: str | None, variant: str) -> str:
    from core.compare import compare
    from core.report.model_index import model_index_yaml

    text = model_index_yaml(run, compare(run, reference), variant)
    if not text:
        raise InputError(
            f"{run.folder}: {variant} has no value of any metric yet, so that there is nothing for a model card."
        )
    return text
