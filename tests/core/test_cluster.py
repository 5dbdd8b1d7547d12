"""Which cluster a user asks for: what is taken, and the sentence for what is not."""

from __future__ import annotations

import pytest

from core import cluster
from core.cluster import ClusterChoice, chosen_cluster, cluster_of
from core.errors import InputError


@pytest.mark.parametrize("address", ["local", "auto", "head.lab:6379", "10.0.0.7:6379", "[::1]:6379"])
@pytest.mark.parametrize("workers", [None, 3])
def test_a_choice_survives_the_command_line(address: str, workers: int | None) -> None:
    for choice in (ClusterChoice(address, workers), ClusterChoice(address, workers, 45)):
        assert cluster_of(choice.arguments()) == choice


def test_nothing_said_is_no_cluster() -> None:
    assert cluster_of([]) is None
    assert chosen_cluster(None, None) is None


@pytest.mark.parametrize(
    ("address", "workers", "sentence"),
    [
        ("head.lab", None, "--ray: found 'head.lab'; expected local, auto or HOST:PORT."),
        ("ray://head:10001", None, "Start the run on a machine of the cluster."),
        ("local; rm -rf /:1", None, "expected local, auto or HOST:PORT"),
        ("local", 0, "--workers: found 0; expected 1 or more."),
        (None, 2, "--workers: found without --ray"),
    ],
)
def test_what_is_no_cluster_is_said(address: str | None, workers: int | None, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        chosen_cluster(address, workers)
    assert sentence in str(caught.value)


def test_minutes_of_silence_are_one_or_more_and_of_a_cluster() -> None:
    with pytest.raises(InputError, match="--silent-minutes: found 0; expected 1 or more"):
        chosen_cluster("local", None, 0)
    with pytest.raises(InputError, match="--silent-minutes: found without --ray"):
        chosen_cluster(None, None, 5)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _name: None)
    with pytest.raises(
        InputError, match=r"Ray is not installed here\. Install it with: pip install 'lorascope\[ray\]'"
    ):
        chosen_cluster("local", None)


def test_an_address_is_taken_apart() -> None:
    assert ClusterChoice("[::1]:6379").host_and_port == ("::1", 6379)
    assert ClusterChoice("auto").host_and_port is None
