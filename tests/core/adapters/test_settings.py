"""Each setting with its source: which file counts, who contradicts, and files that cannot be read."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters import AdapterFacts, Stated, read_adapter
from core.adapters.settings import contradiction_text, same_value, value_text
from tests.core.adapters.made import made_adapter

ARGUMENTS = """lora_rank: 3
lora_target: q_proj,v_proj
cutoff_len: 512
learning_rate: 1.0e-4
hf_hub_token: hf_x
"""
CARD = """---
base_model: someone/made
library_name: peft
license: apache-2.0
tags: [lora]
---
# A card
- learning_rate: 5

### Training hyperparameters
The following hyperparameters were used:
- learning_rate: 2e-4
- train_batch_size: 4
- optimizer: Use OptimizerNames.ADAMW_TORCH with betas=(0.9,0.999) and epsilon=1e-08
- lr_scheduler_type: cosine
- num_epochs: 3.0
- mixed_precision_training: Native AMP

### Results
- seed: 99
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def _said(facts: AdapterFacts, name: str) -> tuple[Any, str]:
    found = facts.setting(name)
    assert found is not None, name
    return found.value, found.source


def test_every_file_is_a_source_and_the_more_trusted_one_counts(tmp_path: Path) -> None:
    folder = made_adapter(tmp_path / "a", lora_dropout=0.05, key_of_next_year="kept")
    (folder / "README.md").write_text(CARD)
    (folder / "training_args.yaml").write_text(ARGUMENTS)
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": [{"step": 9, "train_loss": 1.5, "train_runtime": 7.0}],
                                                           "global_step": 9, "train_batch_size": 8}))  # fmt: skip
    (folder / "all_results.json").write_text(json.dumps({"train_loss": 1.5, "train_samples": 72, "epoch": 1.0}))
    facts = read_adapter(folder)
    assert facts.config["key_of_next_year"] == "kept" and _said(facts, "key_of_next_year") == (
        "kept",
        "adapter_config.json",
    )
    assert _said(facts, "r") == (3, "adapter_config.json")
    assert _said(facts, "target_modules") == (("q_proj", "v_proj"), "adapter_config.json")
    assert _said(facts, "max_length") == (512, "training_args.yaml")
    assert _said(facts, "learning_rate") == (1e-4, "training_args.yaml")
    assert _said(facts, "per_device_train_batch_size") == (8, "trainer_state.json")
    assert _said(facts, "global_step") == (9, "trainer_state.json") and _said(facts, "train_samples") == (
        72,
        "all_results.json",
    )
    assert _said(facts, "optim") == ("adamw_torch", "README.md") and _said(facts, "lr_scheduler_type") == (
        "cosine",
        "README.md",
    )
    assert _said(facts, "num_train_epochs") == (3.0, "README.md") and facts.setting("seed") is None
    assert facts.setting("hf_hub_token") is None
    contradicted = {one.name: one.contradictions for one in facts.settings if one.contradictions}
    assert contradicted == {
        "learning_rate": (Stated("README.md", 2e-4),),
        "per_device_train_batch_size": (Stated("README.md", 4),),
    }
    assert "learning_rate: training_args.yaml says 0.0001, which counts; README.md says 0.0002." in facts.warnings


def test_the_users_word_counts_most_and_contradicts_nobody(tmp_path: Path) -> None:
    facts = read_adapter(made_adapter(tmp_path / "a"), overrides={"r": 99, "learning_rate": 0.5})
    assert _said(facts, "r") == (99, "your override") and _said(facts, "learning_rate") == (0.5, "your override")
    assert facts.rank == 3 and facts.warnings == ()


def test_old_and_new_names_are_one_factor(tmp_path: Path) -> None:
    folder = made_adapter(tmp_path / "a")
    (folder / "training_args.yaml").write_text(
        "evaluation_strategy: steps\nmax_seq_length: 256\nper_gpu_train_batch_size: 2\n"
    )
    (folder / "all_results.json").write_text(json.dumps({"eval_strategy": "STEPS", "max_length": 256}))
    facts = read_adapter(folder)
    assert _said(facts, "eval_strategy") == ("steps", "training_args.yaml") and _said(facts, "max_length")[0] == 256
    assert _said(facts, "per_device_train_batch_size")[0] == 2
    assert facts.warnings == () and facts.setting("evaluation_strategy") is None


def test_arguments_from_a_pickle_are_settings_and_a_bomb_is_a_remark(tmp_path: Path) -> None:
    folder = made_adapter(tmp_path / "a")
    (folder / "training_args.bin").write_bytes(pickle.dumps({"output_dir": "out", "learning_rate": 3e-4}))
    assert _said(read_adapter(folder), "learning_rate") == (3e-4, "training_args.bin")
    (folder / "training_args.bin").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "boom").encode() + b"'\ntR.")
    facts = read_adapter(folder)
    assert "training_args.bin would call os.system" in facts.warnings[0] and not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("all_results.json", "{cut", "all_results.json cannot be read"),
        ("all_results.json", "[1]", "found list, expected an object with settings"),
        ("training_args.yaml", "a: [", "training_args.yaml cannot be read"),
        ("training_args.yaml", "!!python/object/apply:os.system ['touch boom']", "training_args.yaml cannot be read"),
        ("README.md", "---\na: [\n---\n", "README.md cannot be read"),
        ("training_args.bin", "no pickle", "training_args.bin is damaged"),
        ("trainer_state.json", '{"log_history": [{"step": 1', "cut off in the middle"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_a_remark_and_no_end(
    tmp_path: Path, name: str, content: str, expected: str
) -> None:
    folder = made_adapter(tmp_path / "a")
    (folder / name).write_text(content)
    facts = read_adapter(folder)
    assert facts.rank == 3 and len(facts.warnings) == 1 and expected in facts.warnings[0] and name in facts.warnings[0]


def test_config_and_tensors_that_disagree_are_told(tmp_path: Path) -> None:
    facts = read_adapter(made_adapter(tmp_path / "a", r=16, target_modules=["q_proj", "o_proj"]))
    assert facts.warnings == (
        "adapter_config.json says r = 16, but the tensors have rank 3: config and weights may be of different trainings.",
        "adapter_config.json targets o_proj, of which there is no tensor.",
        "The tensors change self_attn.v_proj, which adapter_config.json does not target.",
    )
    assert facts.ranks == (3,) and facts.layers == (0, 1, 2) and facts.module_names == ("q_proj", "v_proj")


def test_another_kind_of_adapter_is_read_too(tmp_path: Path) -> None:
    tensors = {"prompt_embeddings": np.zeros((5, 8), np.float32)}
    folder = made_adapter(
        tmp_path / "a", tensors=tensors, peft_type="PROMPT_TUNING", num_virtual_tokens=5, target_modules=None
    )
    facts = read_adapter(folder)
    assert (facts.peft_type, facts.is_lora, facts.parameters, facts.layers) == ("PROMPT_TUNING", False, 40, ())
    assert _said(facts, "num_virtual_tokens") == (5, "adapter_config.json") and facts.warnings == ()


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("lr", 2e-4, 0.00020000001, True), ("lr", 2e-4, 3e-4, False), ("bf16", True, "true", False), ("bf16", True, True, True),
        ("target_modules", ("a", "b"), ("b", "a"), True), ("target_modules", "all-linear", ("a",), True),
        ("base_model_name_or_path", "/home/x/Made", "org/made", True), ("base_model_name_or_path", "org/made", "org/other", False),
        ("lr_scheduler_type", "COSINE", "cosine", True),
    ],
)  # fmt: skip
def test_what_is_the_same(name: str, one: Any, other: Any, same: bool) -> None:
    assert same_value(name, one, other) is same


def test_values_as_text() -> None:
    assert [value_text(value) for value in (("q", "v"), 2e-4, True, 1234567, "x")] == [
        "q, v",
        "0.0002",
        "true",
        "1,234,567",
        "x",
    ]
    folderless = read_adapter(Path(__file__).parents[3] / "sample_data/adapters/qv-r8")
    assert all(contradiction_text(one) for one in folderless.settings) and folderless.warnings == ()
