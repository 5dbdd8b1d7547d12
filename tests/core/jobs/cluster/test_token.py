"""Which token Ray is given: none that the user did not make, one of its own for a cluster of ours, and only where one is asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.cluster import ClusterChoice
from core.jobs.cluster import token
from core.jobs.cluster.token import MODE, TOKEN, TOKEN_PATH, token_settings

HEAD = ClusterChoice("head.lab:6379")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (MODE, TOKEN, TOKEN_PATH):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


def answers(monkeypatch: pytest.MonkeyPatch, code: int, told: str) -> list[Any]:
    """Let the asked cluster answer, and return what it was asked."""
    asked: list[Any] = []

    def run(command: list[str], **options: Any) -> SimpleNamespace:
        asked.append((command[-2:], options["env"][MODE]))
        return SimpleNamespace(returncode=code, stderr=told)

    monkeypatch.setattr(token.subprocess, "run", run)
    return asked


def with_token(home: Path) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text("secret")


def test_a_cluster_of_ours_has_a_token_of_its_own_that_no_file_holds(home: Path) -> None:
    first, second = (token_settings(ClusterChoice("local")) for _ in range(2))
    assert first[MODE] == "token"
    assert first[TOKEN] != second[TOKEN]
    assert list(home.iterdir()) == []


def test_the_users_own_token_and_mode_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "secret")
    assert token_settings(ClusterChoice("local")) == {MODE: "token"}
    monkeypatch.setenv(MODE, "disabled")
    assert token_settings(ClusterChoice("local")) == {}


def test_a_cluster_at_an_address_that_refuses_who_shows_none_is_shown_the_token(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    with_token(home)
    asked = answers(monkeypatch, 1, "ray.exceptions.AuthenticationError: InvalidAuthToken")
    assert token_settings(HEAD) == {MODE: "token"}
    assert asked == [(["--address", "head.lab:6379"], "disabled")]


@pytest.mark.parametrize(("code", "told"), [(0, "2 nodes"), (1, "no route to host")])
def test_a_cluster_at_an_address_that_asks_for_none_is_shown_none(
    monkeypatch: pytest.MonkeyPatch, home: Path, code: int, told: str
) -> None:
    with_token(home)
    answers(monkeypatch, code, told)
    assert token_settings(HEAD) == {}


def test_a_cluster_that_does_not_answer_is_left_to_ray(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    with_token(home)

    def run(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("ray", 1)

    monkeypatch.setattr(token.subprocess, "run", run)
    assert token_settings(HEAD) == {}


@pytest.mark.parametrize("address", ["auto", "head.lab:6379"])
def test_nobody_is_asked_where_ray_looks_itself_or_no_token_is_here(
    monkeypatch: pytest.MonkeyPatch, home: Path, address: str
) -> None:
    if address == "auto":
        with_token(home)
    asked = answers(monkeypatch, 1, "AuthenticationError")
    assert token_settings(ClusterChoice(address)) == {}
    assert asked == []
    assert MODE not in os.environ
