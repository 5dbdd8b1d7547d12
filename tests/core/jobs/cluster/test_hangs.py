"""A worker that hangs is replaced, and what it held is done again once; one that only takes long is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.cluster import ClusterChoice
from core.errors import RunError
from core.jobs.cluster import computer as room
from core.jobs.cluster.computer import RayCluster
from core.jobs.cluster.connection import Connection
from core.jobs.cluster.patience import TIMES, UNKNOWN_TIMES, Patience
from core.jobs.computing import Computed
from core.plan import Batch, Part
from tests.core.jobs.cluster.test_deaths import HASHES, LOADING, StandIn, answer, cluster_of, facts, part


def test_patience_is_learnt_from_the_slowest_part_of_a_kind() -> None:
    patience = Patience(600)
    long = Part(0, (Batch("score", (), 1_000),))
    other = Part(1, (Batch("generate", (), 1_000),))
    assert patience.seconds_for(long) == UNKNOWN_TIMES * 600
    patience.learn(Part(2, (Batch("score", (), 10),)), 0.1)
    assert patience.seconds_for(long) == 600
    patience.learn(Part(3, (Batch("score", (), 10),)), 5.0)
    patience.learn(Part(4, (Batch("score", (), 10),)), 1.0)
    assert patience.seconds_for(long) == TIMES * 0.5 * 1_000
    assert patience.seconds_for(other) == UNKNOWN_TIMES * 600


class Sleeping(StandIn):
    """A cluster whose workers sleep over some calls: those references are never answered. Time passes while nothing comes."""

    def __init__(self, sleeps: set[int], passes: float) -> None:
        super().__init__(
            lambda name, given: (
                facts() if name == "load" else "checked" if name == "preflight" else answer(given[0], given[1].index)
            )
        )
        self.now, self._passes, self._sleeps, self._asked = 0.0, passes, sleeps, 0
        self._asleep: set[Any] = set()
        self.over: list[str] = []
        """What workers sleep over beside parts, once for each time that it stands here."""
        self.killed: list[Any] = []

    def _start(self) -> Any:
        actor = super()._start()
        compute = actor.compute.remote

        def asked(*arguments: Any) -> Any:
            reference = compute(*arguments)
            if self._asked in self._sleeps:
                self._asleep.add(reference)
            self._asked += 1
            return reference

        actor.compute.remote = asked
        return actor

    def _method(self, name: str) -> Any:
        plain = super()._method(name)

        def asked(*arguments: Any) -> Any:
            reference = plain(*arguments)
            if name in self.over:
                self.over.remove(name)
                self._asleep.add(reference)
            return reference

        return asked

    def kill(self, actor: Any) -> None:
        self.killed.append(actor)

    def wait(self, references: list[Any], timeout: float = 0.0, **_: Any) -> tuple[list[Any], list[Any]]:
        ready = [one for one in references if one not in self._asleep][:1]
        if not ready:
            self.now += self._passes if timeout else 0.0
        return ready, []

    def get(self, reference: Any) -> Any:
        assert reference not in self._asleep, "nobody may wait for it"
        return super().get(reference)


@pytest.fixture
def computed_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def computed(ray: Sleeping, parts: int, workers: int = 2) -> tuple[list[Computed], list[str]]:
        said: list[str] = []
        made = RayCluster(ClusterChoice("local", workers), lambda **_: None, said.append)
        monkeypatch.setattr(RayCluster, "_connected", lambda _self: Connection(ray, lambda: None))
        monkeypatch.setattr(room.time, "monotonic", lambda: ray.now)
        made.load(LOADING, object(), HASHES)  # type: ignore[arg-type]
        return list(made.compute({"baseline": [part(index) for index in range(parts)]})), said

    yield computed


def test_what_a_worker_sleeps_over_is_done_again_by_another_and_comes_once(computed_by: Any) -> None:
    ray = Sleeping({1}, passes=700.0)
    found, said = computed_by(ray, 6)
    assert sorted(piece.part.index for piece in found) == [0, 1, 2, 3, 4, 5]
    assert all(piece.lasting for piece in found)
    assert len(ray.killed) == 1
    assert ray.started == 3
    assert said == [
        "Worker 1 of the cluster has answered nothing for 12 minutes; it is stopped, and what it was at is done again."
    ]


def test_a_worker_that_only_takes_long_is_waited_for(computed_by: Any) -> None:
    class Late(Sleeping):
        def wait(self, references: list[Any], timeout: float = 0.0, **options: Any) -> tuple[list[Any], list[Any]]:
            if self.now >= 590.0:
                self._asleep.clear()
            return super().wait(references, timeout, **options)

    ray = Late({1}, passes=59.0)
    found, said = computed_by(ray, 4)
    assert sorted(piece.part.index for piece in found) == [0, 1, 2, 3]
    assert (ray.killed, said) == ([], [])


def test_a_part_over_which_every_worker_sleeps_is_marked(computed_by: Any) -> None:
    class Stubborn(Sleeping):
        def _method(self, name: str) -> Any:
            plain = super()._method(name)

            def asked(*arguments: Any) -> Any:
                reference = plain(*arguments)
                if name == "compute" and arguments[1].index == 2:
                    self._asleep.add(reference)
                return reference

            return asked

    ray = Stubborn(set(), passes=700.0)
    found, said = computed_by(ray, 5)
    assert sorted(piece.part.index for piece in found) == [0, 1, 2, 3, 4]
    marked = next(piece for piece in found if piece.part.index == 2)
    assert not marked.lasting
    assert marked.table["reason"].to_pylist() == ["3 workers of the cluster died while they computed it"]
    assert len(ray.killed) == room.DEATHS
    assert "its examples have no value" in said[-1]


def test_a_worker_that_sleeps_over_its_models_is_replaced(computed_by: Any) -> None:
    ray = Sleeping(set(), passes=700.0)
    ray.over = ["load"]
    found, said = computed_by(ray, 2, workers=1)
    assert sorted(piece.part.index for piece in found) == [0, 1]
    assert (len(ray.killed), ray.started) == (1, 2)
    assert said == [
        "A worker of the cluster died while it loaded the models (it has not loaded them in 70 minutes, and is stopped); another one is "
        "started."
    ]


def test_a_cluster_on_which_every_worker_sleeps_over_its_models_is_given_up(computed_by: Any) -> None:
    ray = Sleeping(set(), passes=700.0)
    ray.over = ["load"] * room.DEATHS
    with pytest.raises(
        RunError, match="3 workers of the cluster died while they loaded the models; the last: it has not loaded"
    ):
        computed_by(ray, 2, workers=1)


def test_a_worker_that_sleeps_over_a_check_is_replaced_and_another_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = Sleeping(set(), passes=700.0)
    ray.over = ["preflight"]
    made, said = cluster_of(monkeypatch, ray, workers=1)
    monkeypatch.setattr(room.time, "monotonic", lambda: ray.now)
    assert made.preflight("one", [(1,)], Path("base")) == "checked"
    assert (len(ray.killed), ray.started) == (1, 2)
    assert said == [
        "Worker 1 of the cluster died (it has answered nothing for 60 minutes, and is stopped); another one is asked."
    ]
