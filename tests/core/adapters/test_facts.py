"""What an adapter's files say, and whether it fits a base: each fault in a sentence, before any model is loaded."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.adapters import Finding, check_against_base, read_adapter, training_seconds
from core.errors import InputError

ROOT = Path(__file__).parents[3]
Q = "model.layers.0.self_attn.q_proj"
V = "model.layers.0.self_attn.v_proj"
SHAPES = {Q: (8, 6), V: (4, 6)}
"""(out, in) of the base's weights."""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def _base(folder: Path, shapes: dict[str, tuple[int, ...]] | None = None, name: str | None = None) -> Path:
    folder.mkdir()
    tensors = {f"{module}.weight": np.ones(shape, np.float32) for module, shape in (shapes or SHAPES).items()}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"_name_or_path": name} if name else {}))
    return folder


def _pair(module: str, shape: tuple[int, ...], rank: int = 2, b: float = 0.1) -> dict[str, np.ndarray]:
    key = f"base_model.model.{module}"
    return {
        f"{key}.lora_A.weight": np.full((rank, shape[1]), 0.5, np.float32),
        f"{key}.lora_B.weight": np.full((shape[0], rank), b, np.float32),
    }


def _adapter(folder: Path, tensors: dict[str, np.ndarray] | None = None, **config: Any) -> Path:
    folder.mkdir(exist_ok=True)
    settings = {
        "peft_type": "LORA",
        "r": 2,
        "lora_alpha": 4,
        "target_modules": ["v_proj", "q_proj"],
        "base_model_name_or_path": "org/base",
    }
    (folder / "adapter_config.json").write_text(json.dumps(settings | config))
    made = {key: value for module, shape in SHAPES.items() for key, value in _pair(module, shape).items()}
    save_file(made if tensors is None else tensors, folder / "adapter_model.safetensors")
    return folder


def _check(tmp_path: Path, base: Path, **config: Any) -> list[Finding]:
    return check_against_base(read_adapter(_adapter(tmp_path / "adapter", **config)), base)


def test_facts_of_an_adapter(tmp_path: Path) -> None:
    facts = read_adapter(_adapter(tmp_path / "a"))
    assert (facts.rank, facts.alpha, facts.scale, facts.peft_type) == (2, 4.0, 2.0, "LORA")
    assert facts.target_modules == ("q_proj", "v_proj")
    assert facts.parameters == 2 * (8 + 6) + 2 * (4 + 6)
    assert facts.n_bytes == 4 * facts.parameters
    assert facts.n_tensors == 4
    assert facts.base_name == "org/base"
    assert facts.warnings == () and not facts.training_log and facts.training_seconds is None
    assert len(facts.tensor_hash) == 64


def test_scale_of_rank_stabilised_lora_and_target_modules_by_pattern(tmp_path: Path) -> None:
    facts = read_adapter(_adapter(tmp_path / "a", use_rslora=True, target_modules="all-linear"))
    assert facts.scale == pytest.approx(4 / math.sqrt(2))
    assert facts.target_modules == ("q_proj", "v_proj")


def test_training_log_of_the_adapter_or_its_last_checkpoint(tmp_path: Path) -> None:
    folder = _adapter(tmp_path / "a")
    for step in (90, 100):
        (folder / f"checkpoint-{step}").mkdir()
        state = {"log_history": [{"step": step, "loss": 1.0}, {"step": step, "train_runtime": 3.5}]}
        (folder / f"checkpoint-{step}/trainer_state.json").write_text(json.dumps(state))
    facts = read_adapter(folder)
    assert [(row.step, row.values["loss"]) for row in facts.training_log.train] == [(100, 1.0)]
    assert facts.training_log.source == "checkpoint-100/trainer_state.json"
    assert facts.training_seconds == 3.5
    (folder / "trainer_state.json").write_text("{broken")
    facts = read_adapter(folder)
    assert facts.training_log.source == "checkpoint-100/trainer_state.json", "the next one is tried"
    assert "trainer_state.json cannot be read" in facts.warnings[0]


def test_the_shipped_adapter_is_read() -> None:
    facts = read_adapter(ROOT / "sample_data/adapters/qv-r8")
    assert (facts.rank, facts.scale, facts.parameters, facts.n_tensors) == (8, 2.0, 460_800, 120)
    assert facts.n_bytes == 2 * facts.parameters
    assert facts.training_log and facts.training_seconds and facts.training_seconds > 60


def test_rank_conflict_is_a_warning(tmp_path: Path) -> None:
    assert "r = 16, but the tensors have rank 2" in read_adapter(_adapter(tmp_path / "a", r=16)).warnings[0]
    assert read_adapter(_adapter(tmp_path / "b", r=16, rank_pattern={"q_proj": 2})).warnings == ()


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda folder: [path.unlink() for path in folder.iterdir()], "found no adapter_config.json"),
        (lambda folder: (folder / "adapter_config.json").write_text("{"), "not valid JSON"),
        (lambda folder: (folder / "adapter_config.json").write_text("[]"), "found list"),
        (lambda folder: (folder / "adapter_model.safetensors").unlink(), "found no adapter_model.safetensors"),
        (lambda folder: (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin"), "a pickle"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"\x10" + bytes(7)), "truncated"),
        (lambda folder: save_file({}, folder / "adapter_model.safetensors"), "no tensors"),
    ],
)  # fmt: skip
def test_a_broken_adapter_is_told(tmp_path: Path, damage: Any, expected: str) -> None:
    folder = _adapter(tmp_path / "a")
    damage(folder)
    with pytest.raises(InputError) as caught:
        read_adapter(folder)
    assert expected in str(caught.value) and str(folder) in str(caught.value)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_adapter(tmp_path / "none")


def test_a_fitting_adapter_has_no_complaint(tmp_path: Path) -> None:
    findings = _check(tmp_path, _base(tmp_path / "base"))
    assert {finding.level for finding in findings} == {"ok"}
    assert {finding.code for finding in findings} == {"trained", "shapes", "base_name"}


@pytest.mark.parametrize(
    "said",
    ["base", "/home/x/models/base", "C:\\models\\base", "cache:base", "Org/Base", "/h/models--org--base/snapshots/1f"],
)
def test_names_of_the_same_base(tmp_path: Path, said: str) -> None:
    findings = _check(tmp_path, _base(tmp_path / "base"), base_model_name_or_path=said)
    assert [finding.code for finding in findings if finding.level != "ok"] == []


def test_another_name_is_a_warning_when_all_sizes_fit(tmp_path: Path) -> None:
    base = _base(tmp_path / "base")
    findings = _check(tmp_path, base, base_model_name_or_path="org/other")
    assert [(finding.level, finding.code) for finding in findings][0] == ("warning", "base_name")
    assert "org/other" in findings[0].sentence
    assert _check(tmp_path, base, base_model_name_or_path=None)[0].code == "base_unnamed"
    copied = _base(tmp_path / "copy", name="org/other")
    assert _check(tmp_path, copied, base_model_name_or_path="org/other")[0].level == "ok"


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ({Q: (8, 6), V: (5, 6)}, f"sizes differ at {V} (the adapter changes 4 x 6, the base has 5 x 6)"),
        ({Q: (8, 7), V: (4, 6)}, "the base has 8 x 7"),
        ({Q: (6, 8), V: (4, 6)}, "the adapter changes 8 x 6, the base has 6 x 8"),
        ({Q: (8, 6)}, f"the base has no {V}"),
    ],
)  # fmt: skip
def test_made_for_another_base(tmp_path: Path, shapes: dict[str, tuple[int, ...]], expected: str) -> None:
    findings = _check(tmp_path, _base(tmp_path / "base", shapes), base_model_name_or_path="org/other")
    assert (findings[0].level, findings[0].code) == ("error", "other_base")
    assert findings[0].sentence.startswith("Made for another base") and expected in findings[0].sentence
    assert "base_name" not in {finding.code for finding in findings}


def test_prefixes_tied_heads_embeddings_and_transposed_layers(tmp_path: Path) -> None:
    shapes = {"layers.0.self_attn.q_proj": (8, 6), "layers.0.self_attn.v_proj": (4, 6), "embed_tokens": (50, 6)}
    tensors = {key: value for module, shape in SHAPES.items() for key, value in _pair(module, shape).items()}
    head = _pair("lm_head", (50, 6))
    embedding = {
        "base_model.model.model.embed_tokens.lora_embedding_A": np.ones((2, 50), np.float32),
        "base_model.model.model.embed_tokens.lora_embedding_B": np.ones((6, 2), np.float32),
    }
    base = _base(tmp_path / "base", {**shapes, "model.embed_tokens": (50, 6)})
    facts = read_adapter(_adapter(tmp_path / "a", tensors | head | embedding))
    assert (
        "All 4 adapted modules"
        in next(finding for finding in check_against_base(facts, base) if finding.code == "shapes").sentence
    )

    turned = _base(tmp_path / "turned", {Q: (6, 8), V: (6, 4)})
    assert {
        finding.level for finding in _check(tmp_path, turned, base_model_name_or_path="turned", fan_in_fan_out=True)
    } == {"ok"}


def test_an_adapter_that_does_nothing(tmp_path: Path) -> None:
    base = _base(tmp_path / "base")
    zero = _pair(Q, SHAPES[Q], b=0.0)
    findings = check_against_base(read_adapter(_adapter(tmp_path / "a", zero | _pair(V, SHAPES[V], b=-0.0))), base)
    assert (findings[0].level, findings[0].code) == ("error", "does_nothing")
    assert findings[0].sentence.startswith("Loaded but does nothing")
    findings = check_against_base(read_adapter(_adapter(tmp_path / "b", zero | _pair(V, SHAPES[V]))), base)
    assert (findings[0].level, findings[0].code) == ("warning", "partly_zero")
    assert Q in findings[0].sentence


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_diverged_training_is_an_error(tmp_path: Path, bad: float) -> None:
    facts = read_adapter(_adapter(tmp_path / "a", _pair(Q, SHAPES[Q], b=bad)))
    assert check_against_base(facts, _base(tmp_path / "base"))[0].code == "not_finite"


def test_resized_embeddings_are_a_warning_and_other_sizes_an_error(tmp_path: Path) -> None:
    base = _base(tmp_path / "base", SHAPES | {"model.embed_tokens": (50, 6)})
    whole = "base_model.model.model.embed_tokens.weight"
    pairs = _pair(Q, SHAPES[Q])
    for shape, level, code in [
        ((50, 6), "ok", "trained"),
        ((52, 6), "warning", "resized"),
        ((50, 7), "error", "other_base"),
    ]:
        facts = read_adapter(
            _adapter(tmp_path / "a", pairs | {whole: np.ones(shape, np.float32)}, target_modules=["q_proj"])
        )
        first = check_against_base(facts, base)[0]
        assert (first.level, first.code) == (level, code)


def test_what_is_no_lora_and_a_base_without_safetensors(tmp_path: Path) -> None:
    base = _base(tmp_path / "base")
    assert {finding.code for finding in _check(tmp_path, base, peft_type="IA3")} >= {"finite", "shapes_later"}
    refused = _check(tmp_path, base, peft_type="POLY")[0]
    assert (refused.level, refused.code) == ("error", "kind") and "cannot be evaluated exactly" in refused.sentence
    (base / "model.safetensors").unlink()
    findings = _check(tmp_path, base)
    assert (findings[0].level, findings[0].code) == ("warning", "base_unread")


@pytest.mark.parametrize("name", ["trainer_state.json", "train_results.json", "all_results.json"])
def test_training_time_from_whichever_file_the_trainer_left(tmp_path: Path, name: str) -> None:
    folder = _adapter(tmp_path / "adapter")
    assert training_seconds(folder) is None
    noted = {"train_runtime": 12.5, "epoch": 1.0}
    content = {"log_history": [{"loss": 1.0}, noted]} if name == "trainer_state.json" else noted
    (folder / name).write_text(json.dumps(content))
    assert training_seconds(folder) == read_adapter(folder).training_seconds == 12.5
    (folder / name).write_text("{broken")
    assert training_seconds(folder) is None
