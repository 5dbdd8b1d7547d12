"""``lorascope evaluate`` and the line that watches a run."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from core.cli.main import run
from core.cli.watch import clock, describe, follow
from core.errors import RunError
from core.jobs.status import RunStatus, read_status, write_status
from core.store import Run
from core.workspace import load_workspace
from tests.synthetic import make_run
from tests.tiny import make_workspace


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("cli"), n=4, adapters=1)


@pytest.fixture
def workspace(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "w"))


def test_it_evaluates_and_prints_what_a_script_wants(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--workspace", str(workspace), "--tasks", "colour,reply", "--limit", "3", "--json"]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert read_status(Run(Path(printed["folder"]))).state == "finished"
    assert "baseline, lora-0 on colour, reply" in captured.err
    assert "lorascope dashboard --workspace" in captured.err
    assert (Path(printed["folder"]) / "derived").is_dir()

    assert run(["evaluate", "--workspace", str(workspace), "--resume", printed["id"]]) == 2
    assert "the run is finished; there is nothing to resume" in capsys.readouterr().err


def test_detached_it_prints_the_id_and_goes_on(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--workspace", str(workspace), "--tasks", "colour", "--detach"]) == 0
    found = load_workspace(workspace).run(capsys.readouterr().out.strip())
    deadline = time.time() + 120
    while time.time() < deadline and read_status(found).active:
        time.sleep(0.1)
    assert read_status(found).state == "finished"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--adapters", "lora-9"], "there is no adapter 'lora-9' (did you mean 'lora-0'?)"),
        (["--tasks", "colours"], "there is no task 'colours' (did you mean 'colour'?)"),
        (["--resume", "nothing"], "there is no run 'nothing'"),
        (["--name", "../x"], "name: found '../x'"),
        (["--ray", "head"], "--ray: found 'head'; expected local, auto or HOST:PORT."),
        (["--workers", "2"], "--workers: found without --ray"),
        (["--device", "abacus"], "settings.device: found 'abacus'"),
    ],
)
def test_wrong_input_exits_with_2_and_a_sentence(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code = run(["evaluate", "--workspace", str(workspace), *arguments])
    message = capsys.readouterr().err
    assert sentence in message
    assert "Traceback" not in message
    assert code == 2


def test_a_run_that_failed_exits_with_1_and_says_how_to_go_on(tmp_path: Path) -> None:
    found = make_run(tmp_path / "x", n=6, tasks=("category",))
    write_status(found.folder, RunStatus("failed", error="The disk is full."))
    with pytest.raises(RunError, match=r"The disk is full\. Go on with: lorascope evaluate --resume x"):
        follow(found)


def test_the_line_says_how_far_how_fast_and_how_long_still() -> None:
    status = RunStatus(
        "running", done=30, total=120, reused=10, tokens_per_second=1234.5, seconds_left=75, message="qv-r8: part 3"
    )
    assert (
        describe(status)
        == "[######..................] 30/120  1,234 tokens/s  1:15 left  10 from the cache  qv-r8: part 3"
    )
    assert (clock(59.6), clock(3600), clock(7325)) == ("1:00", "1:00:00", "2:02:05")
