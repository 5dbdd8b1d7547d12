"""What each variant costs beside the metrics: hand-computed values, paired by repeat, never a verdict, never invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.compare import compare, headline
from core.efficiency_rows import efficiency_rows
from core.errors import InputError
from core.results import MetricRow
from core.store import Run, write_json
from tests.synthetic import make_run

SECONDS = {"baseline": 1.0, "qv-r8": 2.0, "all-r8": 1.0, "qv-r2": 1.0}
PROBED = (
    "tokens_per_second", "time_to_first_token", "latency_p50", "latency_p95", "peak_gpu_memory", "peak_host_memory",
    "cpu_seconds", "mean_cores", "energy",
)  # fmt: skip
STATIC = ("trainable_parameters", "adapter_size", "training_time")


def entries(**more: Any) -> list[dict[str, Any]]:
    return [
        {
            "variant": name, "repeat": repeat, "prompt": prompt, "n_prompt_tokens": 9, "n_new_tokens": 10,
            "seconds_to_first_token": 0.1 * one, "seconds": one + 0.5 * repeat + 0.25 * prompt, "peak_bytes": 1000 + repeat,
        } | more
        for repeat in range(5) for name, one in SECONDS.items() for prompt in range(2)
    ]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = make_run(tmp_path / "runs" / "r", n=16, tasks=("category",))
    write_json(run.folder / "probe.json", {"settings": {"repeats": 5, "device": "cpu"}, "repeats": entries()})
    return Run(run.folder)


def rows_of(run: Run, **files: Any) -> dict[str, MetricRow]:
    for name, content in files.items():
        write_json(run.folder / f"{name}.json", content)
    return {row.metric: row for row in efficiency_rows(Run(run.folder), "baseline", level=0.95, seed=0)}


def test_every_figure_is_a_row(run: Run) -> None:
    assert tuple(rows_of(run)) == (*PROBED, *STATIC)
    assert all(set(row.values) == set(SECONDS) for row in rows_of(run).values())


def test_values_and_differences_are_those_of_the_answers(run: Run) -> None:
    rows = {row.metric: row for row in compare(run).efficiency}
    base = np.array([[1 + 0.5 * r + 0.25 * p for p in range(2)] for r in range(5)])
    slow = base + 1
    speed = np.median(20 / base.sum(1)), np.median(20 / slow.sum(1))
    assert rows["tokens_per_second"].values["baseline"].value == pytest.approx(speed[0])
    assert rows["tokens_per_second"].differences["qv-r8"].difference == pytest.approx(speed[1] - speed[0])
    assert rows["time_to_first_token"].differences["qv-r8"].difference == pytest.approx(0.1)
    assert rows["latency_p50"].values["baseline"].value == pytest.approx(np.quantile(base, 0.5))
    assert rows["latency_p95"].differences["qv-r8"].difference == pytest.approx(1.0)


def test_cpu_time_cores_and_energy_by_hand(run: Run) -> None:
    settings = {"device": "cuda:0", "energy": "NVML"}
    repeats = entries(cpu_seconds=3.0, energy_joules=50.0, peak_host_bytes=7000, peak_gpu_bytes=9000)
    rows = rows_of(run, probe={"settings": settings, "repeats": repeats})
    base = np.array([[1 + 0.5 * r + 0.25 * p for p in range(2)] for r in range(5)])
    assert rows["cpu_seconds"].values["qv-r8"].value == pytest.approx(3.0)
    assert rows["mean_cores"].values["baseline"].value == pytest.approx(np.median(6 / base.sum(1)))
    assert rows["mean_cores"].direction_free
    assert rows["energy"].values["baseline"].value == pytest.approx(50)
    assert (rows["energy"].unit, rows["energy"].differences["qv-r8"].difference) == ("joules", 0.0)
    peaks = [rows[name].values["qv-r2"] for name in ("peak_host_memory", "peak_gpu_memory")]
    assert [(peak.value, peak.low, peak.method) for peak in peaks] == [
        (7000.0, None, "highest of 10 answers"),
        (9000.0, None, "highest of 10 answers"),
    ]


def test_what_was_not_measured_says_why(run: Run) -> None:
    rows = rows_of(run)
    older = "the probe of the version that made this run did not measure it"
    assert rows["cpu_seconds"].values["qv-r8"].reason == rows["energy"].values["baseline"].reason == older
    assert rows["peak_gpu_memory"].values["qv-r8"].reason == "no GPU whose memory is counted: the run was on cpu"
    assert rows["peak_host_memory"].values["qv-r8"].value == 1004, "an older probe's one peak, on a CPU the host's"
    difference = rows["energy"].differences["qv-r8"]
    assert (difference.difference, difference.verdict, difference.reason) == (None, "none", f"qv-r8: {older}")
    settings = {"device": "cpu", "energy": "no NVML on this device"}
    rows = rows_of(run, probe={"settings": settings, "repeats": entries(energy_joules=None, cpu_seconds=1.0)})
    assert rows["energy"].values["qv-r8"].reason == "no NVML on this device"
    rows = rows_of(run, probe={"settings": {"device": "cuda:0"}, "repeats": entries()})
    assert rows["peak_gpu_memory"].values["qv-r8"].value == 1004, "an older probe's one peak, on a GPU its own"
    assert rows["peak_host_memory"].values["qv-r8"].reason == older


def test_size_and_training_time_come_from_the_runs_own_files(run: Run) -> None:
    facts = {
        "qv-r8": {"seconds": 338.7, "parameters": 11, "bytes": 44},
        "qv-r2": {"seconds": None, "parameters": 5, "bytes": 20},
    }
    environment = Run(run.folder).read_json("environment") | {"training": facts}
    rows = rows_of(run, environment=environment)
    time, size = rows["training_time"], rows["adapter_size"]
    assert (time.values["qv-r8"].value, time.values["qv-r8"].method) == (338.7, "logged by the trainer")
    assert "train_runtime" in (time.values["qv-r2"].reason or "")
    assert time.values["all-r8"].reason == "the version that made this run did not keep it"
    assert time.differences["qv-r8"].difference == 338.7
    assert size.values["qv-r8"].value == 44
    assert size.values["all-r8"].value == 2 * 2_442_240, "of an older run's pre-flight"
    assert size.values["baseline"].value == 0
    assert (size.differences["qv-r8"].low, size.differences["qv-r8"].method) == (None, "counted")
    assert rows["trainable_parameters"].differences["qv-r2"].difference == 5


def test_a_whole_model_has_a_training_time_and_no_adapter(run: Run) -> None:
    (run.folder / "preflight.json").unlink()
    environment = Run(run.folder).read_json("environment") | {"training": {"qv-r8": {"seconds": 5.0}}}
    rows = rows_of(run, environment=environment)
    assert rows["training_time"].values["qv-r8"].value == 5.0
    assert rows["adapter_size"].values["qv-r8"].reason == "a whole model, no adapter"


def test_repeats_are_paired_so_that_what_all_share_cancels(run: Run) -> None:
    rows = rows_of(run)
    for name in PROBED[:4]:
        same = rows[name].differences["all-r8"]
        assert (same.difference, same.low, same.high) == (0.0, 0.0, 0.0)
    p50 = rows["latency_p50"].differences["qv-r8"]
    assert (p50.low, p50.high) == pytest.approx((1.0, 1.0))


def test_fewer_than_five_repeats_have_no_interval(run: Run) -> None:
    few = [entry for entry in entries() if entry["repeat"] < 4]
    row = rows_of(run, probe={"settings": {}, "repeats": few})["latency_p50"]
    assert row.values["qv-r8"].value is not None
    assert (row.values["qv-r8"].low, row.values["qv-r8"].method) == (None, "none: an interval needs 5 repeats")
    assert row.differences["qv-r8"].low is None


def test_no_verdict_no_p_and_no_count(run: Run) -> None:
    comparison = compare(run)
    found = [difference for row in comparison.efficiency for difference in row.differences.values()]
    assert {(d.verdict, d.p, d.p_adjusted) for d in found if d.difference is not None} == {("unclear", None, None)}
    assert headline(comparison, "qv-r8").of == sum(row.primary for row in comparison.rows)
    assert not {row.task for row in comparison.rows} & {"efficiency"}


def test_without_a_probe_the_files_still_speak(run: Run) -> None:
    (run.folder / "probe.json").unlink()
    rows = rows_of(run)
    assert {rows[name].values["qv-r8"].reason for name in PROBED} == {
        "the run has no probe of speed: it was switched off, or has not come yet"
    }
    assert rows["adapter_size"].values["qv-r8"].value == 2 * 460_800
    (run.folder / "preflight.json").unlink()
    assert rows_of(run) == {}


def test_a_variant_that_was_not_probed_has_no_figures_and_the_others_do(run: Run) -> None:
    some = [entry for entry in entries() if entry["variant"] != "baseline"]
    row = rows_of(run, probe={"settings": {}, "repeats": some})["latency_p50"]
    assert row.values["baseline"].reason == "the probe did not measure baseline"
    assert row.values["qv-r8"].value == pytest.approx(3.125)
    assert row.differences["qv-r8"].reason == "baseline: the probe did not measure baseline"


def test_a_broken_probe_is_a_sentence(run: Run) -> None:
    broken = entries()
    del broken[3]["seconds"]
    with pytest.raises(InputError, match="lacks 'seconds'. Delete the file and evaluate again"):
        rows_of(run, probe={"settings": {}, "repeats": broken})
    with pytest.raises(InputError, match="'baseline' have different numbers of answers"):
        rows_of(run, probe={"settings": {}, "repeats": entries()[1:]})
