"""The variants of a run that a server answers for: their computer, and what is noted of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from core.errors import InputError
from core.jobs.computing import Computed, Computer
from core.model_set import ModelSet
from core.plan import Part
from core.records import Evidence
from core.served.client import Client, Refused
from core.served.describe import describe_served
from core.served.plan import REQUESTS_A_PART
from core.served.variant import ServedVariant
from core.spec import Settings
from core.store import evidence_table


def open_client(models: ModelSet, variant: str) -> Client:
    """Return a client for a variant's server, with the key that the environment holds.

    Raises:
        InputError: the environment holds no such key.
    """
    name = models.served[variant].server
    server = models.servers[name]
    key = os.environ.get(server.key, "").strip() if server.key else None
    if key == "":
        raise InputError(
            f"models.servers.{name}.key: the environment variable {server.key} is not set. Set it where lorascope is started; the key "
            "itself belongs in no file."
        )
    return Client(name, server, key)


def described(models: ModelSet) -> dict[str, Any]:
    """Return what environment.json says of served variants: by variant what its server says.

    Raises:
        InputError: a server does not answer, or its key is not set.
        RunError: it refuses the key or sends elsewhere.
    """

    async def ask() -> dict[str, Any]:
        found = {}
        for variant, ref in models.served.items():
            async with open_client(models, variant) as client:
                try:
                    found[variant] = await describe_served(client, ref)
                except Refused as error:
                    raise InputError(
                        f"models.servers.{ref.server}: {error}. Correct `url`, or start the server with what it needs; {variant!r} "
                        "answers from there."
                    ) from None
        return found

    return {"served": anyio.run(ask)}


class ServedComputer:
    """Asks servers, one variant after the other, several parts at a time.

    The exchange runs in a thread of its own: a signal that stops the worker reaches the main thread, and always ends it.
    """

    def __init__(
        self, models: ModelSet, settings: Settings, say: Callable[..., None], warn: Callable[[str], None]
    ) -> None:
        """Take the run's models and settings, what says where it is, and what tells a warning."""
        self._models, self._settings, self._say, self._warn = models, settings, say, warn

    def compute(self, work: Mapping[str, Sequence[Part]]) -> Iterator[Computed]:
        """Yield the evidence of each variant's parts, in their order.

        Raises:
            InputError: a server's key is not set.
            RunError: a server cannot be asked, or another model answers; whole parts that were answered are yielded first.
        """
        with start_blocking_portal() as portal:
            for variant, parts in work.items():
                client = open_client(self._models, variant)
                with portal.wrap_async_context_manager(client):
                    served = ServedVariant(client, variant, self._models.served[variant], self._settings)
                    yield from self._variant(portal, served, parts)
                if repeated := client.repeated:
                    reasons = ", ".join(f"{reason} ({count})" for reason, count in repeated.most_common(3))
                    self._warn(
                        f"{variant}: server {client.name!r} was asked again {repeated.total()} times: {reasons}."
                    )

    def _variant(self, portal: BlockingPortal, served: ServedVariant, parts: Sequence[Part]) -> Iterator[Computed]:
        ahead = 1 + -(-served.client.server.concurrency // REQUESTS_A_PART)
        waiting: deque[tuple[Part, Future[list[Evidence]]]] = deque()
        for part in parts:
            waiting.append((part, portal.start_task_soon(served.observe, part)))
            if len(waiting) > ahead:
                yield from self._next(served, waiting)
        while waiting:
            yield from self._next(served, waiting)

    def _next(self, served: ServedVariant, waiting: deque[tuple[Part, Future[list[Evidence]]]]) -> Iterator[Computed]:
        part, future = waiting.popleft()
        self._say(variant=served.name, state="running", message=f"{served.name}: part {part.index + 1}, from a server")
        try:
            evidence = future.result()
        except Exception:
            for later, done in waiting:
                if done.done() and not done.cancelled() and done.exception() is None:
                    yield _computed(served.name, later, done.result())
            raise
        while served.warnings:
            self._warn(served.warnings.pop(0))
        yield _computed(served.name, part, evidence)


class DividedComputer:
    """Sends each variant to whoever answers for it."""

    def __init__(self, local: Callable[[], Computer], served: Computer, models: ModelSet) -> None:
        """Take what makes the computer of what is here, once it is needed, and who asks servers."""
        self._local, self._served, self._models = local, served, models

    def compute(self, work: Mapping[str, Sequence[Part]]) -> Iterator[Computed]:
        """Yield the evidence of each variant's parts, as the two do; what is here comes first."""
        here = {name: parts for name, parts in work.items() if name not in self._models.served}
        there = {name: parts for name, parts in work.items() if name in self._models.served}
        if here:
            yield from self._local().compute(here)
        if there:
            yield from self._served.compute(there)


def _computed(variant: str, part: Part, evidence: list[Evidence]) -> Computed:
    return Computed(variant, part, evidence_table(evidence), lasting=all(one.reason is None for one in evidence))
