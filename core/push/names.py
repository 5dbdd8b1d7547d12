"""Names of metrics as every target takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FOREIGN = re.compile(r"[^\w.\- :/]")
_LONGEST = 200
"""Characters; MLflow takes 250, of which the ends (``.difference_high``) need some."""


def unique_names(keys: Sequence[str]) -> list[str]:
    """Return a name for each key of a metric: ``category/f1_per_class[returns]`` becomes ``category/f1_per_class/returns``.

    Letters of any script, digits, and ``_ - . : /`` and the space stay, which MLflow, the strictest target, takes; all else becomes
    an underscore. Keys that would have one name are numbered.
    """
    found: list[str] = []
    taken: set[str] = set()
    for key in keys:
        name = plain = _name(key)
        number = 2
        while name.lower() in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name.lower())
        found.append(name)
    return found


def _name(key: str) -> str:
    task, _, metric = key.partition("/")
    metric, _, inner = metric.removesuffix("]").partition("[")
    return "/".join(_plain(part) for part in (task, metric, inner) if part)


def _plain(part: str) -> str:
    # A part of dots alone would be read as a folder above.
    text = _FOREIGN.sub("_", part.replace("/", "_"))[: _LONGEST // 3].strip()
    return text if text.strip(".") else f"_{len(text)}"
