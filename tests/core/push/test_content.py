"""What is handed on is what the comparison and the adapter's files say; what is not known is said with its reason."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from core.compare import compare
from core.errors import InputError
from core.push.content import VariantResult, results_of
from core.push.names import unique_names
from core.results import Comparison
from core.store import Run, write_json
from core.weights import tensor_hash
from tests.core.adapters.made import made_adapter
from tests.synthetic import make_run, make_workspace


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = make_workspace(tmp_path_factory.mktemp("push") / "w", n=16, runs=False)
    made = make_run(folder / "runs" / "small", n=16, tasks=("category",), variants=("baseline", "qv-r8", "qv-r2"))
    adapter = made_adapter(folder / "adapters" / "qv-r8", rank=3, lora_dropout=0.05)
    environment = made.read_json("environment")
    environment["hashes"]["adapters"]["qv-r8"] = tensor_hash([adapter / "adapter_model.safetensors"])
    write_json(made.folder / "environment.json", environment)
    return made


@pytest.fixture(scope="module")
def comparison(run: Run) -> Comparison:
    return compare(run)


@pytest.fixture(scope="module")
def found(run: Run, comparison: Comparison) -> dict[str, VariantResult]:
    return {one.variant: one for one in results_of(run, comparison)}


def test_numbers_are_those_of_the_comparison(found: dict[str, VariantResult], comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    value, difference, told = row.values["qv-r8"], row.differences["qv-r8"], found["qv-r8"].metrics
    assert told["category/accuracy"] == value.value and told["category/accuracy.high"] == value.high
    assert told["category/accuracy.n"] == 16 and told["category/accuracy.difference"] == difference.difference
    assert told["category/accuracy.difference_low"] == difference.low
    assert told["category/accuracy.p_adjusted"] == difference.p_adjusted
    assert "category/accuracy.difference" not in found["baseline"].metrics
    assert told["efficiency/tokens_per_second"] > 0
    assert all(math.isfinite(number) for one in found.values() for number in one.metrics.values())


def test_what_has_no_number_is_left_out_with_its_reason(
    found: dict[str, VariantResult], comparison: Comparison
) -> None:
    empty = [row for row in comparison.efficiency if row.values["qv-r8"].value is None]
    assert empty, "the made-up run has figures that were not measured"
    for row in empty:
        assert row.key not in found["qv-r8"].metrics
        assert found["qv-r8"].tags[f"lorascope.without.{row.key}"] == row.values["qv-r8"].reason


def test_parameters_are_the_adapters_settings_and_the_hashes(found: dict[str, VariantResult], run: Run) -> None:
    parameters, hashes = found["qv-r8"].parameters, run.read_json("environment")["hashes"]
    assert (parameters["r"], parameters["lora_alpha"], parameters["lora_dropout"]) == (3, 6, 0.05)
    assert parameters["target_modules"] == "q_proj, v_proj" and parameters["kind"] == "adapter"
    assert parameters["base_sha256"] == hashes["base"]
    assert parameters["dataset.tickets.sha256"] == hashes["datasets"]["tickets"]
    assert "r" not in found["baseline"].parameters and found["baseline"].parameters["kind"] == "baseline"


def test_an_adapter_that_is_not_there_or_has_changed_has_no_settings(
    found: dict[str, VariantResult], run: Run, comparison: Comparison, tmp_path: Path
) -> None:
    name = "lorascope.without.adapter settings"
    assert found["qv-r2"].tags[name] == "there is no folder adapters/qv-r2 in the workspace"
    shutil.copytree(run.folder, tmp_path / "alone")
    (alone,) = results_of(Run(tmp_path / "alone"), comparison, ["qv-r8"])
    assert alone.tags[name] == "the run lies in no workspace, so that its adapters are not at hand"
    copied = tmp_path / "w"
    shutil.copytree(run.folder.parent.parent, copied)
    made_adapter(copied / "adapters" / "qv-r8", seed=2)
    (changed,) = results_of(Run(copied / "runs" / "small"), comparison, ["qv-r8"])
    assert changed.tags[name] == "adapters/qv-r8 has changed since the run" and "r" not in changed.parameters


def test_tags_say_what_it_is(found: dict[str, VariantResult], comparison: Comparison) -> None:
    tags = found["qv-r8"].tags
    assert (tags["lorascope.run"], tags["lorascope.reference"], tags["lorascope.state"]) == (
        "small",
        "baseline",
        "finished",
    )
    assert tags["lorascope.level"] == "0.95" and tags["lorascope.seed"] == str(comparison.seed)
    assert tags["lorascope.version"]


def test_the_key_is_that_of_run_reference_and_variant(run: Run, comparison: Comparison) -> None:
    again = {one.variant: one.key for one in results_of(run, comparison)}
    other = {one.variant: one.key for one in results_of(run, compare(run, "qv-r2"))}
    assert len({*again.values(), *other.values()}) == 6
    assert again == {one.variant: one.key for one in results_of(run, comparison, files={"report.html": b""})}


def test_the_digest_changes_with_what_is_handed_on(run: Run, comparison: Comparison) -> None:
    plain, more = (results_of(run, comparison, ["qv-r8"], files)[0] for files in (None, {"report.html": b"one"}))
    later = results_of(run, comparison, ["qv-r8"], {"report.html": b"two"})[0]
    assert plain.digest != more.digest and more.digest == later.digest
    assert json.dumps(plain.metrics, allow_nan=False)


def test_a_misspelt_variant_is_answered(run: Run, comparison: Comparison) -> None:
    with pytest.raises(
        InputError, match=r"no variant 'qv-r9' \(did you mean 'qv-r8'\?\); it has baseline, qv-r8, qv-r2\."
    ):
        results_of(run, comparison, ["qv-r9"])


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["reply/rouge_l", "reply/perplexity[de]"], ["reply/rouge_l", "reply/perplexity/de"]),
        (["c/f1[a/b]", "c/f1[a_b]", "c/f1[A_B]"], ["c/f1/a_b", "c/f1/a_b-2", "c/f1/A_B-3"]),
        (["c/f1[..]", "c/f1[退款]", "c+x/f1[<b>$]"], ["c/f1/_2", "c/f1/退款", "c_x/f1/_b__"]),
    ],
)
def test_names_are_such_as_every_target_takes(keys: list[str], names: list[str]) -> None:
    assert unique_names(keys) == names
