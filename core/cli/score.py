"""``lorascope score``: metrics, intervals and tests for predictions that any other system made."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from core.cli.compare import print_comparison
from core.cli.options import examples, json_option, print_json, say
from core.errors import InputError, nearest
from core.results import Comparison, MetricRow
from core.spec import KINDS, NAME_PATTERN


@click.command(
    "score",
    epilog=examples(
        "lorascope score --task medical --predictions sample_data/predictions/medical.jsonl --positive disease --threshold-split split=dev",
        "lorascope score --task generation --predictions base=a.jsonl --predictions tuned=b.jsonl --metrics bleu,chrf --json",
    ),
)
@click.option("--task", "kind", required=True, metavar="KIND", help=f"One of {', '.join(KINDS)}.")
@click.option(
    "--predictions",
    "files",
    required=True,
    multiple=True,
    metavar="[NAME=]FILE",
    help="JSONL, JSON, CSV or Parquet, one row an example and variant, or lm_eval's samples; give it once for each file.",
)
@click.option("--positive", metavar="LABEL", help="Of two labels the positive one (classification, medical).")
@click.option(
    "--threshold-split",
    metavar="FIELD=VALUE",
    help="The examples that choose the decision threshold and are left out (medical).",
)
@click.option(
    "--periods-per-year",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="How many returns a year has (finance); 252 where it is not given.",
)
@click.option("--metrics", metavar="A,B", help="Only these; by default every metric of the task's kind.")
@click.option("--primary", metavar="A,B", help="The metrics whose p-values are corrected together; by default all.")
@click.option(
    "--reference", metavar="VARIANT", help="What the others are compared with; by default the first that is named."
)
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the result as a run in this folder's runs/.",
)
@click.option("--name", metavar="NAME", help="The kept run's name; by default the time.")
@json_option
def command(
    kind: str, files: tuple[str, ...], positive: str | None, threshold_split: str | None, periods_per_year: float | None,
    metrics: str | None, primary: str | None, reference: str | None, workspace: Path | None, name: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Print every metric of predictions from elsewhere, each with its interval, and the differences between variants.

    Fields of a row: id, prediction, reference; as needed scores, variant (the first named is the reference), group, language,
    sample. Any other field with few values is a tag to slice by.
    """
    from core.imports.request import ScoreRequest
    from core.imports.run import read_predictions, write_run
    from core.imports.sources import parse_source

    known = next((one for one in KINDS if one == kind), None)
    if known is None:
        raise InputError(f"--task: found {kind!r}{nearest(kind, KINDS)}, expected one of {', '.join(KINDS)}.")
    imported = read_predictions(
        ScoreRequest(
            known, tuple(parse_source(file) for file in files), positive, threshold_split, periods_per_year,  # type: ignore[arg-type]
            _listed(metrics), _listed(primary), reference,
        )
    )  # fmt: skip
    for note in imported.notes:
        say(note)
    kept = _kept_folder(workspace, name)
    with tempfile.TemporaryDirectory(prefix="lorascope-") as scratch:
        from core.compare import compare

        run = write_run(kept or Path(scratch) / "score", imported)
        comparison = compare(run)
    if as_json:
        print_json(_as_json(comparison, imported.names))
    else:
        _say_names(imported.names)
        print_comparison(comparison, list(comparison.rows))
    if kept is not None:
        say(f"Kept as {kept}. Open it with: lorascope dashboard --workspace {kept}")


def _listed(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _kept_folder(workspace: Path | None, name: str | None) -> Path | None:
    """Return where the run is kept, a folder that is not there yet; None where it is not to be kept."""
    if workspace is None and name is None:
        return None
    from datetime import UTC, datetime

    runs = (workspace or Path()) / "runs"
    chosen = name or f"score-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    if not re.fullmatch(NAME_PATTERN, chosen):
        expected = "letters, digits and . _ + - (80 at most), beginning with a letter or digit"
        raise InputError(f"--name: found {chosen!r}; expected {expected}.")
    if (runs / chosen).exists():
        raise InputError(f"{runs / chosen}: there is a folder of this name already; choose another with --name.")
    return runs / chosen


def _say_names(names: Mapping[str, str]) -> None:
    for name, variant in names.items():
        if name != variant:
            say(f"The variant {variant!r} is called {name} here: names have letters, digits and . _ + - only.")


def _as_json(comparison: Comparison, names: Mapping[str, str]) -> dict[str, Any]:
    """Return values and differences under the variants' names as the file has them."""
    variants: dict[str, Any] = {
        names[variant]: {"metrics": {_name(row): _value(row, variant) for row in comparison.rows}}
        for variant in comparison.variants
    }
    differences = [
        {"metric": _name(row), "variant": names[variant]}
        | {key: getattr(found, key) for key in ("difference", "low", "high", "p", "p_adjusted", "n")}
        for row in comparison.rows
        for variant, found in row.differences.items()
    ]
    return {"variants": variants, "differences": differences}


def _name(row: MetricRow) -> str:
    """Return ``f1_macro``, ``perplexity[zh]`` or ``f1_per_class[billing]``."""
    return row.key.partition("/")[2]


def _value(row: MetricRow, variant: str) -> dict[str, Any]:
    found = row.values[variant]
    return {key: getattr(found, key) for key in ("value", "low", "high", "n", "n_missing", "reason", "signature")}
