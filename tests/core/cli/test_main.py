"""The program: its list of commands, its exit codes, and messages in place of tracebacks."""

from __future__ import annotations

import click
import pytest

from core.cli import main, runs
from core.errors import InputError, RunError

NEED_NO_WORKSPACE = ("inspect", "adapter", "metrics")


def test_help_lists_every_command_and_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    out = capsys.readouterr().out
    for name in main.COMMANDS:
        assert f"  {name} " in out
    assert "lorascope demo" in out


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_has_help_with_an_example_and_a_workspace(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Example:\n    lorascope {name}" in out or f"Example:\n  lorascope {name}" in out
    command = main.cli.get_command(click.Context(main.cli), name)
    if isinstance(command, click.Group):
        check_group(command, name, capsys)
        return
    assert "--workspace DIR" in out or name in NEED_NO_WORKSPACE


def check_group(group: click.Group, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for step in group.commands:
        assert main.run([name, step, "--help"]) == 0
        out = capsys.readouterr().out
        assert f"  lorascope {name} {step}" in out and "--workspace DIR" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lorascope, version ")


@pytest.mark.parametrize("arguments", [["runz"], ["runs", "--jsn"], ["dashboard", "--port", "0"], ["init"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Error" in captured.err


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (InputError("The file is wrong."), 2, "The file is wrong.\n"),
        (RunError("The disk is full."), 1, "The disk is full.\n"),
        (
            OSError(28, "No space left on device", "/x/y"),
            1,
            "/x/y: No space left on device. What was finished before is kept.\n",
        ),
        (KeyboardInterrupt(), 1, "\nStopped.\n"),
        (KeyError("boom"), 1, "This failed: KeyError: 'boom'. Set LORASCOPE_DEBUG=1 to see where it happened.\n"),
    ],
)
def test_failures_are_a_sentence_and_a_code(
    raised: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_folder: object) -> None:
        raise raised

    monkeypatch.delenv("LORASCOPE_DEBUG", raising=False)
    monkeypatch.setattr(runs, "load_workspace", fail)
    assert main.run(["runs"]) == code
    captured = capsys.readouterr()
    assert captured.err == said and captured.out == ""

    monkeypatch.setenv("LORASCOPE_DEBUG", "1")
    assert main.run(["runs"]) == code
    assert "Traceback" in capsys.readouterr().err
