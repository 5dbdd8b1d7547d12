"""Faults of a user's own metrics name file and line, are stopped where they hang, and spoil no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.compare import compare
from core.errors import InputError
from core.jobs.own_launch import compute_own_metrics
from core.jobs.own_metrics import own_metrics
from core.records import BASELINE
from core.trust import trust
from tests.core import own_runs
from tests.core.jobs.own_rows import HEAD, fault_of, row_of
from tests.core.own_runs import SHARE_OF_A

pytestmark = pytest.mark.usefixtures("own_settings")

FAULTS = {
    "a division by zero": (
        HEAD + "def value(sums):\n    wrong = 0\n    return 1 / wrong\n", r"line 6: ZeroDivisionError: division by zero$",
    ),
    "a name that is not there": ("x = 1\ny = z\n" + SHARE_OF_A, r"line 2: NameError: name 'z' is not defined$"),
    "an exit": ("import sys\nsys.exit('bye')\n" + SHARE_OF_A, r"line 2: SystemExit: bye$"),
    "a package that is not installed": ("import no_such_package\n" + SHARE_OF_A, r"line 1: ModuleNotFoundError: .*no_such_package"),
    "a fault deep in a library": (
        "import json\n\ndef statistics(predictions, references):\n    return json.loads('{')\n\ndef value(sums):\n    return 0\n",
        r"line 4: JSONDecodeError: ",
    ),
    "too few rows": (
        "def statistics(predictions, references):\n    return [[1, 1]]\n\ndef value(sums):\n    return 0\n",
        r"`statistics` returned an array of shape \(1, 2\); expected \(32, k\), a row of numbers for each of the 32 predictions$",
    ),
    "one number for each": (
        "def statistics(predictions, references):\n    return [1 for _ in predictions]\n\ndef value(sums):\n    return 0\n",
        r"`statistics` returned an array of shape \(32,\); expected \(32, k\)",
    ),
    "texts": (
        "def statistics(predictions, references):\n    return [['x'] for _ in predictions]\n\ndef value(sums):\n    return 0\n",
        r"`statistics` returned a value of type list that holds no numbers; expected \(32, k\)",
    ),
    "several values": (
        HEAD + "def value(sums):\n    return [1, 2, 3]\n",
        r"`value` returned an array of shape \(3,\); expected one number for sums of 2 columns$"
    ),
    "a text as value": (HEAD + "def value(sums):\n    return 'much'\n", r"`value` returned a value of type str; expected one number"),
    "columns that change": (
        "def statistics(predictions, references):\n    return [[1] * (2 + (len(predictions) == 31)) for _ in predictions]\n\n"
        "def value(sums):\n    return 0\n",
        r"`statistics` returned different numbers of columns: 2 for baseline, 3 for lora; expected the same$",
    ),
    "a message of many lines and odd letters": (
        "raise ValueError('first\\x1b[31m\\ud800\\nsecond')\n" + SHARE_OF_A, r"line 1: ValueError: first \[31m $"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_file_and_line_and_spoils_no_other(tmp_path: Path, name: str) -> None:
    code, sentence = FAULTS[name]
    told = fault_of(tmp_path / "w", code)
    assert told.startswith("metrics/mine.py") and re.search(sentence, told), told
    assert "Traceback" not in told and "\n" not in told


def test_a_value_that_is_no_number_is_none_with_a_reason(tmp_path: Path) -> None:
    row = row_of(tmp_path / "w", HEAD + "def value(sums):\n    return float('nan')\n")
    assert (row.values["lora"].value, row.values["lora"].reason) == (None, "metrics/mine.py gives no finite number")
    row = row_of(tmp_path / "v", HEAD + "def value(sums):\n    return sums[..., 0] * float('inf')\n")
    assert (row.values["lora"].value, row.values["lora"].reason) == (None, "the value is too large for a number")


def test_resamples_that_divide_by_zero_are_undefined_and_counted(tmp_path: Path) -> None:
    code = (
        "def statistics(predictions, references):\n    return [[text == 'c', text == '谢谢'] for text in predictions]\n\n"
        "def value(sums):\n    return float(sums[0]) / float(sums[1]) if sums[1] else 1 / 0\n"
    )
    row = row_of(tmp_path / "w", code.replace("text == '谢谢'", "text.startswith('谢谢')"))
    assert row.values[BASELINE].value == 1
    assert "of them undefined" in row.values[BASELINE].method


def test_code_runs_only_after_it_was_trusted_and_not_after_it_changed(tmp_path: Path) -> None:
    folder, ran = tmp_path / "w", tmp_path / "ran"
    run = own_runs.make(folder, f"open({str(ran)!r}, 'w').close()\n" + SHARE_OF_A)
    told = compute_own_metrics(run)
    assert "not trusted: metrics/mine.py is code that nobody has allowed to run" in told[0]
    with pytest.raises(InputError, match="lorascope trust"):
        own_metrics(run.folder, "mine", BASELINE)
    trust(folder)
    with (folder / "metrics" / "mine.py").open("a") as file:
        file.write("# changed\n")
    assert "metrics/mine.py has changed since it was" in compute_own_metrics(run)[0]
    assert not ran.exists()
    reason = compare(run).row("reply/mine").values["lora"].reason or ""
    assert f"run: lorascope trust --workspace {folder}" in reason
    trust(folder)
    assert compute_own_metrics(run) == ()
    assert ran.exists()
    assert compare(run).row("reply/mine").values["lora"].value is not None


def test_a_metric_that_crashes_is_said_and_spoils_no_other(tmp_path: Path) -> None:
    code = "import os\nos.kill(os.getpid(), 11)\n" + SHARE_OF_A
    run = own_runs.make(tmp_path / "v", code, "crash", metrics=("crash", "exact_match"))
    trust(tmp_path / "v")
    told = compute_own_metrics(run)
    assert told[0].startswith("crash: metrics/crash.py: its process was stopped by SIGSEGV")
    assert compare(run).row("reply/exact_match").differences["lora"].p is not None


def test_a_metric_that_hangs_is_stopped(tmp_path: Path) -> None:
    code = "import time\nprint('working')\ntime.sleep(1000)\n" + SHARE_OF_A
    run = own_runs.make(tmp_path / "w", code, "hang")
    trust(tmp_path / "w")
    sentence = "metrics/hang.py: it took longer than 10 seconds and was stopped"
    assert compute_own_metrics(run, seconds=10) == (f"hang: {sentence}",)
    assert "working" in (run.folder / "derived" / "own" / "hang.log").read_text()
    assert compare(run).row("reply/hang").values["lora"].reason == sentence


def test_a_run_that_goes_on_says_so(tmp_path: Path) -> None:
    run = own_runs.make(tmp_path / "w", finished=False)
    assert compare(run).row("reply/mine").values["lora"].reason == "it is computed when the run is finished"
    with pytest.raises(InputError, match="not finished"):
        compute_own_metrics(run)
