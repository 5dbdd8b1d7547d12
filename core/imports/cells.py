"""Reads single values of a row of predictions: a label, a number, a list, a map. What is of the wrong type is refused with its
place; a number that is not finite is told apart, since it costs one example and no more.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from core.errors import InputError

_WHOLE = re.compile(r"-?\d+\.0")


def as_text(value: Any) -> str:
    """Return a scalar as a person writes it: ``3`` for 3.0, ``true`` for True."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def shown(value: Any) -> str:
    """Return a value for a message, cut at 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def is_empty(value: Any) -> bool:
    """Tell whether a cell says nothing: null, or a text of spaces."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_text(where: str, name: str, value: Any) -> str | None:
    """Return a text; a number or truth value as one writes it; None for null.

    Raises:
        InputError: it is a list or a map.
    """
    if isinstance(value, dict | list):
        raise InputError(f"{where}: {name!r} is {shown(value)}, expected a text.")
    return None if value is None else as_text(value)


def read_label(where: str, name: str, value: Any, *, of_csv: bool = False) -> tuple[str | None, str | None]:
    """Return a label, or None with the reason.

    In CSV 1.0 is the label 1: whole numbers become such where another cell of their column is empty.

    Raises:
        InputError: it is a list or a map.
    """
    if isinstance(value, dict | list):
        raise InputError(f"{where}: {name!r} is {shown(value)}, expected a label: a text or a number.")
    if is_empty(value):
        return None, f"the {name} is empty"
    if isinstance(value, float) and not math.isfinite(value):
        return None, f"the {name} is {value}"
    label = as_text(value)
    return label.removesuffix(".0") if of_csv and _WHOLE.fullmatch(label) else label, None


def to_number(value: Any) -> float | None:
    """Return a number or a text that is one as float, NaN and infinity included; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def read_number(where: str, name: str, value: Any) -> tuple[float | None, str | None]:
    """Return a finite number, or None with the reason.

    Raises:
        InputError: it is neither a number nor a text that is one.
    """
    if is_empty(value):
        return None, f"the {name} is empty"
    number = to_number(value)
    if number is None:
        raise InputError(f"{where}: {name!r} is {shown(value)}, expected a number.")
    return (number, None) if math.isfinite(number) else (None, f"the {name} is {number}")


def read_list(where: str, name: str, value: Any, example: str) -> list[Any] | None:
    """Return a list, also one that stands in a text as JSON; None for null or an empty cell.

    Raises:
        InputError: it is no list; the message shows the form by ``example``.
    """
    found = _structure(where, name, value, example)
    if found is not None and not isinstance(found, list):
        raise _wrong(where, name, value, example)
    return found


def read_map(where: str, name: str, value: Any, example: str) -> dict[str, Any] | None:
    """Return a map without its nulls, also one that stands in a text as JSON, or a list of pairs (Parquet's map type).

    Raises:
        InputError: it is no map; the message shows the form by ``example``.
    """
    found = _structure(where, name, value, example)
    if isinstance(found, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in found):
        found = {as_text(key): inner for key, inner in found}
    if found is None:
        return None
    if not isinstance(found, dict):
        raise _wrong(where, name, value, example)
    return {key: inner for key, inner in found.items() if inner is not None}


def numbers_of(where: str, name: str, found: dict[str, Any]) -> dict[str, float]:
    """Return a map's values as numbers, NaN and infinity included.

    Raises:
        InputError: a value is no number.
    """
    numbers = {key: to_number(value) for key, value in found.items()}
    for key, number in numbers.items():
        if number is None:
            raise InputError(f"{where}: {name!r} has {shown(found[key])} for {key!r}, expected a number.")
    return {key: number for key, number in numbers.items() if number is not None}


def storable(number: float) -> float | str:
    """Return a number as it is, NaN and infinity as text: JSON cannot hold them, and metrics say what is wrong with them."""
    return number if math.isfinite(number) else str(number)


def without_nonfinite(value: Any) -> Any:
    """Return a value in which NaN and infinity are null, so that it can be stored as JSON."""
    if isinstance(value, dict):
        return {key: without_nonfinite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_nonfinite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _structure(where: str, name: str, value: Any, example: str) -> Any:
    if is_empty(value):
        return None
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise _wrong(where, name, value, example) from None


def _wrong(where: str, name: str, value: Any, example: str) -> InputError:
    return InputError(f"{where}: {name!r} is {shown(value)}; write it as JSON: {example}.")
