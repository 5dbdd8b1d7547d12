"""``lorascope``: finds the command, runs it, and turns what went wrong into a sentence and an exit code.

0: done. 1: the work failed. 2: the input is wrong. A command may have more: those of `compare` are in its help.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

from core.errors import InputError, RunError

COMMANDS = (
    "init",
    "demo",
    "inspect",
    "adapter",
    "evaluate",
    "ablate",
    "runs",
    "compare",
    "ablations",
    "report",
    "push",
    "feedback",
    "cross",
    "score",
    "metrics",
    "ratings",
    "cache",
    "trust",
    "dashboard",
)
"""In the order in which a newcomer needs them; each is ``core.cli.NAME.command``, imported when it is asked for."""
DONE, FAILED, WRONG_INPUT = 0, 1, 2


class _Commands(click.Group):
    """Imports a command's module only when the command, or the list of all, is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return import_module(f"core.cli.{cmd_name}").command if cmd_name in COMMANDS else None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\nExample:\n  lorascope demo\n  lorascope COMMAND --help\n")


def _version() -> str:
    try:
        return version("lorascope")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "not installed"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(_version(), prog_name="lorascope")
def cli() -> None:
    """See what LoRA fine-tuning did to a language model, with the examples behind every number."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; messages have been printed."""
    try:
        code = cli.main(
            args=None if arguments is None else list(arguments), prog_name="lorascope", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("Stopped.", FAILED)
    except InputError as error:
        return _fail(str(error), WRONG_INPUT)
    except RunError as error:
        return _fail(str(error), FAILED)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        return _fail(f"{named}{error.strerror or error}. What was finished before is kept.", FAILED)
    except Exception as error:  # the last resort: a sentence for the user, the traceback for who asks for it
        told = str(error).strip().partition("\n")[0]
        hint = "Set LORASCOPE_DEBUG=1 to see where it happened."
        return _fail(f"This failed: {type(error).__name__}{': ' if told else ''}{told}. {hint}", FAILED)
    return code if isinstance(code, int) else DONE


def _fail(sentence: str, code: int) -> int:
    if os.environ.get("LORASCOPE_DEBUG") == "1":
        traceback.print_exc()
    print(sentence, file=sys.stderr)
    return code


def main() -> None:
    """Entry point of the ``lorascope`` program."""
    sys.exit(run())


if __name__ == "__main__":
    main()
