"""The ``{field}`` places of a prompt."""

from __future__ import annotations

import re

FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A place that a row's field is put into; the first group is the field's name."""


def named_fields(template: str | None) -> tuple[str, ...]:
    """Return the fields that a prompt names, each once, in the order of first appearance; none without a prompt."""
    return tuple(dict.fromkeys(FIELD.findall(template or "")))
