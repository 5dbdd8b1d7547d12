"""The gate of ``lorascope compare``: its options, what it prints, and its outcomes as JUnit XML or GitHub annotations."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from core.cli.options import say
from core.errors import InputError, nearest
from core.gate import Condition, Outcome, check, parse_condition
from core.results import Comparison
from core.store import Run, write_atomically

REFUSED = 3
"""The exit code where a condition is fulfilled."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


def gate_options(function: _Command) -> _Command:
    """Add ``--variant``, ``--fail-if``, ``--junit`` and ``--annotations``."""
    options = (
        click.option("--variant", "judged", multiple=True, metavar="VARIANT",
                     help="Whom --fail-if is about; give it once for each (default: all but the reference)."),
        click.option("--fail-if", "fail_if", multiple=True, metavar="CONDITION",
                     help='Exit with 3 where it holds: "rouge_l < baseline", "accuracy drops more than 0.01", "bleu worsens" (by its '
                     'adjusted p), "any worsens". Give it once for each.'),
        click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                     help="Write what became of each condition as JUnit XML."),
        click.option("--annotations", type=click.Choice(["github"]), help="Print what became of each condition for GitHub's checks."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def read_conditions(fail_if: Sequence[str], junit: Path | None, annotations: str | None) -> list[Condition]:
    """Return the conditions, before anything is computed.

    Raises:
        InputError: one is malformed, or an output was asked for without any.
    """
    if not fail_if and (junit or annotations):
        named = "--junit" if junit else "--annotations"
        raise InputError(
            f'{named} says what became of conditions, and there is none; expected --fail-if, such as --fail-if "any worsens".'
        )
    if junit is not None and not junit.absolute().parent.is_dir():
        raise InputError(f"{junit}: there is no folder {junit.absolute().parent}. Make it first, or name another file.")
    return [parse_condition(text) for text in fail_if]


def outcomes_of(
    run: Run, comparison: Comparison, conditions: Sequence[Condition], judged: Sequence[str]
) -> list[Outcome]:
    """Return what became of the conditions.

    Raises:
        InputError: a variant is not there, is the reference, or there is none but the reference; or as `core.gate.check`.
    """
    others = [name for name in comparison.variants if name != comparison.reference]
    for name in judged:
        if name == comparison.reference:
            raise InputError(f"--variant {name}: that is the reference; expected one of {', '.join(others)}.")
        if name not in others:
            raise InputError(
                f"{run.folder}: the run has no variant {name!r}{nearest(name, others)}; it has {', '.join(others)}."
            )
    if conditions and not others:
        raise InputError(f"{run.folder}: only {comparison.reference} was run, so that --fail-if has nothing to judge.")
    return check(comparison, conditions, tuple(judged) or others)


def report_outcomes(run: Run, outcomes: Sequence[Outcome], junit: Path | None, annotations: str | None) -> int:
    """Write and print what became of the conditions; return the exit code."""
    if junit is not None:
        write_atomically(junit, junit_xml(run.id, outcomes))
    failed = [outcome for outcome in outcomes if outcome.failed]
    if annotations is not None:
        for outcome in outcomes:
            click.echo(annotation(outcome))
    for outcome in failed:
        say(f"Failed: {outcome.variant}, {outcome.condition}. {outcome.reason}")
    if outcomes and not failed:
        say(f"Passed: none of {len(outcomes)} conditions holds.")
    return REFUSED if failed else 0


def junit_xml(run_id: str, outcomes: Sequence[Outcome]) -> bytes:
    """Return outcomes as JUnit XML: a suite for the run, a case for each condition, metric and variant."""
    failures = str(sum(outcome.failed for outcome in outcomes))
    root = ElementTree.Element("testsuites", tests=str(len(outcomes)), failures=failures)
    suite = ElementTree.SubElement(
        root, "testsuite", name=f"lorascope {run_id}", tests=str(len(outcomes)), failures=failures, errors="0"
    )
    for outcome in outcomes:
        name = f"{outcome.condition} [{outcome.metric}]"
        case = ElementTree.SubElement(suite, "testcase", classname=_printable(outcome.variant), name=_printable(name))
        if outcome.failed:
            ElementTree.SubElement(case, "failure", message=_printable(outcome.reason)).text = _printable(
                outcome.reason
            )
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def annotation(outcome: Outcome) -> str:
    """Return one outcome as a GitHub workflow command (docs.github.com, "Workflow commands", its escapes)."""
    kind = "error" if outcome.failed else "notice"
    title = _escaped(f"lorascope: {outcome.variant}, {outcome.condition}").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={title}::{_escaped(outcome.reason)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _printable(text: str) -> str:
    """Return a text without the control characters that XML 1.0 does not have."""
    return "".join(character if character.isprintable() else " " for character in text)
