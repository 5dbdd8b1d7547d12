"""How a long look at a file says how far it is, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int], bool | None]
"""Called with the step's name and the rows done; returning False stops the work."""


class Cancelled(Exception):
    """The caller's progress function asked to stop; nothing was kept of the step that was running."""


def report(progress: Progress | None, step: str, rows: int) -> None:
    """Tell the caller how far a step is.

    Raises:
        Cancelled: the caller asks to stop.
    """
    if progress is not None and progress(step, rows) is False:
        raise Cancelled(f"stopped at {step}, after {rows} rows")
