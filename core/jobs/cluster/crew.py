"""The workers that a run has on a Ray cluster: started, checked, asked, and replaced when they die."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from core.cluster import LOCAL, ClusterChoice
from core.data.prompt import PromptRenderer
from core.errors import InputError, RunError
from core.jobs.cluster.connection import Connection, first_line
from core.jobs.cluster.queue import Share
from core.jobs.cluster.remote import RemoteWorker, WorkerFacts
from core.jobs.environment import package_versions
from core.jobs.loading import Loading

DEATHS = 3
"""So many workers may die on one part, or while loading, before it is given up."""
WAIT_SECONDS = 300.0
"""How long a run waits for the cluster to have room for its first worker."""


@dataclass
class Worker:
    """One worker, and the shares that it holds, oldest first."""

    number: int
    actor: Any
    placed: Any
    """The reference of its machine's name: answered as soon as the cluster has room for it."""
    loading: Any
    """The reference of its facts; None once it has loaded its models."""
    began: float | None = None
    """When it was seen to have its place, and to be loading, by `time.monotonic`."""
    held: dict[Any, Share] = field(default_factory=dict)
    since: float = 0.0
    """When it began with the oldest of them, by `time.monotonic`."""
    decided: bool = False
    """Whether it was told by which part to decide whether rows are shared."""


class Crew:
    """All workers of a run."""

    def __init__(
        self, connection: Connection, choice: ClusterChoice, loading: Loading, renderer: PromptRenderer, hashes: Mapping[str, str],
        warn: Callable[[str], None], load_seconds: float,
    ) -> None:  # fmt: skip
        """Ask the cluster for every worker; they load side by side.

        Args:
            connection: To the cluster.
            choice: How many workers.
            loading: What each of them loads.
            renderer: Of the plan.
            hashes: Of the tensors of base, adapters and checkpoints by variant, as every worker has to find them.
            warn: Is told what is amiss.
            load_seconds: A worker that has its place and takes longer to load is taken for hanging.

        Raises:
            InputError: the cluster has not so many GPUs or processors.
        """
        self.connection, self.ray, self.warn = connection, connection.ray, warn
        self._hashes, self._load_seconds = hashes, load_seconds
        self._sent = self.ray.put(loading), self.ray.put(renderer)
        self._on_gpu = loading.device.partition(":")[0] in ("cuda", "xpu")
        self._cpus = 1 if choice.address == LOCAL or self._on_gpu else loading.threads or 1
        self._hardware: set[str] = set()
        self._deaths = 0
        count = self._count(choice)
        self.workers = {number: self._start(number) for number in range(count)}

    def _count(self, choice: ClusterChoice) -> int:
        there = self.ray.cluster_resources()
        if self._on_gpu:
            found, unit = int(there.get("GPU", 0)), "GPU"
        else:
            found, unit = (
                int(there.get("CPU", 0)) // self._cpus,
                f"worker of {self._cpus} processor{'s' * (self._cpus > 1)}",
            )
        wanted = choice.workers or (found if self._on_gpu else len(nodes(self.ray)))
        if wanted > found or found == 0:
            raise InputError(
                f"--ray {choice.address} --workers {wanted}: found room for {found} ({unit} each); expected at least {max(wanted, 1)}. "
                "Ask for fewer workers, or add machines to the cluster."
            )
        return wanted

    def _start(self, number: int) -> Worker:
        kind = self.ray.remote(RemoteWorker).options(
            num_cpus=self._cpus, num_gpus=int(self._on_gpu), max_restarts=0, max_task_retries=0
        )
        actor = kind.remote()
        return Worker(number, actor, actor.host.remote(), actor.load.remote(*self._sent))

    @property
    def ready(self) -> list[Worker]:
        """The workers whose models are loaded."""
        return [worker for worker in self.workers.values() if worker.loading is None]

    def replace(self, worker: Worker) -> None:
        """Put a new worker in the place of one that is gone, or does not answer."""
        with suppress(self.ray.exceptions.RayError, ValueError):
            self.ray.kill(worker.actor)
        self.workers[worker.number] = self._start(worker.number)

    def welcome(self, worker: Worker) -> bool:
        """Take the facts of a worker that has loaded its models; False if it died over it and was replaced.

        Raises:
            InputError: its files or versions are others than the run's.
            RunError: one after the other dies.
        """
        try:
            facts: WorkerFacts = self.connection.fetch(worker.loading)
        except self.ray.exceptions.RayError as error:
            self._lost(worker, first_line(error))
            return False
        self._deaths = 0
        check_facts(facts, self._hashes)
        if self._hardware and facts.hardware not in self._hardware:
            listed = ", ".join(sorted({*self._hardware, facts.hardware}))
            self.warn(f"The workers' devices are of several kinds ({listed}): their scores differ in the last bits.")
        self._hardware.add(facts.hardware)
        worker.loading = None
        return True

    def _lost(self, worker: Worker, reason: str) -> None:
        """Start another worker for one that did not load its models; after some of them it is given up."""
        self._deaths += 1
        if self._deaths >= DEATHS:
            raise RunError(
                f"{self._deaths} workers of the cluster died while they loaded the models; the last: {reason}. With less memory than "
                "that takes, ask for fewer --workers."
            ) from None
        self.warn(f"A worker of the cluster died while it loaded the models ({reason}); another one is started.")
        self.replace(worker)

    def replace_those_that_hang(self) -> None:
        """Put others in the place of workers that have been loading their models for too long.

        Raises:
            RunError: one after the other does.
        """
        for worker in [worker for worker in self.workers.values() if worker.loading is not None]:
            now = time.monotonic()
            if worker.began is None:
                worker.began = now if self.connection.wait([worker.placed], seconds=0) else None
            elif now - worker.began > self._load_seconds and not self.connection.wait([worker.loading], seconds=0):
                self._lost(worker, f"it has not loaded them in {(now - worker.began) / 60:.0f} minutes, and is stopped")

    def first(self) -> Worker:
        """Return a worker whose models are loaded, as soon as there is one.

        Raises:
            InputError, RunError: as `welcome`, or the cluster has no room.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while not (ready := self.ready):
            if time.monotonic() > deadline and not self._anyone_has_room():
                raise RunError(
                    f"The cluster had no room for a worker in {WAIT_SECONDS:.0f} seconds. `ray status` says who uses it."
                )
            self.take_arrivals()
        return ready[0]

    def take_arrivals(self) -> None:
        """Welcome whoever has loaded its models, after a short wait."""
        loading = {worker.loading: worker for worker in self.workers.values() if worker.loading is not None}
        for reference in self.connection.wait(list(loading)):
            self.welcome(loading[reference])
        self.replace_those_that_hang()

    def _anyone_has_room(self) -> bool:
        """Tell whether a worker has got its place and is loading, which may take long."""
        return any(self.connection.wait([worker.placed], seconds=0) for worker in self.workers.values())

    def stop(self) -> None:
        """Kill all workers."""
        for worker in self.workers.values():
            with suppress(self.ray.exceptions.RayError, ValueError):
                self.ray.kill(worker.actor)


def nodes(ray: Any) -> list[int]:
    """Return the number of processors of each machine of a cluster."""
    return [
        int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")
    ]


def check_facts(facts: WorkerFacts, hashes: Mapping[str, str]) -> None:
    """Check that a worker has the run's weights and this process's versions.

    Raises:
        InputError: with what differs.
    """
    here = package_versions()
    for package, version in facts.versions.items():
        if version != here[package]:
            raise InputError(
                f"The worker on {facts.host} has {package} {version}; this process has {here[package]}, and their numbers would differ. "
                "Install the same versions on all machines of the cluster."
            )
    if wrong := next((name for name, hashed in facts.hashes.items() if hashes.get(name) != hashed), None):
        raise InputError(
            f"The worker on {facts.host} finds weights for {wrong!r} other than this machine's ({platform.node()}) at the same path. Let "
            "all machines see one disk, or copy the same files to them."
        )
