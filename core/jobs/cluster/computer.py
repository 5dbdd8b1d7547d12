"""A run's parts computed by workers of a Ray cluster: one worker a device, planned parts handed out one after the other.

Whatever order the parts come back in, each is computed as it would be without Ray: its batches are planned, and the run's number
of threads is every worker's. A worker that dies is replaced, and what it held is handed out again.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from core.cluster import LOCAL, ClusterChoice
from core.data.prompt import PromptRenderer
from core.errors import InputError, RunError
from core.jobs.cluster.connection import Connection, connected
from core.jobs.cluster.crew import DEATHS, Crew, Worker, nodes
from core.jobs.cluster.patience import Patience
from core.jobs.cluster.queue import Share, WorkQueue
from core.jobs.cluster.remote import Answer
from core.jobs.computing import Computed
from core.jobs.device_choice import device_and_dtype
from core.jobs.loading import Loading
from core.plan import Part
from core.records import Evidence
from core.spec import Settings
from core.store import evidence_table

IN_FLIGHT = 2
"""Parts that a worker holds: it computes one while the other is on its way."""


class RayCluster:
    """A `core.jobs.computing.Computer`, and whoever else asks the loaded models. Ray is started when it is needed first."""

    def __init__(self, choice: ClusterChoice, say: Callable[..., None], warn: Callable[[str], None]) -> None:
        """Take which cluster, what says where the run is, and what says what is amiss."""
        self.choice, self._say, self._warn = choice, say, warn
        self._open = ExitStack()
        self._connection: Connection | None = None
        self._crew: Crew | None = None
        self._first: Part | None = None
        self._said: set[str] = set()
        self._deaths: Counter[Share] = Counter()
        self._computed = 0
        self._patience = Patience(choice.silent_minutes * 60.0)

    def __enter__(self) -> RayCluster:
        """Nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the workers, and the cluster if it was started here."""
        if self._crew is not None:
            self._crew.stop()
        self._open.close()

    def device_and_dtype(self, settings: Settings) -> tuple[str, str]:
        """Return the device and the precision that settings mean on the cluster.

        Raises:
            InputError: the device is not there.
        """
        if self.choice.address == LOCAL:  # a worker sees one GPU alone, whose number there is 0
            kind = settings.device.partition(":")[0]
            return device_and_dtype(settings.model_copy(update={"device": kind}))
        connection = self._connected()
        ray = connection.ray
        kind = settings.device.partition(":")[0]
        on_gpu = kind != "cpu" and ray.cluster_resources().get("GPU", 0) >= 1
        if kind not in ("auto", "cpu") and not on_gpu:
            raise InputError(
                f"settings.device: found {settings.device!r}; the cluster has no GPU. Use 'auto' or 'cpu'."
            )
        ask = ray.remote(device_and_dtype).options(num_cpus=1, num_gpus=int(on_gpu))
        asked = settings.model_copy(update={"device": kind if on_gpu else "cpu"})
        return connection.fetch(ask.remote(asked))

    def threads(self) -> int:
        """Return how many threads of the processor each worker may have."""
        if self.choice.address == LOCAL:
            return max(1, _processors() // (self.choice.workers or 1))
        there = nodes(self._connected().ray)
        return max(1, min(min(there), sum(there) // (self.choice.workers or len(there))))

    def load(self, loading: Loading, renderer: PromptRenderer, hashes: Mapping[str, str]) -> None:
        """Start the workers and wait until the first of them has loaded the models; further calls do nothing.

        Args:
            loading: The models.
            renderer: Of the plan.
            hashes: Of the tensors of base, adapters and checkpoints, by variant.

        Raises:
            InputError: there is no such cluster, it has no room, or a model cannot be loaded on it.
            RunError: the workers die over it.
        """
        if self._crew is not None:
            return
        self._say(
            state="loading",
            message="Starting the workers of the Ray cluster, which load the base model and its adapters",
        )
        self._crew = Crew(
            self._connected(), self.choice, loading, renderer, hashes, self._warn_once, self._patience.seconds
        )
        self._crew.first()

    def preflight(self, name: str, prompts: Sequence[tuple[int, ...]], base: Path) -> dict[str, Any]:
        """Return an adapter's entry of preflight.json, as one of the workers finds it."""
        return self._ask("preflight", name, prompts, base)

    def probe(
        self,
        variants: Sequence[str],
        prompts: Sequence[tuple[int, ...]],
        tokens: int,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """Return the content of probe.json, as one worker measures it while the others wait."""
        progress(0, 1)
        return self._ask("probe", variants, prompts, tokens)

    def compute(self, work: Mapping[str, Sequence[Part]]) -> Iterator[Computed]:
        """Yield the evidence of each variant's parts, in the order in which they come back.

        Raises:
            InputError, OSError: as a worker raised it.
            RunError: a worker failed, or one after the other dies.
        """
        crew = self._at_work()
        queue = WorkQueue(work)
        if self._first is None:
            self._first = next((p for parts in work.values() for p in parts if p.batches[0].kind == "score"), None)
        while len(queue) or any(worker.held for worker in crew.workers.values()):
            for worker in crew.ready:
                self._hand_out(worker, queue)
            by_reference = {reference: worker for worker in crew.workers.values() for reference in worker.held}
            arriving = {w.loading: w for w in crew.workers.values() if w.loading is not None}
            waited = crew.connection.wait([*by_reference, *arriving])
            for reference in waited:
                if reference in arriving:
                    crew.welcome(arriving[reference])
                else:
                    yield from self._came_back(by_reference[reference], reference, queue)
            for worker in crew.ready:
                yield from self._replaced_if_it_hangs(worker, queue)
            crew.replace_those_that_hang()

    def _hand_out(self, worker: Worker, queue: WorkQueue) -> None:
        if self._first is not None and not worker.decided:
            worker.actor.decide_trees.remote(self._first)  # answered in order: before any part
            worker.decided = True
        if not worker.held:
            worker.since = time.monotonic()
        while len(worker.held) < IN_FLIGHT and (share := queue.take(worker.number)):
            worker.held[worker.actor.compute.remote(share.variant, share.part)] = share

    def _came_back(self, worker: Worker, reference: Any, queue: WorkQueue) -> Iterator[Computed]:
        """Yield what one reference brought; if its worker died, what else it had finished, and hand out the rest again."""
        crew = self._at_work()
        if reference not in worker.held:
            return  # its worker died, which another reference said
        try:
            answer = crew.connection.fetch(reference)
        except crew.ray.exceptions.RayError as error:
            yield from self._lost(worker, queue, str(error).strip().partition("\n")[0][:200])
            return
        yield self._computed_of(worker.held.pop(reference), answer, worker)

    def _computed_of(self, share: Share, answer: Answer, worker: Worker) -> Computed:
        self._computed += 1
        now = time.monotonic()
        self._patience.learn(share.part, now - worker.since)
        worker.since = now
        for sentence in answer.warnings:
            self._warn_once(sentence)
        busy = len(self._at_work().ready)
        self._say(
            variant=share.variant, state="running",
            message=f"{share.variant}: part {share.part.index + 1}, by worker {worker.number + 1} of {busy}",
        )  # fmt: skip
        return Computed(share.variant, share.part, answer.table, answer.lasting)

    def _lost(self, worker: Worker, queue: WorkQueue, reason: str) -> Iterator[Computed]:
        crew = self._at_work()
        lost: list[Share] = []
        for reference, share in worker.held.items():
            try:  # what was on its way when it died has arrived
                answer = crew.connection.fetch(reference)
            except crew.ray.exceptions.RayError:
                lost.append(share)
            else:
                yield self._computed_of(share, answer, worker)
        self._warn(f"Worker {worker.number + 1} of the cluster died ({reason}); what it was at is done again.")
        yield from self._hand_back(worker, lost, queue)

    def _replaced_if_it_hangs(self, worker: Worker, queue: WorkQueue) -> Iterator[Computed]:
        """Kill a worker that has been at one part for too long; nothing is asked of it any more, so that nothing comes twice."""
        lost = list(worker.held.values())
        silent = time.monotonic() - worker.since
        if not lost or silent <= self._patience.seconds_for(lost[0].part):
            return
        if self._at_work().connection.wait(list(worker.held), seconds=0):
            return  # it has answered since
        self._warn(
            f"Worker {worker.number + 1} of the cluster has answered nothing for {silent / 60:.0f} minutes; it is stopped, and what it "
            "was at is done again."
        )
        yield from self._hand_back(worker, lost, queue)

    def _hand_back(self, worker: Worker, lost: list[Share], queue: WorkQueue) -> Iterator[Computed]:
        """Put another worker in the place of one that is gone; a part on which one after the other goes is given up."""
        self._at_work().replace(worker)
        if lost:
            self._deaths[lost[0]] += 1
            if self._deaths[lost[0]] >= DEATHS:
                yield self._given_up(lost.pop(0))
        queue.give_back(worker.number, lost)

    def _given_up(self, share: Share) -> Computed:
        """Return a part on which worker after worker died, its examples marked with the reason."""
        first = share.part.batches[0].requests[0]
        what = f"{share.variant}: part {share.part.index + 1} ({first.task}/{first.example_id} and others)"
        if not self._computed:
            raise RunError(
                f"{DEATHS} workers of the cluster died on {what}, and none has finished anything. Their last words are in log.txt."
            )
        self._warn_once(f"{what}: {DEATHS} workers died while they computed it; its examples have no value.")
        reason = f"{DEATHS} workers of the cluster died while they computed it"
        rows = [
            Evidence(request.task, share.variant, request.example_id, request.item, reason=reason)
            for batch in share.part.batches for request in batch.requests
        ]  # fmt: skip
        return Computed(share.variant, share.part, evidence_table(rows), lasting=False)

    def _ask(self, method: str, *arguments: Any) -> Any:
        """Ask one worker; another one if it dies over it."""
        crew = self._at_work()
        for _ in range(DEATHS):
            worker = crew.first()
            reference, deadline = (
                getattr(worker.actor, method).remote(*arguments),
                time.monotonic() + self._patience.seconds,
            )
            while not (answered := crew.connection.wait([reference])) and time.monotonic() <= deadline:
                pass
            try:
                if answered:
                    return crew.connection.fetch(reference)
                reason = f"it has answered nothing for {self._patience.seconds / 60:.0f} minutes, and is stopped"
            except crew.ray.exceptions.RayError as error:
                reason = str(error)
            self._warn(f"Worker {worker.number + 1} of the cluster died ({reason}); another one is asked.")
            crew.replace(worker)
        raise RunError(f"{DEATHS} workers of the cluster died over the {method}. Their last words are in log.txt.")

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._open.enter_context(connected(self.choice))
        return self._connection

    def _at_work(self) -> Crew:
        assert self._crew is not None, "load first"
        return self._crew

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._warn(sentence)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
