"""What cannot be joined is said in a sentence, and nothing of Ray's is left behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.cluster import ClusterChoice
from core.errors import InputError
from core.jobs.cluster import connection
from core.jobs.cluster.connection import connected


class StandIn(SimpleNamespace):
    """The module ``ray``, whose ``init`` does what it is told and takes SIGTERM for itself, as Ray's does."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__(asked={}, stopped=False)
        self._failure = failure

    def init(self, **asked: Any) -> None:
        self.asked = asked
        signal.signal(signal.SIGTERM, lambda *_: None)
        if self._failure is not None:
            raise self._failure

    def shutdown(self) -> None:
        self.stopped = True


@pytest.fixture(autouse=True)
def environment_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    # Said by the user: nobody is asked whether the cluster wants a token.
    monkeypatch.setattr(os, "environ", os.environ | {"RAY_AUTH_MODE": "disabled"})


def join(monkeypatch: pytest.MonkeyPatch, address: str, ray: StandIn) -> None:
    monkeypatch.setitem(sys.modules, "ray", ray)
    with connected(ClusterChoice(address, 3)):
        pass


def test_nothing_at_the_address_is_said_without_asking_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray = StandIn()
    with pytest.raises(
        InputError, match=rf"--ray 127.0.0.1:{port}: nothing answers there \(Connection refused\)\. `ray status`"
    ):
        join(monkeypatch, f"127.0.0.1:{port}", ray)
    assert ray.asked == {}


def test_without_a_cluster_auto_names_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="--ray auto: found no Ray cluster that this machine belongs to.*--ray local"):
        join(monkeypatch, "auto", StandIn(ConnectionError("none")))


def test_other_versions_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_check_reachable", lambda *_: None)
    failure = RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.10.1")
    with pytest.raises(InputError) as caught:
        join(monkeypatch, "head.lab:6379", StandIn(failure))
    assert "the cluster runs other versions than this process" in str(caught.value)
    assert "Ray: 2.9.0 Python: 3.10.1). Install the same Python and Ray on all machines." in str(caught.value)


def test_a_cluster_of_ours_listens_here_alone_and_leaves_sigterm_to_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    join(monkeypatch, "local", ray := StandIn())
    assert ray.asked["_node_ip_address"] == "127.0.0.1"
    assert ray.asked["include_dashboard"] is False
    assert ray.asked["num_cpus"] >= 3
    assert ray.stopped
    assert signal.getsignal(signal.SIGTERM) is before
    assert not Path(ray.asked["_temp_dir"]).exists()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_a_cancelled_run_is_stopped_at_a_wait_and_not_within_rays_own_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(BaseException):
        """What the run's process raises when it is cancelled."""

    def handler(*_: object) -> None:
        raise Stopped

    ray = StandIn()

    def waits(references: list[str], timeout: float) -> tuple[list[str], list[str]]:
        os.kill(os.getpid(), signal.SIGTERM)
        return references, []

    ray.wait = waits
    monkeypatch.setitem(sys.modules, "ray", ray)
    before = signal.signal(signal.SIGTERM, handler)
    try:
        with pytest.raises(Stopped), connected(ClusterChoice("local")) as connection:
            connection.wait(["one"])
        assert ray.stopped
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
