"""What becomes of parts and runs whose workers die, tried with a stand-in for Ray that kills them when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.cluster import ClusterChoice
from core.errors import InputError, RunError
from core.jobs.cluster import computer as room
from core.jobs.cluster.computer import RayCluster
from core.jobs.cluster.connection import Connection
from core.jobs.cluster.remote import Answer, WorkerFacts
from core.jobs.environment import package_versions
from core.jobs.loading import Loading
from core.plan import Batch, Part
from core.records import Evidence
from core.requests import ScoreRequest
from core.spec import Settings
from core.store import evidence_table

LOADING = Loading(Path("base"), {}, {}, "cpu", "float32", Settings(), threads=1)
HASHES = {"baseline": "h"}


class RayError(Exception):
    """Stands for ``ray.exceptions.RayError``: the worker is gone."""


class RayTaskError(RayError):
    """Stands for ``ray.exceptions.RayTaskError``: the worker raised something."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"trace of {cause}")
        self.cause = cause


@dataclass
class StandIn:
    """Answers what a connected module ``ray`` is asked here. ``act`` is each worker's doing: a value, or an exception."""

    act: Callable[[str, tuple[Any, ...]], Any]
    resources: dict[str, float] = field(default_factory=lambda: {"CPU": 4.0})
    started: int = 0
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError))

    def cluster_resources(self) -> dict[str, float]:
        return self.resources

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": self.resources}]

    def put(self, value: Any) -> Any:
        return value

    def remote(self, _kind: type) -> StandIn:
        return self

    def options(self, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(remote=self._start)

    def _start(self) -> SimpleNamespace:
        self.started += 1
        methods = {
            name: SimpleNamespace(remote=self._method(name))
            for name in ("host", "load", "compute", "decide_trees", "preflight")
        }
        return SimpleNamespace(**methods)

    def _method(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: _Reference(name, arguments)

    def wait(self, references: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return references[:1], references[1:]

    def get(self, reference: _Reference) -> Any:
        outcome = self.act(reference.name, reference.arguments)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def kill(self, _actor: Any) -> None:
        """Nothing is left of a worker that is dropped."""


@dataclass(eq=False)
class _Reference:
    name: str
    arguments: tuple[Any, ...]


def part(index: int) -> Part:
    return Part(index, (Batch("score", ((ScoreRequest("t", f"e{index}", "", "options", (1,), ()),),), 10),))


def answer(variant: str, index: int, *warnings: str) -> Answer:
    return Answer(evidence_table([Evidence("t", variant, f"e{index}", reason="x")]), True, warnings)


def facts(**changes: Any) -> WorkerFacts:
    known: dict[str, Any] = {
        "host": "h1",
        "process": 1,
        "hardware": "cpu",
        "versions": package_versions(),
        "hashes": HASHES,
    }
    return WorkerFacts(**known | changes)


def cluster_of(monkeypatch: pytest.MonkeyPatch, ray: StandIn, workers: int = 2) -> tuple[RayCluster, list[str]]:
    said: list[str] = []
    made = RayCluster(ClusterChoice("local", workers), lambda **_: None, said.append)
    monkeypatch.setattr(RayCluster, "_connected", lambda _self: Connection(ray, lambda: None))
    made.load(LOADING, object(), HASHES)  # type: ignore[arg-type]
    return made, said


def test_a_part_on_which_worker_after_worker_dies_is_marked_and_the_others_are_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(name: str, arguments: tuple[Any, ...]) -> Any:
        if name == "load":
            return facts()
        variant, asked = arguments
        return RayError("killed") if asked.index == 2 else answer(variant, asked.index)

    made, said = cluster_of(monkeypatch, ray := StandIn(act))
    computed = list(made.compute({"baseline": [part(i) for i in range(5)]}))
    assert sorted(piece.part.index for piece in computed) == [0, 1, 2, 3, 4]
    marked = [piece for piece in computed if piece.part.index == 2]
    assert marked[0].table["reason"].to_pylist() == ["3 workers of the cluster died while they computed it"]
    assert not marked[0].lasting
    assert all(piece.lasting for piece in computed if piece.part.index != 2)
    assert (
        said[-1]
        == "baseline: part 3 (t/e2 and others): 3 workers died while they computed it; its examples have no value."
    )
    assert ray.started == 2 + room.DEATHS


def test_where_every_worker_dies_the_run_fails_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = cluster_of(monkeypatch, StandIn(lambda name, _: facts() if name == "load" else RayError("killed")))
    with pytest.raises(
        RunError, match="3 workers of the cluster died on baseline: part 1 .* and none has finished anything"
    ):
        list(made.compute({"baseline": [part(0)]}))


def test_workers_that_die_while_loading_are_replaced_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="3 workers of the cluster died while they loaded the models; the last: no room"):
        cluster_of(monkeypatch, StandIn(lambda *_: RayError("no room")))


def test_what_a_worker_warns_of_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def act(name: str, arguments: tuple[Any, ...]) -> Any:
        return facts() if name == "load" else answer(arguments[0], arguments[1].index, "memory is short")

    made, said = cluster_of(monkeypatch, StandIn(act))
    assert len(list(made.compute({"baseline": [part(0), part(1)], "a": [part(0)]}))) == 3
    assert said == ["memory is short"]


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (facts(versions=package_versions() | {"torch": "1.0"}), "The worker on h1 has torch 1.0; this process has"),
        (
            facts(hashes={"baseline": "other"}),
            "The worker on h1 finds weights for 'baseline' other than this machine's",
        ),
        (RayTaskError(InputError("finds no folder base")), "finds no folder base"),
        (
            RayTaskError(RuntimeError("The actor failed to import on the worker")),
            "Install the same lorascope on all its machines",
        ),
    ],
)
def test_a_cluster_with_other_files_or_versions_is_refused(
    monkeypatch: pytest.MonkeyPatch, outcome: Any, sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        cluster_of(monkeypatch, StandIn(lambda *_: outcome))
    assert sentence in str(caught.value)


def test_what_a_worker_raises_unforeseen_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def act(name: str, _: tuple[Any, ...]) -> Any:
        return facts() if name == "load" else RayTaskError(ZeroDivisionError("by zero"))

    made, _ = cluster_of(monkeypatch, StandIn(act))
    with pytest.raises(RunError, match=r"A worker of the cluster failed: ZeroDivisionError: by zero\."):
        list(made.compute({"baseline": [part(0)]}))


def test_more_workers_than_there_is_room_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"--workers 9: found room for 4 \(worker of 1 processor each\)"):
        cluster_of(monkeypatch, StandIn(lambda *_: facts()), workers=9)


def test_kinds_of_devices_that_differ_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = iter(["A100", "H100"])

    def act(name: str, arguments: tuple[Any, ...]) -> Any:
        return facts(hardware=next(kinds)) if name == "load" else answer(arguments[0], arguments[1].index)

    made, said = cluster_of(monkeypatch, StandIn(act))
    made._crew.take_arrivals()  # type: ignore[union-attr]
    assert said == ["The workers' devices are of several kinds (A100, H100): their scores differ in the last bits."]


@pytest.mark.parametrize(("workers", "expected"), [(None, 4), (2, 2)])
def test_each_worker_asks_for_one_gpu(monkeypatch: pytest.MonkeyPatch, workers: int | None, expected: int) -> None:
    asked: list[dict[str, Any]] = []

    class WithGpus(StandIn):
        def options(self, **options: Any) -> SimpleNamespace:
            asked.append(options)
            return super().options()

    ray = WithGpus(lambda *_: facts(), {"CPU": 16.0, "GPU": 4.0})
    made = RayCluster(ClusterChoice("local", workers), lambda **_: None, lambda _: None)
    monkeypatch.setattr(RayCluster, "_connected", lambda _self: Connection(ray, lambda: None))
    made.load(replace(LOADING, device="cuda"), object(), HASHES)  # type: ignore[arg-type]
    assert [(one["num_gpus"], one["num_cpus"]) for one in asked] == [(1, 1)] * expected


def test_a_gpu_of_a_number_is_any_gpu_where_each_worker_sees_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        room, "device_and_dtype", lambda settings: asked.append(settings.device) or ("cuda", "bfloat16")
    )
    made = RayCluster(ClusterChoice("local", 2), lambda **_: None, lambda _: None)
    assert made.device_and_dtype(Settings(device="cuda:1")) == ("cuda", "bfloat16")
    assert asked == ["cuda"]


def test_on_a_cluster_a_worker_with_a_gpu_says_what_auto_means(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[dict[str, Any], Any]] = []

    class WithGpus(StandIn):
        def options(self, **options: Any) -> SimpleNamespace:
            return SimpleNamespace(remote=lambda given: asked.append((options, given)) or _Reference("device", ()))

    ray = WithGpus(lambda *_: ("cuda", "bfloat16"), {"CPU": 16.0, "GPU": 4.0})
    monkeypatch.setattr(RayCluster, "_connected", lambda _self: Connection(ray, lambda: None))
    made = RayCluster(ClusterChoice("auto"), lambda **_: None, lambda _: None)
    assert made.device_and_dtype(Settings(device="auto")) == ("cuda", "bfloat16")
    [(options, given)] = asked
    assert options == {"num_cpus": 1, "num_gpus": 1}
    assert given.device == "auto"
