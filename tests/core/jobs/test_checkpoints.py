"""Checkpoints beside adapters: a merged one, one in several files, and ones whose weights are stored in half precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.core.jobs.conftest import evidence
from tests.tiny import make_workspace

pytestmark = pytest.mark.model
HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run in float32 of an adapter and of checkpoints that ought to answer as other variants do."""
    folder = make_workspace(tmp_path_factory.mktemp("checkpoints"), n=3, adapters=1)

    def base() -> Any:
        return LlamaForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)

    merged: Any = PeftModel.from_pretrained(base(), str(folder / "adapters" / "lora-0"))
    merged.merge_and_unload().save_pretrained(folder / "merged")
    base().save_pretrained(folder / "sharded", max_shard_size="20KB")
    for name, half in HALVES.items():
        base().to(half).save_pretrained(folder / name)
        base().to(half).float().save_pretrained(folder / f"{name}-rounded")
    names = ("merged", "sharded", *HALVES, *(f"{name}-rounded" for name in HALVES))
    listed = folder / "workspace.yaml"
    lines = "".join(f"    {name}: {{path: {name}}}\n" for name in names)
    listed.write_text(listed.read_text().replace("datasets:\n", f"  checkpoints:\n{lines}datasets:\n", 1))
    made = prepare_run(load_workspace(folder), Choice(name="run", tasks=("colour", "reply")))
    assert worker.main(["evaluate", str(made.folder)]) == 0, read_status(made).error
    return Run(made.folder)


def found(run: Run, variant: str) -> dict[tuple[str, str, str], tuple[Any, Any, Any]]:
    """Return what a variant answered: text, token log-probabilities, options' sums."""
    return {
        (row["task"], row["example_id"], row["item"]): (row["text"], row["token_logprobs"], row["option_logprob_sums"])
        for row in evidence(run)
        if row["variant"] == variant
    }


def test_a_merged_checkpoint_answers_as_its_adapter(run: Run) -> None:
    merged, adapter, baseline = (found(run, name) for name in ("merged", "lora-0", "baseline"))
    assert len(merged) == 9 and merged.keys() == adapter.keys()
    for key, (text, logprobs, sums) in merged.items():
        assert text == adapter[key][0]
        for own, other in ((logprobs, adapter[key][1]), (sums, adapter[key][2])):
            assert (own is None) == (other is None)
            assert own is None or own == pytest.approx(other, abs=1e-3)
    moved = [abs(merged[key][2][0] - sums[0]) for key, (_, _, sums) in baseline.items() if sums]
    assert max(moved) > 0.1  # the adapter does something that the merged weights hold


def test_a_checkpoint_in_several_files_is_read_whole(run: Run) -> None:
    files = list((run.folder.parents[1] / "sharded").glob("*.safetensors"))
    assert len(files) > 2
    assert found(run, "sharded") == found(run, "baseline")


@pytest.mark.parametrize("name", HALVES)
def test_weights_stored_in_half_precision_are_computed_with_in_float32(run: Run, name: str) -> None:
    assert found(run, name) == found(run, f"{name}-rounded")
    assert found(run, name) != found(run, "baseline")
