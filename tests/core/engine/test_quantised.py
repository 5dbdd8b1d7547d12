"""A base in 4 and 8 bits, adapters on top of it, beside plain transformers and PEFT with the same settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft import PeftConfig, PeftModel
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from core.engine.models import AdapterSource, Models, load_causal
from core.errors import InputError
from core.evidence_cache import VariantIdentity
from core.jobs.identities import identify
from core.model_set import ModelRef, ModelSet, Quantisation
from core.records import BASELINE
from tests.core.engine.kinds import make_kind
from tests.tiny import make_base

pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed: bases in 4 and 8 bits were not exercised")

CPU = torch.device("cpu")
TOKENS = torch.arange(3, 20)[None]
_QV = ["q_proj", "v_proj"]
KINDS: dict[str, PeftConfig] = {
    "lora": peft.LoraConfig(r=4, target_modules=_QV),
    "rslora": peft.LoraConfig(r=4, target_modules=_QV, use_rslora=True),
}
MORE_ON_4_BITS: dict[str, PeftConfig] = {
    "dora": peft.LoraConfig(r=4, target_modules=_QV, use_dora=True),
    "ia3": peft.IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "saved": peft.LoraConfig(r=4, target_modules=_QV, modules_to_save=["lm_head"]),
    "prompt": peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"),
}
SETTINGS = {
    "nf4": lambda: BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32
    ),
    "int8": lambda: BitsAndBytesConfig(load_in_8bit=True),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quantised")
    make_base(folder / "base", hidden=64)
    for name, config in (KINDS | MORE_ON_4_BITS).items():
        make_kind(folder / "base", folder / name, config, seed=2)
    return folder / "base"


@torch.inference_mode()
def logits(model: Any) -> torch.Tensor:
    return model(input_ids=TOKENS).logits[0, -TOKENS.shape[1] :].clone()


@pytest.mark.parametrize("held", ["nf4", "int8"])
def test_a_base_in_fewer_bits_and_its_adapters_equal_transformers_and_peft(base: Path, held: Quantisation) -> None:
    kinds = KINDS | (MORE_ON_4_BITS if held == "nf4" else {})
    sources = {name: AdapterSource(base.parent / name, 1.0) for name in kinds}
    models = Models(base, sources, {"copy": base}, CPU, torch.float32, quantised={BASELINE: held, "copy": held})

    def plain() -> Any:
        config = SETTINGS[held]()
        return AutoModelForCausalLM.from_pretrained(base, quantization_config=config, device_map={"": "cpu"}).eval()

    expected = logits(plain())
    for name in kinds:
        theirs = logits(PeftModel.from_pretrained(plain(), str(base.parent / name)).eval())
        with models.variant(name) as model:
            torch.testing.assert_close(logits(model), theirs, atol=1e-3, rtol=0)
        assert models.keys_not_loaded(name) == []
        assert (theirs - expected).abs().max() > 0.01
    for name in (BASELINE, "copy"):
        with models.variant(name) as model:
            assert torch.equal(logits(model), expected)
            assert model.get_memory_footprint() < 0.6 * load_causal(base, CPU, torch.float32).get_memory_footprint()


def test_without_bitsandbytes_it_is_said_what_to_install(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setattr("core.engine.quantised.find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"a base in nf4 needs the package bitsandbytes.*pip install 'lorascope\[quantised\]'"
    ):
        Models(base, {}, {}, CPU, torch.float32, quantised={BASELINE: "nf4"})


def test_in_how_many_bits_a_model_is_held_is_part_of_what_it_is() -> None:
    hashes = {
        "base": "b",
        "checkpoints": {"c": "c"},
        "model_configs": {BASELINE: "m"},
        "adapters": {},
        "adapter_configs": {},
    }
    environment = {"hashes": hashes, "dtype": "float32", "device": "cpu"}

    def of(variant: str, held: Quantisation | None) -> VariantIdentity:
        ref = ModelRef(path="x", quantisation=held)
        return identify(ModelSet(base=ref, checkpoints={"c": ref}), environment, variant)

    assert len({of(variant, held).base for variant in (BASELINE, "c") for held in (None, "nf4", "int8")}) == 6
    assert of(BASELINE, None).base == "b/m"
