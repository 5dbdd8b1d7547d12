"""A user's own metrics in their worker: equal to what they say, and faults that name file and line and spoil nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from core.cli.compare import command as compare_command
from core.compare import compare
from core.errors import InputError
from core.families import declared_family
from core.jobs import worker
from core.jobs.own_launch import compute_own_metrics
from core.jobs.own_metrics import own_metrics
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.records import BASELINE
from core.results import MetricRow
from core.stats.paired import swap_test
from core.stats.rates import mcnemar, wilson_interval
from core.stats.resampling import bootstrap_interval
from core.store import Run
from core.trust import trust
from core.workspace import load_workspace
from tests.core import own_runs
from tests.core.own_runs import BASE_TEXTS, LORA_TEXTS, SHARE_OF_A

HEAD = "def statistics(predictions, references):\n    return [[len(text), 1] for text in predictions]\n\n"
LENGTHS = np.array([[len(text), 1] for text in LORA_TEXTS], dtype=float)
THERE = np.arange(len(LORA_TEXTS)) != 9


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LORASCOPE_CONFIG", str(tmp_path / "config"))
    with own_runs.clean_imports():
        yield


def row_of(folder: Path, code: str, name: str = "mine") -> MetricRow:
    """Return the row of a metric that was computed in this process."""
    run = own_runs.make(folder, code, name)
    trust(folder)
    own_metrics(run.folder, name, BASELINE)
    return compare(run).row(f"reply/{name}")


def fault_of(folder: Path, code: str) -> str:
    row = row_of(folder, code)
    assert {value.value for value in row.values.values()} == {None}
    assert {difference.verdict for difference in row.differences.values()} == {"none"}
    reasons = {value.reason for value in row.values.values()}
    assert len(reasons) == 1
    builtin = compare(Run(folder / "runs" / "mini")).row("reply/exact_match")
    assert builtin.values["lora"].value is not None and builtin.differences["lora"].p is not None, "it spoils no other"
    return reasons.pop() or ""


def test_a_rate_of_two_functions_is_tested_as_a_rate(tmp_path: Path) -> None:
    row = row_of(tmp_path / "w", SHARE_OF_A)
    base = np.array(["a" in text for text in BASE_TEXTS])
    lora = np.array(["a" in text for text in LORA_TEXTS])
    assert (row.label, row.family, row.unit, row.primary) == ("Share of a", "own", "share", False)
    value = row.values["lora"]
    assert value.value == pytest.approx(lora[THERE].mean())
    assert (value.n, value.n_missing, value.method) == (31, 1, "Wilson")
    assert (value.low, value.high) == pytest.approx(wilson_interval(int(lora[THERE].sum()), 31, 0.95))
    difference = row.differences["lora"]
    only_lora, only_base = ((lora & ~base)[THERE].sum(), (base & ~lora)[THERE].sum())
    assert difference.difference == pytest.approx(lora[THERE].mean() - base[THERE].mean())
    assert difference.p == pytest.approx(mcnemar(int(only_lora), int(only_base)).mid_p)
    assert difference.p_adjusted is not None


def test_a_corpus_value_has_the_bootstrap_and_swap_test_of_every_other_metric(tmp_path: Path) -> None:
    code = HEAD + "def value(sums):\n    return (sums[..., 0] / sums[..., 1]) ** 2\n"
    row = row_of(tmp_path / "w", code)
    base = np.array([[len(text), 1] for text in BASE_TEXTS], dtype=float)

    def value(sums: np.ndarray) -> np.ndarray:
        return (sums[..., 0] / sums[..., 1]) ** 2

    assert row.values[BASELINE].value == pytest.approx(float(value(base.sum(axis=0))))
    interval = bootstrap_interval(base, value, resamples=10_000, seed=3)
    assert (row.values[BASELINE].low, row.values[BASELINE].high) == pytest.approx((interval.low, interval.high))
    assert row.values[BASELINE].method == "bootstrap (10,000 resamples)"
    p = swap_test(base[THERE], LENGTHS[THERE], value, trials=20_000, seed=5).p
    assert row.differences["lora"].p == pytest.approx(p, abs=0.02)


@pytest.mark.parametrize(
    "code",
    [
        HEAD + "def value(sums):\n    return float(sums[0]) ** 2 / float(sums[1])\n",
        HEAD + "def value(sums):\n    total, n = sums\n    return total * total / n if n else None\n",
        HEAD + "def value(sums):\n    return sums[..., 0] ** 2 / sums[..., 1]\n",
    ],
    ids=["one row by index", "one row unpacked", "many rows"],
)
def test_a_value_may_be_written_for_one_row_of_sums_or_for_many(tmp_path: Path, code: str) -> None:
    row = row_of(tmp_path / "w", code)
    base = np.array([[len(text), 1] for text in BASE_TEXTS], dtype=float)
    expected = bootstrap_interval(base, lambda sums: sums[..., 0] ** 2 / sums[..., 1], resamples=10_000, seed=3)
    assert (row.values[BASELINE].low, row.values[BASELINE].high) == pytest.approx((expected.low, expected.high))


def test_a_mean_is_tested_by_sign_flip_and_unusable_rows_are_missing(tmp_path: Path) -> None:
    code = (
        "def statistics(predictions, references):\n"
        "    return [[float('nan') if text == 'b' else len(text), 1] for text in predictions]\n\n"
        "def value(sums):\n    return sums[0] / sums[1]\n"
    )
    row = row_of(tmp_path / "w", code)
    expected = [len(text) for text in BASE_TEXTS if text != "b"]
    assert row.values[BASELINE].value == pytest.approx(np.mean(expected))
    assert (row.values[BASELINE].n, row.values[BASELINE].n_missing) == (len(expected), len(BASE_TEXTS) - len(expected))
    assert row.differences["lora"].method.startswith("sign-flip")


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


def test_a_copied_run_shows_what_was_stored(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    before = row_of(folder, SHARE_OF_A)
    copied = Run(Path(shutil.copytree(folder / "runs" / "mini", tmp_path / "elsewhere" / "mini")))
    assert compare(copied).row("reply/mine") == before
    with pytest.raises(InputError, match="lies in no workspace"):
        compute_own_metrics(copied)
    shutil.rmtree(copied.folder / "derived")
    assert "before the run was copied here" in (compare(copied).row("reply/mine").values["lora"].reason or "")


def test_what_is_stored_is_of_one_reference_one_file_and_one_state_of_the_evidence(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    row_of(folder, SHARE_OF_A)
    run = Run(folder / "runs" / "mini")
    reason = compare(run, "lora").row("reply/mine").values["lora"].reason
    assert reason == f"not computed yet: run `lorascope compare mini --own --reference lora --workspace {folder}`"
    own_metrics(run.folder, "mine", "lora")
    there, back = compare(run).row("reply/mine"), compare(run, "lora").row("reply/mine")
    assert back.differences[BASELINE].difference == pytest.approx(-(there.differences["lora"].difference or 0))
    (folder / "metrics" / "mine.py").write_text(SHARE_OF_A + "# another\n")
    trust(folder)
    told = compare(run).row("reply/mine").values["lora"].reason or ""
    assert told.startswith("metrics/mine.py has changed since it was computed: run `lorascope compare mini --own")


def test_a_metric_in_a_folder_imports_what_lies_beside_it_and_no_compiled_file(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    run = own_runs.make(folder, None)
    package = folder / "metrics" / "mine"
    package.mkdir(parents=True)
    (package / "mine.py").write_text("from .letters import LETTER\n" + SHARE_OF_A.replace('"a" in', "LETTER in"))
    (package / "letters.py").write_text("LETTER = 'b'\n")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "letters.cpython-311.pyc").write_bytes(b"not code")
    spec = run.spec.model_copy(update={"own_metrics": {"mine": "x"}})
    (run.folder / "spec.json").write_text(spec.model_dump_json())
    trust(folder)
    own_metrics(run.folder, "mine", BASELINE)
    row = compare(Run(run.folder)).row("reply/mine")
    assert row.values[BASELINE].value == pytest.approx(np.mean(["b" in text for text in BASE_TEXTS]))
    assert not list((package / "__pycache__").glob("mine*")), "nothing is written into the workspace"


def test_a_declared_primary_metric_is_in_the_family_and_otherwise_not(tmp_path: Path) -> None:
    plain = own_runs.make(tmp_path / "w")
    assert declared_family(plain.spec) == ("reply/exact_match",)
    declared = own_runs.make(tmp_path / "v", primary=("mine", "exact_match"))
    assert declared_family(declared.spec) == ("reply/mine", "reply/exact_match")
    trust(tmp_path / "v")
    own_metrics(declared.folder, "mine", BASELINE)
    comparison = compare(declared)
    assert comparison.family_size == 2
    row = comparison.row("reply/mine")
    p, other = row.differences["lora"].p, comparison.row("reply/exact_match").differences["lora"].p
    assert row.primary and p is not None and other is not None
    assert row.differences["lora"].p_adjusted == pytest.approx(
        min(1, 2 * p) if p <= other else max(p, min(1, 2 * other))
    )


def test_a_run_that_goes_on_says_so(tmp_path: Path) -> None:
    run = own_runs.make(tmp_path / "w", finished=False)
    assert compare(run).row("reply/mine").values["lora"].reason == "it is computed when the run is finished"
    with pytest.raises(InputError, match="not finished"):
        compute_own_metrics(run)


EVALUATE = """\
import datasets
import evaluate

LABEL = "Through evaluate"

class Mine(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="", citation="", inputs_description="",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions, references):
        return RETURNED
"""


def test_a_module_of_evaluate_that_is_a_mean_has_the_statistics_of_single_examples(tmp_path: Path) -> None:
    mean = EVALUATE.replace(
        "RETURNED", '{"mine": sum(len(text) for text in predictions) / len(predictions), "other": 3}'
    )
    row = row_of(tmp_path / "w", mean)
    lengths = np.array([[len(text), 1] for text in BASE_TEXTS], dtype=float)
    expected = bootstrap_interval(lengths, lambda sums: sums[..., 0] / sums[..., 1], resamples=10_000, seed=3)
    value = row.values[BASELINE]
    assert (row.label, value.value) == ("Through evaluate", pytest.approx(lengths[:, 0].mean()))
    assert (value.low, value.high) == pytest.approx((expected.low, expected.high))
    assert row.differences["lora"].method.startswith("sign-flip")
    assert value.n == 32 and row.values["lora"].n_missing == 1


def test_a_module_of_evaluate_that_is_no_mean_is_computed_anew_for_fewer_resamples(tmp_path: Path) -> None:
    returned = '{"one": float(len(set(predictions)) ** 0.5)}'
    row = row_of(tmp_path / "w", EVALUATE.replace("RETURNED", returned))
    value, difference = row.values[BASELINE], row.differences["lora"]
    assert value.value == pytest.approx(len(set(BASE_TEXTS)) ** 0.5)
    assert value.method == "bootstrap (200 resamples)"
    assert value.low is not None and value.high is not None and value.low <= value.value
    assert difference.method.startswith("swap test (200 draws)")
    assert difference.p is not None and 1 / 201 <= difference.p <= 1


def test_faults_of_an_evaluate_module_are_said_too(tmp_path: Path) -> None:
    several = fault_of(tmp_path / "a", EVALUATE.replace("RETURNED", '{"x": 1, "y": 2}'))
    assert several == "metrics/mine.py: it returned several numbers (x, y); expected one, or one that is named 'mine'"
    assert fault_of(tmp_path / "b", EVALUATE.replace("RETURNED", '{"x": "much"}')).startswith(
        "metrics/mine.py: it returned no number"
    )
    assert fault_of(tmp_path / "c", EVALUATE.replace("RETURNED", "1 / 0")).startswith(
        "metrics/mine.py, line 15: ZeroDivisionError"
    )
    assert "no class of evaluate.Metric" in fault_of(tmp_path / "d", "class Mine(dict):\n    pass\n")


def test_an_evaluated_run_has_its_own_metrics_computed_at_its_end(workspace: Path) -> None:
    text = (workspace / "workspace.yaml").read_text().replace("[bleu, chrf, perplexity]", "[chrf, mine]")
    (workspace / "workspace.yaml").write_text(text)
    (workspace / "metrics").mkdir()
    (workspace / "metrics" / "mine.py").write_text(SHARE_OF_A)
    opened = load_workspace(workspace)
    untrusted = prepare_run(opened, Choice(name="untrusted", tasks=("reply",), adapters=("lora-0",)))
    assert worker.main(["evaluate", str(untrusted.folder)]) == 0
    status = read_status(untrusted)
    assert status.state == "finished" and any("not trusted: metrics/mine.py" in warning for warning in status.warnings)
    trust(workspace)
    run = prepare_run(opened, Choice(name="trusted", tasks=("reply",), adapters=("lora-0",)))
    assert run.spec.own_metrics.keys() == {"mine"} and "reply/mine" not in run.spec.family
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert read_status(run).warnings == ()
    texts = run.evidence(task="reply", variant="lora-0")["text"].drop_null().to_pylist()
    assert compare(run).row("reply/mine").values["lora-0"].value == pytest.approx(
        np.mean(["a" in text for text in texts])
    )
    command = CliRunner().invoke(compare_command, ["untrusted", "--own", "--json", "--workspace", str(workspace)])
    rows = {row["key"]: row for row in json.loads(command.stdout)["rows"]}
    value = rows["reply/mine"]["values"]["lora-0"]
    assert value["value"] is not None, value["reason"]


def test_the_documented_template_and_the_shipped_example_are_metrics(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    template = re.findall(r"```python\n(.*?)```", (root / "docs" / "own-metrics.md").read_text(), re.DOTALL)[0]
    assert template.count("\n") < 20
    row = row_of(tmp_path / "w", template.replace('"Dear"', '"a"'))
    assert row.values[BASELINE].value == pytest.approx(np.mean([text.startswith("a") for text in BASE_TEXTS]))
    shipped = (root / "sample_data" / "metrics" / "politeness.py").read_text()
    row = row_of(tmp_path / "v", shipped.replace("(dear|", "(a|").replace("(fernhill team|", "(a|"))
    assert (row.label, row.unit) == ("Politeness", "share")
    assert row.values[BASELINE].value == pytest.approx(np.mean([text == "a" for text in BASE_TEXTS]))
