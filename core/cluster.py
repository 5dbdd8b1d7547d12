"""Which Ray cluster computes a run, and with how many workers. Says it alone: nothing here imports Ray."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from core.errors import InputError

LOCAL, AUTO = "local", "auto"
SILENT_MINUTES = 10
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class ClusterChoice:
    """A cluster and how many workers of it; one worker holds the models once and computes on one device."""

    address: str
    """``local``: a cluster on this machine for this run alone; ``auto``: the one that this machine belongs to; else HOST:PORT."""
    workers: int | None = None
    """None is one a GPU, and without a GPU one a machine."""
    silent_minutes: int = SILENT_MINUTES
    """A worker that answers nothing for so long, and for longer than the pace so far explains, is replaced."""

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            InputError: the address has another form, or there are no workers.
        """
        if self.address not in (LOCAL, AUTO) and _HOST_AND_PORT.fullmatch(self.address) is None:
            hint = " Start the run on a machine of the cluster." if "://" in self.address else ""
            raise InputError(f"--ray: found {self.address!r}; expected local, auto or HOST:PORT.{hint}")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers: found {self.workers}; expected 1 or more.")
        if self.silent_minutes < 1:
            raise InputError(f"--silent-minutes: found {self.silent_minutes}; expected 1 or more.")

    @property
    def host_and_port(self) -> tuple[str, int] | None:
        """The two of an address; None where it names none."""
        found = _HOST_AND_PORT.fullmatch(self.address)
        return None if found is None else (found["host"].strip("[]"), int(found["port"]))

    def arguments(self) -> list[str]:
        """Return the choice as words of a command line."""
        workers = [] if self.workers is None else [f"--workers={self.workers}"]
        silent = [] if self.silent_minutes == SILENT_MINUTES else [f"--silent-minutes={self.silent_minutes}"]
        return [f"--ray={self.address}", *workers, *silent]


def cluster_of(arguments: Sequence[str]) -> ClusterChoice | None:
    """Return the choice that `ClusterChoice.arguments` said; None where nothing is said."""
    said = dict(word.removeprefix("--").split("=", 1) for word in arguments)
    workers, silent = (int(said[key]) if key in said else None for key in ("workers", "silent-minutes"))
    return chosen_cluster(said.get("ray"), workers, silent)


def chosen_cluster(address: str | None, workers: int | None, silent_minutes: int | None = None) -> ClusterChoice | None:
    """Return the cluster that a user asked for, if any.

    Raises:
        InputError: the address has another form, what is said of workers is said without a cluster, or Ray is not installed.
    """
    if address is None:
        if workers is not None:
            raise InputError("--workers: found without --ray; it says how many workers of a Ray cluster are used.")
        if silent_minutes is not None:
            raise InputError("--silent-minutes: found without --ray; it is about workers of a Ray cluster.")
        return None
    choice = ClusterChoice(address, workers, SILENT_MINUTES if silent_minutes is None else silent_minutes)
    if find_spec("ray") is None:
        raise InputError("--ray: Ray is not installed here. Install it with: pip install 'lorascope[ray]'")
    return choice
