"""The package: what it declares, what is pinned, what the wheel holds, and the two commands that set everything up."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
OF_A_GPU_BUILD = ("nvidia-", "cuda-", "triton")
"""What torch brings along on machines with a GPU; torch pins it itself."""
BUNDLED = {"pydantic_core": "pydantic"}
"""Modules of packages that are released as a part of another."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [
        re.fullmatch(r"([A-Za-z0-9._-]+)==([^;\s]+)", line) for line in lines if line and not line.startswith("#")
    ]
    assert None not in pinned, "every line pins one package exactly"
    return {str(canonicalize_name(match[1])): match[2] for match in pinned if match}


def _requirements(project: dict[str, Any], *extras: str) -> list[Requirement]:
    groups = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(text) for group in groups for text in group]


def test_what_the_project_says_of_itself(project: dict[str, Any]) -> None:
    assert (project["name"], project["license"], project["requires-python"]) == ("lorascope", "Apache-2.0", ">=3.11")
    assert Version(project["version"]) >= Version("0.1.0")
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    module, _, function = project["scripts"]["lorascope"].partition(":")
    assert callable(getattr(import_module(module), function))


def test_every_range_has_a_floor_and_holds_the_pinned_version(project: dict[str, Any], pins: dict[str, str]) -> None:
    for requirement in _requirements(project, "dev"):
        pinned = pins.get(str(canonicalize_name(requirement.name)))
        assert pinned is not None, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(pinned), f"{requirement} against {pinned}"
        assert any(part.operator in (">=", "~=") for part in requirement.specifier), f"{requirement} has no floor"


def test_the_lock_pins_everything_that_is_installed_along(project: dict[str, Any], pins: dict[str, str]) -> None:
    missing, done = set(), set()
    left = _requirements(project, "dev")
    while left:
        requirement = left.pop()
        name = str(canonicalize_name(requirement.name))
        if (name, *sorted(requirement.extras)) in done or name.startswith(OF_A_GPU_BUILD):
            continue
        done.add((name, *sorted(requirement.extras)))
        if name not in pins:
            missing.add(name)
        try:
            needed = [Requirement(text) for text in distribution(name).requires or ()]
        except PackageNotFoundError:
            continue
        environments = [{"extra": extra} for extra in ("", *requirement.extras)]
        left += [one for one in needed if one.marker is None or any(one.marker.evaluate(e) for e in environments)]
    assert missing == set()


def test_torch_is_pinned_without_a_build(pins: dict[str, str]) -> None:
    assert pins["torch"] == "2.13.0"
    assert [version for version in pins.values() if "+" in version] == []


def test_every_imported_package_is_declared(project: dict[str, Any]) -> None:
    targets = (
        "mlflow",
        "ray",
        "tensorboard",
        "vllm",
        "wandb",
    )  # extras whose code says what to install where they are missing
    declared = {str(canonicalize_name(requirement.name)) for requirement in _requirements(project, *targets)}
    provided = packages_distributions()
    undeclared = set()
    for folder in ("core", "dashboard"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in _imported(path):
                owners = {str(canonicalize_name(owner)) for owner in provided.get(name, [BUNDLED.get(name, name)])}
                if BUNDLED.get(name) not in declared and not owners & declared:
                    undeclared.add(f"{path.relative_to(ROOT)}: {name}")
    assert undeclared == set()


def _imported(path: Path) -> set[str]:
    """Return the top-level names of foreign packages that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"core", "dashboard"}


def test_no_package_index_is_named() -> None:
    """Where packages come from is the user's own setting: pip's, not ours."""
    hosts = re.compile(
        r"pypi\.org|pythonhosted\.org|download\.pytorch\.org|--(?:extra-)?index-url|--find-links", re.IGNORECASE
    )
    files = [ROOT / name for name in ("Makefile", "pyproject.toml", "constraints.txt", ".ci/run", ".gitignore")]
    files += [path for folder in ("core", "dashboard") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in files if hosts.search(path.read_text(encoding="utf-8"))] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build a wheel from a copy of the tree and return the names in it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for folder in ("core", "dashboard", "tests", "sample_data"):
        skipped = shutil.ignore_patterns("__pycache__", "runs", "adapters" if folder == "sample_data" else "")
        shutil.copytree(ROOT / folder, source / folder, ignore=skipped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(target),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    with zipfile.ZipFile(next(target.glob("lorascope-*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_holds_both_packages_and_their_data(wheel: list[str]) -> None:
    for path in ROOT.glob("core/**/*.py"):
        assert path.relative_to(ROOT).as_posix() in wheel
    assert {"dashboard/app.py", "dashboard/.streamlit/config.toml", "core/cli/main.py"} <= set(wheel)
    data = [
        path.relative_to(ROOT).as_posix() for folder in ("core", "dashboard") for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]  # fmt: skip
    assert set(data) <= set(wheel), "files beside the code that the package needs"
    assert {name.partition("/")[0] for name in wheel if ".dist-info" not in name} == {"core", "dashboard"}


def test_the_shipped_server_settings_are_safe() -> None:
    settings = tomllib.loads((ROOT / "dashboard/.streamlit/config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"
    assert set(settings["server"]["allowedHosts"]) == {"127.0.0.1", "localhost"}
    assert settings["browser"]["gatherUsageStats"] is False


def _make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "DEMO_SERVE")}
    return subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", *arguments], env=variables | environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_make_demo_and_make_test_do_what_they_promise() -> None:
    demo = _make("-n", "-B", "demo", DEMO_SERVE="0").stdout
    assert "-m venv .venv" in demo and "-c constraints.txt" in demo
    assert "DEMO_SERVE=0 .venv/bin/lorascope demo" in demo
    assert "DEMO_SERVE=1 .venv/bin/lorascope demo" in _make("-n", "-B", "demo").stdout
    test = _make("-n", "-B", "test").stdout
    steps = [
        "install --quiet -c constraints.txt -e '.[dev]'",
        "ruff check .",
        "ruff format --check .",
        "bin/pyright",
        "-m pytest",
    ]
    assert [step for step in steps if step not in test] == []
    assert [
        line
        for line in demo.splitlines() + test.splitlines()
        if "pip" in line and "install" in line and "-c constraints.txt" not in line
    ] == []


def test_make_help_names_every_target() -> None:
    shown = re.findall(r"make (\w+)", _make("help").stdout)
    declared = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared and set(shown) == set(declared[1].split())


def test_an_old_python_is_told(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo Python 3.9.2; exit 0; }\nexit 1\n')
    old.chmod(0o755)
    done = _make("-B", ".venv/bin/python", f"PYTHON={old}")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; found: Python 3.9.2" in done.stdout


def test_the_ci_script_is_sound() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text and text.rstrip().endswith("make test")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
