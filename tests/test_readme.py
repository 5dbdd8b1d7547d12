"""README tells the truth: its commands run, its table is the shipped run's, its picture is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from benchmarks.readme_table import expected
from core.workspace import load_workspace
from tests.tiny import make_adapter, make_base

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
ENDLESS = ("dashboard",)
"""Commands that serve until they are stopped: they are started, asked, and stopped."""


def test_the_commands_are_those_that_are_tried_here() -> None:
    known = ("make demo", "make test", "python3 -m venv", ".venv/bin/pip", ".venv/bin/lorascope demo", "lorascope ")
    assert len(COMMANDS) >= 10
    assert [line for line in COMMANDS if not line.startswith(known)] == []


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)$", README, flags=re.MULTILINE))
def test_make_targets_do_what_readme_says(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = {"demo": ["lorascope demo"], "test": ["ruff check", "pyright", "pytest"]}[target]
    assert all(word in done.stdout for word in wanted)


def test_the_plain_installation_installs_what_make_installs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in (line for line in COMMANDS if line.startswith(".venv/bin/pip")):
        assert line.removeprefix(".venv/bin/pip install ") in re.sub(r" --quiet", "", makefile).replace("install ", "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base, adapters and rows under the names that README uses, and the sample beside them."""
    folder = tmp_path_factory.mktemp("readme")
    make_base(folder / "models" / "base")
    make_adapter(folder / "models" / "base", folder / "outputs" / "qv-r8")
    rows = [
        {"messages": [{"role": "user", "content": f"question {k}"}, {"role": "assistant", "content": f"answer {k}"}]}
        for k in range(4)
    ]
    (folder / "heldout.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    return folder


def test_lorascope_commands_run_in_the_order_of_readme(folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LORASCOPE_CACHE": str(folder / "cache")}
    for line in (line for line in COMMANDS if line.startswith("lorascope ")):
        words = shlex.split(line)[1:]
        if words[0] in ENDLESS:
            _serves(words, folder, environment)
            continue
        done = subprocess.run(
            [sys.executable, "-m", "core.cli.main", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert len(load_workspace(folder / "my-lora").runs()) == 2


def _serves(words: list[str], folder: Path, environment: dict[str, str]) -> None:
    port = ["--port", "8597"]
    process = subprocess.Popen(
        [sys.executable, "-m", "core.cli.main", *words, *port],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "Dashboard: http://127.0.0.1:8597" in process.stdout.readline()
        assert _is_healthy("http://127.0.0.1:8597/_stcore/health")
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0


def _is_healthy(address: str) -> bool:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.2)
    return False


def test_the_yaml_example_is_a_workspace(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    assert block is not None
    (tmp_path / "workspace.yaml").write_text(block.group(1))
    spec = load_workspace(tmp_path).spec
    assert set(spec.tasks) == {"category", "reply"}


def test_the_table_is_the_shipped_runs() -> None:
    assert expected(README) == README


def test_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")
