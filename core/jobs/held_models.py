"""Who holds the models of a run: this process (by torch or vLLM), or a Ray cluster's workers. Nothing is loaded before it is asked."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from core.cluster import ClusterChoice
from core.data.prompt import PromptRenderer
from core.jobs import environment
from core.jobs.computing import Computer, LocalComputer
from core.jobs.device_choice import device_and_dtype
from core.jobs.loading import Loading, threads_here
from core.jobs.progress import Progress
from core.spec import Settings
from core.store import Run
from core.vllm_checks import refuse_cluster

if TYPE_CHECKING:
    from core.engine.session import Session
    from core.engine.vllm_session import VllmSession
    from core.jobs.cluster.computer import RayCluster


class HeldModels:
    """The models of one run."""

    def __init__(self, run: Run, progress: Progress, choice: ClusterChoice | None) -> None:
        """Take the run and the cluster that computes it, if one does.

        Raises:
            InputError: vLLM is to compute it on a cluster.
        """
        refuse_cluster(run.spec.settings, choice)
        self._run, self._progress = run, progress
        self._open = ExitStack()
        self._session: Session | VllmSession | None = None
        self._cluster: RayCluster | None = None
        if choice is not None:
            from core.jobs.cluster.computer import RayCluster

            self._cluster = self._open.enter_context(RayCluster(choice, progress.set, progress.warn))

    def __enter__(self) -> HeldModels:
        """Nothing is loaded yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cluster's workers."""
        self._open.close()

    def device_and_dtype(self, settings: Settings) -> tuple[str, str]:
        """Return the device and the precision that settings mean where the models will be.

        Raises:
            InputError: the device is not there.
        """
        return device_and_dtype(settings) if self._cluster is None else self._cluster.device_and_dtype(settings)

    def describe(self, known: dict[str, Any], renderer: PromptRenderer, loading: Callable[[], Loading]) -> None:
        """Say what the models are, once that is known.

        Args:
            known: The run's environment; on a processor the number of threads is noted in it when the models are loaded.
            renderer: Of the plan.
            loading: Returns what has to be loaded.
        """
        self._known, self._renderer, self._loading = known, renderer, loading

    def holder(self) -> Session | VllmSession | RayCluster:
        """Return who is asked about the models, which are loaded then.

        Raises:
            InputError: a model cannot be loaded, or the cluster cannot be joined.
            RunError: the cluster's workers die over it.
        """
        return self._loaded() if self._cluster is None else self._joined(self._cluster)

    def computer(self) -> Computer:
        """Return who computes parts with these models."""
        if self._cluster is None:
            return LocalComputer(self._loaded, lambda: len(self._progress.status.warnings), self._progress.set)
        return self._joined(self._cluster)

    def _joined(self, cluster: RayCluster) -> RayCluster:
        environment.keep_threads(self._run.folder, self._known, self._loading().threads or cluster.threads())
        cluster.load(self._loading(), self._renderer, environment.weights_by_variant(self._known))
        return cluster

    def _loaded(self) -> Session | VllmSession:
        if self._session is None:
            self._progress.set(state="loading", message="Loading the base model and its adapters")
            loading, renderer = self._loading(), self._renderer
            by_vllm = loading.settings.engine == "vllm"
            with _uncollected():
                self._session = (
                    loading.vllm_session(renderer) if by_vllm else loading.session(renderer, self._progress.warn)
                )
            environment.keep_threads(self._run.folder, self._known, threads_here())
        return self._session


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage on the way: a fifth of the time that the libraries take to import, and there is none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
