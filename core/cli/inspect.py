"""``lorascope inspect``: say what a dataset is and what is wrong with it, line by line; repair or convert a copy."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.inspect_text import ProgressLine, print_copies, print_inspection, warnings_of
from core.cli.options import examples, json_option, print_json
from core.errors import InputError

if TYPE_CHECKING:
    from core.data.inspect.records import ConvertReport, RepairReport, Scan

CLEAN, FAULTY = 0, 1


@click.command(
    "inspect",
    epilog=examples(
        "lorascope inspect train.jsonl",
        "lorascope inspect train.jsonl --json --strict | jq '.fault_counts'",
        "lorascope inspect eval.jsonl --train train.jsonl --tokenizer models/base",
        "lorascope inspect train.jsonl --repair train.repaired.jsonl",
    ),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--strict",
    is_flag=True,
    help="Hold the file to the contract for messages (or text) to the letter, JSON Lines included; else what TRL takes.",
)
@click.option(
    "--train",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="FILE is for evaluation: look for its rows in this training file (leakage). Fields of its own are then no fault.",
)
@click.option(
    "--tokenizer", type=click.Path(path_type=Path), metavar="PATH", help="A model's folder: count tokens as it does."
)
@click.option(
    "--max-length", type=click.IntRange(1), default=1024, show_default=True, help="Tokens after which the trainer cuts."
)
@click.option(
    "--quick", is_flag=True, help="Format alone: leave out duplicates, languages, quality and the trainer's advice."
)
@click.option(
    "--repair",
    "repaired",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Write a copy with what can be mended safely.",
)
@click.option(
    "--convert",
    "converted",
    nargs=2,
    type=str,
    metavar="FORMAT OUT",
    help="Write a copy in another format, if nothing is lost.",
)
@json_option
def command(
    files: tuple[Path, ...],
    strict: bool,
    train: Path | None,
    tokenizer: Path | None,
    max_length: int,
    quick: bool,
    repaired: Path | None,
    converted: tuple[str, str] | None,
    as_json: bool,
) -> int:
    """Inspect FILE: JSONL, JSON, CSV, Parquet, gzip or zstd of these, or a datasets folder.

    Exits with 0 where the format has no fault, 1 where it has some, 2 where the file could not be read. What is found
    beside faults (duplicates, leakage, lengths) is a warning and never changes the exit code. Rows that no trainer reads
    are faults, for the question is whether FILE can be trained on; with --train FILE is an evaluation file, and they are none.
    """
    if len(files) != 1:
        raise InputError(f"Found {len(files)} files, expected one: inspect them one after another.")
    file = files[0]
    if quick and (train or tokenizer):
        raise InputError("--quick looks at the format alone: leave out --train and --tokenizer, or --quick.")
    from core.data.inspect.convert import convert
    from core.data.inspect.repair import repair
    from core.data.inspect.scan import scan

    line = ProgressLine()
    try:
        found = scan(file, strict=strict, progress=line.share, evaluation=train is not None)
        profiled: dict[str, Any] = {}
        if not quick:
            from core.data.profile import profile

            line.total_rows = found.rows
            options: dict[str, Any] = {"train": train, "tokenizer": tokenizer, "max_length": max_length}
            profiled = profile(file, found, progress=line.step, **options).to_json()
        mended = repair(file, repaired, strict=strict) if repaired else None
        turned = convert(file, converted[0], Path(converted[1])) if converted else None
    finally:
        line.clear()
    if as_json:
        print_json(_as_json(found, profiled, mended, turned))
    else:
        print_inspection(found, profiled, evaluation=train is not None)
        print_copies(mended, turned)
    return FAULTY if found.fault_total else CLEAN


def _as_json(
    found: Scan, profiled: dict[str, Any], mended: RepairReport | None, turned: ConvertReport | None
) -> dict[str, Any]:
    content = asdict(found)
    guess = content.pop("format")
    groups = content.pop("fault_groups")
    content["messages_per_conversation"] = content.pop("turns")
    characters = content.pop("characters")
    content |= {
        "format": guess["name"], "confidence": guess["confidence"], "why": guess["why"], "stage": guess["stage"],
        "stage_reason": guess["stage_reason"], "conversational": guess["conversational"],
        "fault_total": found.fault_total,
        "fault_groups": [{"code": group["code"], "count": group["count"], "lines": [one["line"] for one in group["first"]]}
                         for group in groups],
        "duplicates": None, "leakage": None, "warnings": warnings_of(profiled),
    }  # fmt: skip
    content |= profiled
    content["lengths"] = {"characters": characters, "tokens": profiled.get("lengths")}
    if mended:
        content["repair"] = asdict(mended)
    if turned:
        content["conversion"] = asdict(turned)
    first = ("format", "confidence", "rows", "faults", "fault_counts")
    return _plain({key: content[key] for key in first} | content)


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: paths as texts, and no keys or passwords in any text."""
    from core.data.profile.patterns import without_secrets

    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
