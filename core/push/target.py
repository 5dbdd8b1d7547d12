"""What every target answers, and the sentence for a library that is not installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from core.errors import InputError

Change = Literal["new", "replaced", "unchanged", "kept"]
"""``unchanged``: the same is there already. ``kept``: something else is there under this key, and was left as it is."""


@dataclass(frozen=True)
class Pushed:
    """What became of one variant."""

    variant: str
    change: Change
    where: str
    """The folder, or the id of the target's run."""


def need(module: str, extra: str, label: str) -> None:
    """Raise InputError where a target's library is not installed."""
    if find_spec(module) is None:
        raise InputError(
            f"{label} needs the package {module}, which is not installed here. Install it with: pip install 'lorascope[{extra}]'"
        )


def utf8(text: str) -> str:
    """Return a text that can be stored as UTF-8: a lone surrogate becomes a question mark, and NUL goes."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
