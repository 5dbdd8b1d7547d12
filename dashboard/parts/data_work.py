"""Work that takes its time: done once for all sessions, with progress and a way to stop it."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from core.errors import InputError
from core.notation import duration_text
from dashboard import cache

Result = TypeVar("Result")
_SILENT_SECONDS = 0.4
"""Work that takes no longer shows no progress: it would only flicker."""
_STEP_SECONDS = 0.2


class Reporter:
    """Draws how far some work is, at most five times a second. Drawing is also what lets a click interrupt the work."""

    def __init__(self, what: str, on_stop: Callable[[], None]) -> None:
        """Reserve the place; ``what`` names the work in a sentence's beginning, such as ``Counting tokens``."""
        self._box = st.empty()
        self._what, self._on_stop = what, on_stop
        self._start = self._last = time.monotonic()
        self._bar: Any = None
        self._words: Any = None

    def share(self, share: float, words: str = "") -> bool:
        """Say which share is done, 0 to 1; 0 where it is not known; ``words`` come before the time left."""
        left = ""
        elapsed = time.monotonic() - self._start
        if 0.02 < share < 1:
            left = f"about {duration_text(max(elapsed * (1 - share) / share, 1.0))} left"
        return self._draw(share, ", ".join(filter(None, (words, left))))

    def rows(self, total: int) -> Callable[[str, int], bool]:
        """Return what is told the rows done of ``total``."""

        def told(step: str, done: int) -> bool:
            elapsed = max(time.monotonic() - self._start, 1e-3)
            facts = [step, f"{done:,} of {total:,} rows"]
            if 0 < done < total:
                facts += [
                    f"{done / elapsed:,.0f} rows/s",
                    f"about {duration_text((total - done) * elapsed / done)} left",
                ]
            return self._draw(done / total if total else 0.0, ", ".join(facts))

        return told

    def wait(self, words: str) -> None:
        """Say what is waited for."""
        self._draw(0.0, words)

    def close(self) -> None:
        """Take the progress away."""
        self._box.empty()

    def _draw(self, share: float, words: str) -> bool:
        now = time.monotonic()
        if now - self._start < _SILENT_SECONDS or now - self._last < _STEP_SECONDS:
            return True
        self._last = now
        if self._bar is None:
            with self._box.container(border=True, key=f"working-{self._what.replace(' ', '-').lower()}"):
                self._words = st.empty()
                self._bar = st.progress(0.0)
                st.button("Stop", key=f"stop-{self._what}", on_click=self._on_stop)
        self._bar.progress(min(max(share, 0.0), 1.0))
        self._words.html(f'<p class="ls-foot"><b>{html.escape(self._what)}</b>: {html.escape(words)}</p>')
        return True


def worked(
    key: tuple[Hashable, ...], what: str, make: Callable[[Reporter], Result], kept: str = "nothing of it is kept"
) -> Result | None:
    """Return the result of some work: what is kept of it, or what is made now. None, and a word about it, if it was stopped.

    Args:
        key: everything that the result depends on.
        what: the work in a sentence's beginning; unique on the page.
        make: does it, and draws its progress; a click anywhere on the page interrupts it.
        kept: what is kept of it when it is stopped, as the end of a sentence.

    Raises:
        InputError: the work refused its input; it is not tried again with the same key.
    """
    slot = cache.slot(key)
    if not slot.made and slot.refusal is None:
        stopped = f"stopped-{what}"
        if st.session_state.get(stopped) == key:
            st.html(f'<p class="ls-foot">{html.escape(f"{what} was stopped; {kept}.")}</p>')
            st.button("Go on", key=f"go-on-{what}", on_click=st.session_state.pop, args=(stopped,))
            return None
        reporter = Reporter(what, lambda: st.session_state.update({stopped: key}))
        while not slot.lock.acquire(timeout=0.3):
            reporter.wait("another tab is at it already; its result will be shown here")
        try:
            if not slot.made and slot.refusal is None:
                slot.value, slot.made = make(reporter), True
        except InputError as refusal:
            slot.refusal = refusal
        finally:
            slot.lock.release()
        reporter.close()
    if slot.refusal is not None:
        raise slot.refusal
    return slot.value


def is_kept(key: tuple[Hashable, ...]) -> bool:
    """Tell whether the result of some work is there already."""
    return cache.slot(key).made
