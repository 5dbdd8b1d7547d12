"""Adapters of kinds beside LoRA in a run: what cannot be evaluated exactly is said before it, what can goes through it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.workspace import load_workspace
from tests.core.engine.kinds import ALL_KINDS, make_kind


@pytest.mark.parametrize(
    ("config", "scale", "sentence"),
    [
        ({"peft_type": "XLORA"}, 1, "PEFT type XLORA, cannot be evaluated exactly: it mixes other adapters by a first pass"),
        ({"peft_type": "SOMETHING"}, 1, "SOMETHING, cannot be evaluated exactly: this kind was never compared with PEFT's own"),
        ({"alora_invocation_tokens": [5]}, 1, "it is switched on by tokens in the prompt"),
        ({"peft_type": "IA3"}, 0.5, "scale: found 0.5; a factor on its scale has a meaning for LoRA alone"),
        ({"modules_to_save": ["lm_head"]}, 2, "it ships whole weights .modules_to_save., which have no scale"),
        ({"bias": "all"}, 2, "it ships biases .bias: all., which have no scale"),
    ],
)  # fmt: skip
def test_a_kind_or_scale_that_has_no_exact_meaning_is_said_before_anything_is_computed(
    workspace: Path, config: dict[str, Any], scale: float, sentence: str
) -> None:
    path = workspace / "adapters" / "lora-0" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    listed = workspace / "workspace.yaml"
    listed.write_text(
        listed.read_text().replace("{path: adapters/lora-0}", f"{{path: adapters/lora-0, scale: {scale}}}")
    )
    with pytest.raises(InputError, match=sentence):
        prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))


def test_a_run_over_other_kinds_finishes_and_each_moves_the_distribution(workspace: Path) -> None:
    kinds = ("ia3", "prompt_tuning", "saved_both")
    listed = workspace / "workspace.yaml"
    for kind in kinds:
        make_kind(workspace / "base", workspace / "adapters" / kind, ALL_KINDS[kind]())
    lines = "".join(f"    {kind}: {{path: adapters/{kind}}}\n" for kind in kinds)
    listed.write_text(listed.read_text().replace("  adapters:\n", f"  adapters:\n{lines}"))
    run = prepare_run(
        load_workspace(workspace), Choice(adapters=(*kinds, "lora-0"), tasks=("colour", "reply"), limit=3)
    )
    assert worker.main(["evaluate", str(run.folder)]) == 0, read_status(run).error
    for name, entry in (run.read_json("preflight") or {})["variants"].items():
        assert entry["ok"] and entry["mean_kl"] > 0, (name, entry)


def test_a_quantised_base_wants_bitsandbytes_and_in_8_bits_plain_lora(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_kind(workspace / "base", workspace / "adapters" / "lora-0", ALL_KINDS["dora"]())
    listed = workspace / "workspace.yaml"
    listed.write_text(listed.read_text().replace("{path: base}", "{path: base, quantisation: int8}"))
    with pytest.raises(
        InputError, match="'lora-0': on a base in 8 bits plain LoRA alone is evaluated.*quantisation: int8"
    ):
        prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",)))
    monkeypatch.setattr("core.model_checks.find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"models.base.quantisation: int8 needs the package bitsandbytes, which is not installed"
    ):
        prepare_run(load_workspace(workspace), Choice(adapters=("lora-1",)))


def test_a_checkpoint_with_another_tokenizer_is_refused_and_one_with_a_merged_adapter_is_not(workspace: Path) -> None:
    checkpoint = Path(shutil.copytree(workspace / "base", workspace / "merged"))
    listed = workspace / "workspace.yaml"
    listed.write_text(
        listed.read_text().replace("datasets:\n", "  checkpoints:\n    merged: {path: merged}\ndatasets:\n", 1)
    )
    prepare_run(load_workspace(workspace), Choice(adapters=("merged",), tasks=("colour",), limit=1))
    path = checkpoint / "tokenizer.json"
    content = json.loads(path.read_text())
    first, second = list(content["model"]["vocab"])[:2]
    content["model"]["vocab"] |= {first: 1, second: 0}
    path.write_text(json.dumps(content))
    with pytest.raises(
        InputError, match="models.checkpoints.merged.path: .* was trained with another tokenizer than the base's"
    ):
        prepare_run(load_workspace(workspace), Choice(adapters=("merged",), tasks=("colour",), limit=1, name="second"))
