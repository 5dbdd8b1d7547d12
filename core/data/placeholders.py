"""The ``{field}`` places of a prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from core.errors import InputError

FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A place that a row's field is put into; the first group is the field's name."""


def named_fields(template: str | None) -> tuple[str, ...]:
    """Return the fields that a prompt names, each once, in the order of first appearance; none without a prompt."""
    return tuple(dict.fromkeys(FIELD.findall(template or "")))


def fill(template: str, fields: Mapping[str, Any], where: str) -> str:
    """Put a row's fields into ``{field}`` places of a prompt; other braces stay as they are.

    Raises:
        InputError: the row lacks a field that the prompt names; ``where`` says which task and example.
    """

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in fields:
            raise InputError(
                f"{where}: the prompt names the field {name!r}; the row has {', '.join(map(repr, fields))}."
            )
        value = fields[name]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return FIELD.sub(put, template)
