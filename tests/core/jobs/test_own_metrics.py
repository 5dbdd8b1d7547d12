"""A user's own metrics in their worker: equal to what they say, and kept with their run."""

from __future__ import annotations

import json
import re
import shutil
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
from core.stats.paired import swap_test
from core.stats.rates import mcnemar, wilson_interval
from core.stats.resampling import bootstrap_interval
from core.store import Run
from core.trust import trust
from core.workspace import load_workspace
from tests.core import own_runs
from tests.core.jobs.own_rows import HEAD, row_of
from tests.core.own_runs import BASE_TEXTS, LORA_TEXTS, SHARE_OF_A

LENGTHS = np.array([[len(text), 1] for text in LORA_TEXTS], dtype=float)
THERE = np.arange(len(LORA_TEXTS)) != 9
pytestmark = pytest.mark.usefixtures("own_settings")


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
