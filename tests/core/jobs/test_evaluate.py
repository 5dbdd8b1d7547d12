"""A run is the same whatever happened on the way; what was computed once is found again; faults are said."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.jobs.conftest import evidence
from tests.tiny import make_adapter, make_base


def test_a_run_holds_every_piece_of_evidence_once(finished: Run) -> None:
    rows = evidence(finished)
    keys = [(r["task"], r["variant"], r["example_id"], r["item"]) for r in rows]
    assert len(keys) == len(set(keys))
    per_variant = 16 * (1 + 1 + 3 + 1 + 2 + 1)  # colour, level, three marks, docs, reply and its likelihood, plain
    assert len(rows) == 3 * per_variant
    assert all(row["reason"] is None for row in rows)
    status = read_status(finished)
    assert (status.state, status.done, status.total) == ("finished", 3 * per_variant, 3 * per_variant)
    assert not (finished.folder / "parts").exists()


def test_adapters_differ_from_the_baseline_and_prompts_are_kept(finished: Run) -> None:
    found = {
        v: finished.evidence(task="colour", variant=v)["option_logprob_sums"].to_pylist()
        for v in ("baseline", "lora-0", "lora-1")
    }
    assert found["baseline"] != found["lora-0"] != found["lora-1"]
    assert "number 0" in finished.examples[0].prompt
    assert finished.examples[0].prompt.endswith("<|im_start|>assistant\n")


def test_killed_twice_and_resumed_it_ends_with_the_same_bits(workspace: Path, finished: Run) -> None:
    run = prepare_run(load_workspace(workspace), Choice(name="whole"))
    for kill in range(2):
        process = subprocess.Popen([sys.executable, "-m", "core.jobs.worker", "evaluate", str(run.folder)])
        wanted = 2 * kill + 1
        while process.poll() is None and len(list(run.folder.glob("parts/*/*.parquet"))) < wanted:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert read_status(run).state != "finished", "it was too fast to be killed in the middle"
    assert worker.main(["evaluate", str(run.folder)]) == 0
    assert evidence(run) == evidence(finished)


def test_a_second_run_finds_everything_and_imports_no_torch(workspace: Path, finished: Run) -> None:
    first = prepare_run(load_workspace(workspace), Choice(name="first"))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    second = prepare_run(load_workspace(workspace), Choice(name="second"))
    code = (
        "import sys; from core.jobs import worker; assert worker.main(['evaluate', sys.argv[1]]) == 0; "
        "assert not {'torch', 'transformers', 'peft'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(second.folder)], check=True)
    status = read_status(second)
    assert status.reused == status.done == status.total > 0
    assert evidence(second) == evidence(first)


def test_one_more_adapter_costs_one_adapter(workspace: Path) -> None:
    few = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(few.folder)]) == 0
    more = prepare_run(load_workspace(workspace), Choice(name="more"))
    assert worker.main(["evaluate", str(more.folder)]) == 0
    status = read_status(more)
    assert status.reused == status.total * 2 // 3


def test_a_retrained_adapter_in_the_same_folder_is_computed_anew(workspace: Path) -> None:
    first = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    make_adapter(workspace / "base", workspace / "adapters" / "lora-0", seed=99)
    second = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(second.folder)]) == 0
    assert read_status(second).reused == read_status(second).total // 2  # the baseline alone
    texts = [run.evidence(task="reply", variant="lora-0")["token_logprobs"].to_pylist() for run in (first, second)]
    assert texts[0] != texts[1]


def test_another_alpha_with_the_same_tensors_is_computed_anew(workspace: Path) -> None:
    first = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(first.folder)]) == 0
    path = workspace / "adapters" / "lora-0" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"lora_alpha": 1}))
    second = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    assert worker.main(["evaluate", str(second.folder)]) == 0
    assert read_status(second).reused == read_status(second).total // 2


def test_scale_zero_equals_the_baseline(workspace: Path) -> None:
    path = workspace / "workspace.yaml"
    path.write_text(
        path.read_text().replace("lora-0: {path: adapters/lora-0}", "lora-0: {path: adapters/lora-0, scale: 0}")
    )
    run = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",), tasks=("reply", "colour")))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    ours, theirs = (run.evidence(variant=v).drop_columns(["variant"]).to_pylist() for v in ("baseline", "lora-0"))
    assert ours == theirs


def test_a_checkpoint_is_a_variant_beside_adapters(workspace: Path) -> None:
    make_base(workspace / "tuned", seed=5)
    path = workspace / "workspace.yaml"
    path.write_text(
        path.read_text().replace("datasets:", "  checkpoints: {tuned: {path: tuned}, same: {path: base}}\ndatasets:", 1)
    )
    run = prepare_run(
        load_workspace(workspace), Choice(adapters=("lora-0", "tuned", "same"), tasks=("colour", "reply"))
    )
    assert worker.main(["evaluate", str(run.folder)]) == 0
    found = {v: run.evidence(variant=v).drop_columns(["variant"]).to_pylist() for v in run.spec.models.variants}
    assert list(found) == ["baseline", "lora-0", "tuned", "same"]
    assert found["same"] == found["baseline"]
    assert found["tuned"] != found["baseline"]
