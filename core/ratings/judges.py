"""Model judges: raters that are no people. Their names begin with ``judge:``, which nobody can join a study by."""

from __future__ import annotations

PREFIX = "judge:"


def is_judge(name: str) -> bool:
    """Tell whether a rater's name is that of a model judge."""
    return name.casefold().startswith(PREFIX)


def judge_name(name: str) -> str:
    """Return the rater's name of a model judge."""
    return name if is_judge(name) else f"{PREFIX}{name}"


def shown_name(name: str) -> str:
    """Return a judge's name without the prefix."""
    return name[len(PREFIX) :] if is_judge(name) else name
