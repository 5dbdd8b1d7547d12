"""``lorascope dashboard``: the flags it hands to Streamlit, and what it says of ports and hosts."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli import dashboard
from core.cli.main import run
from core.errors import InputError, RunError
from core.ratings import close_study, create_study, open_by_link, open_store
from tests.core.ratings.studies import plan, write_run
from tests.synthetic import make_workspace


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(dashboard, "_hand_over", calls.append)
    monkeypatch.setenv(dashboard.WORKSPACE_VARIABLE, "before")  # so that the variable is put back afterwards
    return calls


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_serves_this_machine_alone(
    tmp_path: Path, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_workspace(tmp_path / "w", n=8, runs=False)
    port = _free_port()
    assert run(["dashboard", "--workspace", str(folder), "--port", str(port)]) == 0
    (flags,) = started
    assert "--server.address=127.0.0.1" in flags and f"--server.port={port}" in flags
    assert [flag for flag in flags if "allowedHosts" in flag] == [
        "--server.allowedHosts=127.0.0.1",
        "--server.allowedHosts=localhost",
    ]
    assert os.environ[dashboard.WORKSPACE_VARIABLE] == str(folder.resolve())
    captured = capsys.readouterr()
    assert f"http://127.0.0.1:{port}" in captured.out and captured.err == ""


def test_other_hosts_are_only_let_in_by_name(
    tmp_path: Path, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_workspace(tmp_path / "w", n=8, runs=False)
    arguments = ["--host", "0.0.0.0", "--allow-host", "lab.example.org", "--port", str(_free_port())]
    assert run(["dashboard", "--workspace", str(folder), *arguments]) == 0
    allowed = [flag.partition("=")[2] for flag in started[0] if "allowedHosts" in flag]
    assert allowed == ["127.0.0.1", "localhost", "lab.example.org"]
    assert "everybody who can reach this machine" in capsys.readouterr().err


def test_a_port_in_use_is_told_with_a_free_one(
    tmp_path: Path, taken: int, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_workspace(tmp_path / "w", n=8, runs=False)
    assert run(["dashboard", "--workspace", str(folder), "--port", str(taken)]) == 2
    message = capsys.readouterr().err
    assert f"Port {taken} on 127.0.0.1 is in use" in message
    free = int(message.rpartition("--port ")[2])
    dashboard.check_port("127.0.0.1", free)
    assert started == []


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(InputError, match="no address of this machine"):
        dashboard.check_port("192.0.2.1", 8501)


def test_a_missing_workspace_is_told_before_anything_starts(tmp_path: Path, started: list[list[str]]) -> None:
    assert run(["dashboard", "--workspace", str(tmp_path)]) == 2
    assert started == []


def test_the_script_that_serves_lies_beside_the_entry() -> None:
    assert dashboard.script_path().name == "serve.py"
    assert dashboard.script_path().with_name("app.py").is_file()


def test_flags_are_handed_over_and_an_error_of_the_server_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.web import cli

    given: list[list[str]] = []

    def stopped(arguments: list[str], **_: object) -> None:
        given.append(arguments)
        raise SystemExit(len(given) - 1)

    monkeypatch.setattr(cli, "main", stopped)
    dashboard._hand_over(["--server.port=1"])
    assert given == [["run", str(dashboard.script_path().with_name("app.py")), "--server.port=1"]]
    with pytest.raises(RunError, match="stopped with an error"):
        dashboard._hand_over([])


def test_a_study_alone_is_served_by_its_link(
    tmp_path: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(dashboard.STUDY_VARIABLE, "before")
    folder = make_workspace(tmp_path / "w", n=8, runs=False)
    store = open_store(folder)
    made = create_study(store, [write_run(folder / "runs" / "first")], plan(title="Replies"))
    arguments = ["dashboard", "--workspace", str(folder), "--study", "Replies", "--port", str(_free_port())]
    elsewhere = ["--host", "0.0.0.0", "--allow-host", "lab.example.org"]
    assert run([*arguments, *elsewhere, "--key", made.key]) == 0
    captured = capsys.readouterr()
    assert f"http://lab.example.org:{arguments[-1]}/?study={made.study.id}&key={made.key}" in captured.out
    assert "127.0.0.1, localhost, lab.example.org" in captured.out
    assert captured.err == "", "nobody can read the workspace"
    assert os.environ[dashboard.STUDY_VARIABLE] == made.study.id
    assert run(arguments) == 0
    captured = capsys.readouterr()
    new = captured.out.partition("&key=")[2].split()[0]
    assert new != made.key and "the one before it opens nothing any more" in captured.err
    assert open_by_link(store, made.study.id, new).role == "rater"
    assert run([*arguments, "--key", made.key]) == 2
    assert "This link does not open a study" in capsys.readouterr().err
    assert run([*arguments[:3], "--study", "nowhere"]) == 2
    assert "there is no study 'nowhere'" in capsys.readouterr().err
    close_study(made.study)
    assert run(arguments) == 2
    assert "is closed: nothing more can be rated" in capsys.readouterr().err
    assert len(started) == 2


def test_a_whole_dashboard_is_none_of_a_study(
    tmp_path: Path, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(dashboard.STUDY_VARIABLE, "of an earlier start")
    folder = make_workspace(tmp_path / "w", n=8, runs=False)
    assert run(["dashboard", "--workspace", str(folder), "--port", str(_free_port())]) == 0
    assert dashboard.STUDY_VARIABLE not in os.environ and len(started) == 1
