"""How an inspection reads on a terminal: headline, faults by code, warnings, and a line of progress for long work.

Keys and passwords that stand in the data are masked: what is printed ends in logs.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from core.data.inspect.records import ConvertReport, RepairReport, Scan

_GROUPS_SHOWN = 20
_WARNINGS_SHOWN = 30
_IDS_SHOWN = 10
_DRAWN_EVERY_SECONDS = 0.2
_KINDS = {"exact": "word for word", "normalised": "but for case and space", "overlap": "in long runs of words"}


class ProgressLine:
    """Draws one line on standard error where that is a terminal; silent elsewhere."""

    def __init__(self, total_rows: int = 0) -> None:
        """Take the number of rows of the file, 0 where it is not known."""
        self.total_rows = total_rows
        self._terminal = sys.stderr.isatty()
        self._drawn_at = time.monotonic()

    def share(self, done: float) -> None:
        """Show which share of the file was read, 0 to 1."""
        self._draw(f"reading {done:.0%}" if done else "reading")

    def step(self, name: str, rows: int) -> None:
        """Show how far a step is."""
        of = f" of {self.total_rows:,}" if rows <= self.total_rows and name != "leakage" else ""
        self._draw(f"{name}: {rows:,}{of} rows")

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _draw(self, line: str) -> None:
        if self._terminal and time.monotonic() - self._drawn_at >= _DRAWN_EVERY_SECONDS:
            self._drawn_at = time.monotonic()
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def warnings_of(profiled: dict[str, Any]) -> list[str]:
    """Return what is worth knowing beside faults, a sentence each; none of it changes the exit code."""
    said = [f"Trainer: {one['message']}" for one in profiled.get("trainer", ()) if one["level"] != "note"]
    if leaked := profiled.get("leakage"):
        said += _leaked(leaked)
    duplicates = profiled.get("duplicates") or {}
    for key, one, many in (
        ("exact_rows", "repeats another row exactly", "repeat another row exactly"),
        ("near_rows", "is an exact or near copy of another row", "are exact or near copies of other rows"),
        ("conflicting_rows", "has the input of another row and a different answer",
         "have the same input as another row and a different answer"),
    ):  # fmt: skip
        if count := duplicates.get(key):
            said.append(f"{_rows(count)} {one if count == 1 else many}.")
    findings = profiled.get("quality", {}).get("findings", ())
    return [*said, *(f"{_rows(one['rows'])}: {one['message']}" for one in findings)]


def print_inspection(found: Scan, profiled: dict[str, Any], *, evaluation: bool = False) -> None:
    """Print what an inspection found, for people; a file for evaluation alone may have fields of its own."""
    from core.data.inspect.headline import headline

    line = headline(found, evaluation=evaluation)
    if tokens := profiled.get("lengths"):
        cut = tokens["cut"]
        line += f", {100 * (cut['share'] or 0):.1f} % cut off at {cut['max_length']:,} tokens"
    if leaked := profiled.get("leakage"):
        line += f", {sum(leaked['counts'].values()):,} leaked"
    click.echo(f"{line}.")
    guess = found.format
    click.echo(_masked(f"Format: {guess.name}, confidence {guess.confidence:.2f}. {guess.why}"))
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
            click.echo(_masked(f"  {fault.line}: {fault.message}{mended}"))
    if found.faults_file:
        click.echo(f"\nAll faults, one JSON object a line: {found.faults_file}")
    for number, warning in enumerate(warnings_of(profiled)[:_WARNINGS_SHOWN]):
        before = "" if number else "\nWarnings, which are no faults:\n"
        click.echo(f"{before}  {_masked(warning)}")


def print_copies(mended: RepairReport | None, turned: ConvertReport | None) -> None:
    """Say which copies were written: to standard error, so that standard output stays for results."""
    if mended:
        done = ", ".join(f"{code} {count:,}" for code, count in mended.counts.items()) or "nothing to repair"
        left = ", ".join(f"{code} {count:,}" for code, count in mended.left.items()) or "nothing"
        click.echo(f"Wrote {mended.out} ({_rows(mended.rows)}). Repaired: {done}. Left as it was: {left}.", err=True)
    if turned:
        click.echo(f"Wrote {turned.out} ({_rows(turned.rows)}): {turned.from_format} as {turned.to_format}.", err=True)


def _leaked(leakage: dict[str, Any]) -> list[str]:
    counts = {kind: count for kind, count in leakage["counts"].items() if count}
    if not counts:
        return []
    kinds = ", ".join(f"{count:,} {_KINDS[kind]}" for kind, count in counts.items())
    ids = leakage["leave_out"]
    more = f" and {leakage['n_leave_out'] - _IDS_SHOWN:,} more" if leakage["n_leave_out"] > _IDS_SHOWN else ""
    share = f"{sum(counts.values()):,} of {leakage['evaluation_rows']:,} rows"
    return [f"Leakage: {share} stand in the training file ({kinds}). Leave out: {', '.join(ids[:_IDS_SHOWN])}{more}."]


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _masked(text: str) -> str:
    from core.data.profile.patterns import without_secrets

    return without_secrets(text)
