"""``lorascope cache``: show what evidence a workspace has kept, and delete some of it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from core.cli.options import examples, json_option, print_json, print_table, say, workspace_option
from core.errors import InputError
from core.evidence_cache import decoding_of, evidence_folder, settings_text
from core.evidence_entries import Entry, Group, beyond, group_entries, list_entries, not_of, older_than, remove
from core.jobs.identities import identify
from core.notation import counted, duration_text, size_text
from core.workspace import Workspace, load_workspace

_SPANS = {"h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_SIZES = {"": 1, "B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000}
_HASH_SHOWN = 12


class _Span(click.ParamType):
    """A time span: ``12h``, ``30d``, ``8w``; in seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", str(value).strip())
        if found is None:
            self.fail(f"found {value!r}; expected hours, days or weeks: 12h, 30d, 8w.", param, ctx)
        return float(found[1]) * _SPANS[found[2]]


class _Size(click.ParamType):
    """A size in decimal units: ``500MB``, ``5GB``; in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(value).strip())
        units = {unit.lower(): factor for unit, factor in _SIZES.items()}
        if found is None or found[2].lower() not in units:
            self.fail(f"found {value!r}; expected a size: 500MB, 5GB, 0.", param, ctx)
        return round(float(found[1]) * units[found[2].lower()])


@click.group(
    "cache", invoke_without_command=True,
    epilog=examples("lorascope cache", "lorascope cache prune --older-than 30d --dry-run", "lorascope cache prune --keep 5GB"),
)  # fmt: skip
@workspace_option
@json_option
@click.pass_context
def command(context: click.Context, workspace: Path, as_json: bool) -> None:
    """Show what evidence the workspace has kept, so that no run computes it again; `prune` deletes some of it."""
    if context.invoked_subcommand is not None:
        context.obj = workspace
        return
    folder = evidence_folder(load_workspace(workspace).folder)
    groups = group_entries(list_entries(folder))
    if as_json:
        print_json(_as_json(folder, groups))
    elif not groups:
        click.echo(f"Nothing is kept in {folder} yet: the first run fills it.")
    else:
        parts, size = sum(len(group.entries) for group in groups), sum(group.n_bytes for group in groups)
        click.echo(f"{counted(parts, 'part')} of evidence, {size_text(size)}, in {folder}")
        now = time.time()
        print_table(
            ("model", "base", "adapter", "device", "parts", "size", "last used"), [_row(group, now) for group in groups]
        )


@command.command(
    "prune", epilog=examples("lorascope cache prune --unused --yes", "lorascope cache prune --keep 5GB --dry-run")
)
@click.option("--older-than", type=_Span(), metavar="AGE", help="What was not used for so long: 12h, 30d, 8w.")
@click.option(
    "--keep", type=_Size(), metavar="SIZE", help="All but so much, the least recently used first: 500MB, 5GB, 0."
)
@click.option(
    "--unused",
    is_flag=True,
    help="What is of a model, tokenizer or decoding settings that no run of the workspace has.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_option
@json_option
@click.pass_context
def prune(
    context: click.Context, older_than: float | None, keep: int | None, unused: bool, dry_run: bool, yes: bool, workspace: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Delete kept evidence; a run that would have found it computes it again. Runs themselves lose nothing."""
    if older_than is None and keep is None and not unused:
        raise InputError("Say what is to be deleted: --older-than AGE, --keep SIZE, --unused, or several of them.")
    stated = context.get_parameter_source("workspace") is not click.core.ParameterSource.DEFAULT
    opened = load_workspace(workspace if stated else context.obj)
    folder = evidence_folder(opened.folder)
    entries = list_entries(folder)
    chosen = _chosen(entries, opened, older_than, keep, unused)
    size = sum(entry.n_bytes for entry in chosen)
    told = f"{counted(len(chosen), 'part')} of {len(entries):,}, {size_text(size)}"
    if chosen and not dry_run and not yes:
        _ask(f"Delete {told}, in {folder}?")
    freed = 0 if dry_run else remove(folder, chosen)
    if as_json:
        print_json({
            "folder": str(folder), "parts": len(chosen), "bytes": size, "freed": freed, "dry_run": dry_run,
            "left": len(entries) - len(chosen),
        })  # fmt: skip
    elif dry_run:
        click.echo(f"Would delete {told}.")
    else:
        click.echo(f"Deleted {told}." if chosen else "Nothing to delete.")


def _chosen(
    entries: Sequence[Entry], workspace: Workspace, seconds: float | None, keep: int | None, unused: bool
) -> list[Entry]:
    """Return what any of the conditions names; ``keep`` counts what the others leave."""
    gone = older_than(entries, seconds) if seconds is not None else []
    if unused:
        gone += not_of(entries, _wanted(workspace))
    if keep is not None:
        names = {entry.name for entry in gone}
        gone += beyond([entry for entry in entries if entry.name not in names], keep)
    return list({entry.name: entry for entry in gone}.values())


def _wanted(workspace: Workspace) -> set[str]:
    """Return the models and settings that the runs of a workspace have, as `settings_text`."""
    for broken in workspace.broken_runs():
        say(f"Left out: {broken.reason}")
    wanted = set()
    for run in workspace.runs():
        made = run.read_json("environment")
        if made is None or run.spec.models.imported:
            continue
        for variant in run.spec.models.variants:
            identity = vars(identify(run.spec.models, made, variant))
            told = {"identity": identity, "tokenizer": made["tokenizer"], "decoding": decoding_of(run.spec.settings)}
            wanted.add(settings_text(told))
    return wanted


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise InputError(f"{question} Nobody is there to answer: add --yes to delete, or --dry-run to look.")
    click.confirm(question, abort=True, err=True)


def _row(group: Group, now: float) -> tuple[str, ...]:
    parts, size = f"{len(group.entries):,}", size_text(group.n_bytes)
    used = f"{duration_text(max(60.0, now - group.used))} ago" if now - group.used >= 60 else "just now"
    origin = group.origin
    if origin is None:
        return "unknown", "", "", "", parts, size, used
    adapter = origin.identity("adapter")
    base = origin.base_name or str(origin.identity("base"))[:_HASH_SHOWN]
    where = f"{origin.identity('device')} {origin.identity('dtype')}"
    shown = (origin.variant, base, str(adapter)[:_HASH_SHOWN] if adapter else "", where)
    return (*map(_printable, shown), parts, size, used)


def _printable(text: str) -> str:
    """Return a text without what a terminal would obey: an entry may come from somebody else's workspace."""
    return "".join(character if character.isprintable() else " " for character in text)


def _as_json(folder: Path, groups: Sequence[Group]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "parts": sum(len(group.entries) for group in groups),
        "bytes": sum(group.n_bytes for group in groups),
        "models": [
            {
                "variant": group.origin.variant if group.origin else None,
                "base_name": group.origin.base_name if group.origin else None,
                **({name: group.origin.identity(name) for name in ("base", "adapter", "scale", "dtype", "device")}
                   if group.origin else {}),
                "parts": len(group.entries), "bytes": group.n_bytes,
                "last_used": datetime.fromtimestamp(group.used, UTC).isoformat(timespec="seconds"),
            }
            for group in groups
        ],
    }  # fmt: skip
