"""``lorascope compare --fail-if``: exit codes, JUnit and annotations."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from core.cli.gate import annotation, junit_xml
from core.cli.main import run
from core.gate import Outcome
from tests.synthetic import make_workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("gate") / "w", n=24)


def compared(folder: Path, *arguments: str) -> int:
    return run(["compare", "--workspace", str(folder), "--task", "category", *arguments])


def test_a_condition_that_holds_exits_with_3_and_says_why(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "gate.xml"
    arguments = ["--variant", "qv-r8", "--fail-if", "accuracy > 0", "--fail-if", "accuracy < 0"]
    assert compared(folder, *arguments, "--junit", str(written), "--annotations", "github") == 3
    out, err = capsys.readouterr()
    assert "Failed: qv-r8, accuracy > 0. category: Accuracy of qv-r8 is " in err
    lines = [line for line in out.splitlines() if line.startswith("::")]
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice"]
    suite = ElementTree.parse(written).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.find("failure") is not None for case in suite] == [True, False]


def test_all_conditions_passed_exits_with_0_over_every_variant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(folder, "--fail-if", "accuracy < 0", "--json") == 0
    out, err = capsys.readouterr()
    outcomes = json.loads(out)["gate"]
    assert [one["variant"] for one in outcomes] == ["qv-r8", "all-r8", "qv-r2"]
    assert not any(one["failed"] for one in outcomes) and "Passed: none of 3" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--fail-if", "accuracy is bad"], "expected a condition such as"),
        (["--variant", "baseline", "--fail-if", "any worsens"], "that is the reference"),
        (["--variant", "qv-r9", "--fail-if", "any worsens"], "did you mean 'qv-r8'"),
        (["--junit", "x.xml"], "expected --fail-if"),
        (["--annotations", "github"], "expected --fail-if"),
        (["--fail-if", "any worsens", "--junit", "nowhere/x.xml"], "there is no folder"),
    ],
)
def test_wrong_input_exits_with_2(
    folder: Path, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(folder, *arguments) == 2
    assert expected in capsys.readouterr().err


def test_the_help_says_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Exits with 0 where" in out and "and 3 where a condition holds" in out


HOSTILE = Outcome("a < b", "x,y", "t/m", True, "50 % down\n::error::forged <script>\x1b]]>")


def test_a_hostile_reason_cannot_forge_a_second_annotation() -> None:
    line = annotation(HOSTILE)
    assert "\n" not in line and line.startswith("::error title=lorascope%3A x%2Cy%2C a < b::50 %25 down%0A")


def test_a_hostile_reason_is_text_in_the_xml() -> None:
    failure = ElementTree.fromstring(junit_xml("run", [HOSTILE]))[0][0][0]
    assert failure.get("message") == "50 % down ::error::forged <script> ]]>"
