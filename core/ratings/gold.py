"""Reads gold items, whose right answer is known, from lines of JSON."""

from __future__ import annotations

import json

from pydantic import ValidationError

from core.errors import InputError
from core.ratings.records import GoldItem


def parse_gold(text: str, where: str) -> tuple[GoldItem, ...]:
    """Return the gold items of a text: one JSON object a line, with prompt and outputs (best first), of scores also accept.

    Args:
        text: the lines; empty ones are passed over.
        where: what an error calls it.

    Raises:
        InputError: a line is none of these; the line is named.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found += [GoldItem.model_validate(json.loads(line))] if line.strip() else []
        except (ValidationError, ValueError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
            key = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"{where}, line {number}: {key + ': ' if key else ''}{first['msg']}. "
                "Expected a JSON object with prompt and outputs, best first."
            ) from None
    return tuple(found)
