"""``lorascope inspect``: say what a dataset is and what is wrong with it, line by line; repair or convert a copy."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.options import examples, json_option, print_json, say
from core.errors import InputError

if TYPE_CHECKING:
    from core.data.inspect.records import ConvertReport, RepairReport, Scan

CLEAN, FAULTY = 0, 1
_GROUPS_SHOWN = 20
_WARNINGS_SHOWN = 30


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
    help="Hold rows to the contract for messages (or text) to the letter; else what TRL takes.",
)
@click.option(
    "--train",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Look for FILE's rows in this training file (leakage).",
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
    beside faults (duplicates, leakage, lengths) is a warning and never changes the exit code.
    """
    if len(files) != 1:
        raise InputError(f"Found {len(files)} files, expected one: inspect them one after another.")
    file = files[0]
    if quick and (train or tokenizer):
        raise InputError("--quick looks at the format alone: leave out --train and --tokenizer, or --quick.")
    from core.data.inspect.convert import convert
    from core.data.inspect.repair import repair
    from core.data.inspect.scan import scan

    found = scan(file, strict=strict)
    profiled: dict[str, Any] = {}
    if not quick:
        from core.data.profile import profile

        profiled = profile(file, found, train=train, tokenizer=tokenizer, max_length=max_length).to_json()
    mended = repair(file, repaired, strict=strict) if repaired else None
    turned = convert(file, converted[0], Path(converted[1])) if converted else None
    if as_json:
        print_json(_as_json(found, profiled, mended, turned))
    else:
        _print(found, profiled)
        _print_copies(mended, turned)
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
        "duplicates": None, "leakage": None, "warnings": _warnings(profiled),
    }  # fmt: skip
    content |= profiled
    content["lengths"] = {"characters": characters, "tokens": profiled.get("lengths")}
    if mended:
        content["repair"] = asdict(mended)
    if turned:
        content["conversion"] = asdict(turned)
    first = ("format", "confidence", "rows", "faults", "fault_counts")
    return _plain({key: content[key] for key in first} | content)


def _warnings(profiled: dict[str, Any]) -> list[str]:
    """Return what is worth knowing beside faults, a sentence each; none of it changes the exit code."""
    advice = [f"Trainer: {one['message']}" for one in profiled.get("trainer", ()) if one["level"] != "note"]
    quality = [_sentence(one["message"], one["rows"]) for one in profiled.get("quality", {}).get("findings", ())]
    said = []
    duplicates = profiled.get("duplicates") or {}
    for key, what in (("exact_rows", "repeat another row exactly"), ("near_rows", "are near copies of another row")):
        if count := duplicates.get(key):
            said.append(f"{count:,} rows {what}.")
    if count := duplicates.get("conflicting_rows"):
        said.append(f"{count:,} rows have the same input as another row and a different answer.")
    return [*advice, *said, *quality]


def _sentence(message: str, rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}: {message}"


def _print(found: Scan, profiled: dict[str, Any]) -> None:
    from core.data.inspect.headline import headline

    line = headline(found)
    if tokens := profiled.get("lengths"):
        cut = tokens["cut"]
        line += f", {100 * (cut['share'] or 0):.1f} % cut off at {cut['max_length']:,} tokens"
    if leaked := profiled.get("leakage"):
        line += f", {sum(leaked['counts'].values()):,} leaked"
    click.echo(f"{line}.")
    guess = found.format
    click.echo(f"Format: {guess.name}, confidence {guess.confidence:.2f}. {guess.why}")
    click.echo(f"Stage: {guess.stage}. {guess.stage_reason}")
    if size := found.characters:
        click.echo(
            f"Characters a row: {size.percentiles['p50']:,} in the middle, {size.percentiles['p95']:,} at 95 %, "
            f"{size.largest:,} at most. Encoding: {found.encoding}."
        )
    for group in found.fault_groups[:_GROUPS_SHOWN]:
        click.echo(f"\n{group.code}: {group.count:,}")
        for fault in group.first:
            mended = f" A repaired copy would {fault.repair}." if fault.repair else ""
            click.echo(f"  {fault.line}: {fault.message}{mended}")
    if found.faults_file:
        click.echo(f"\nAll faults, one JSON object a line: {found.faults_file}")
    for number, warning in enumerate(_warnings(profiled)[:_WARNINGS_SHOWN]):
        click.echo(f"{'' if number else chr(10) + 'Warnings, which are no faults:' + chr(10)}  {warning}")


def _print_copies(mended: RepairReport | None, turned: ConvertReport | None) -> None:
    if mended:
        done = ", ".join(f"{code} {count:,}" for code, count in mended.counts.items()) or "nothing to repair"
        left = ", ".join(f"{code} {count:,}" for code, count in mended.left.items()) or "nothing"
        say(f"Wrote {mended.out} ({mended.rows:,} rows). Repaired: {done}. Left as it was: {left}.")
    if turned:
        say(f"Wrote {turned.out} ({turned.rows:,} rows): {turned.from_format} as {turned.to_format}.")


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: paths as texts."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
