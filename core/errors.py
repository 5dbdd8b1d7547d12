"""What can go wrong through no fault of the code, each said in a sentence a user can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What the user gave is wrong: the message says what was found, what was expected, where, and what to do.

    The command line prints the message alone and exits with 2; a page shows it as it is.
    """


class RunError(RuntimeError):
    """The work itself failed (a full disk, a model that gives NaN): the message says what is kept and what to do."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name nearest to a misspelt one, or nothing."""
    match = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f" (did you mean {match[0]!r}?)" if match else ""
