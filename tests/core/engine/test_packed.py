"""Packed layers and shorter LoRA steps: the same answers, the same weights back, one copy of each weight in memory."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from core.engine import packed
from core.engine.packed import PackedLinear, UnpackedLinear, can_pack, pack, unpack
from core.engine.plain_lora import take_fewer_steps
from core.engine.sharing import sharing_copy

TOKENS = torch.arange(3, 40).reshape(1, -1)
SIZES = {"vocab_size": 60, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2, "num_attention_heads": 4}


def made(*, tied: bool = True, biased: bool = False) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        **SIZES, num_key_value_heads=2, tie_word_embeddings=tied, attention_bias=biased, mlp_bias=biased
    )
    model = LlamaForCausalLM(config).requires_grad_(False).eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            parameter.normal_()
    return model


@torch.inference_mode()
def logits(model: Any) -> torch.Tensor:
    return model(input_ids=TOKENS).logits


def kinds(model: Any) -> list[type]:
    return [type(module) for module in model.modules()]


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_a_packed_model_answers_the_same_and_gives_its_weights_back(tied: bool, biased: bool) -> None:
    plain = made(tied=tied, biased=biased)
    model = copy.deepcopy(plain)
    pack(model)
    assert torch.nn.Linear not in kinds(model)
    torch.testing.assert_close(logits(model), logits(plain), atol=1e-5, rtol=1e-5)
    unpack(model)
    assert PackedLinear not in kinds(model)
    for (name, one), (other, two) in zip(model.named_parameters(), plain.named_parameters(), strict=True):
        assert name == other and torch.equal(one, two)


def test_a_weight_that_embeddings_are_tied_to_stays_as_it_lies() -> None:
    model = made(tied=True)
    pack(model)
    assert type(model.get_output_embeddings()) is UnpackedLinear
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_models_over_the_same_weights_share_what_is_packed_and_no_plain_weight_is_left() -> None:
    base = made()
    other = sharing_copy(base)
    weights = [module.weight.untyped_storage() for module in base.modules() if isinstance(module, torch.nn.Linear)]
    pack(base, [other])
    layers = [module for module in base.modules() if isinstance(module, PackedLinear)]
    theirs = [module for module in other.modules() if isinstance(module, PackedLinear)]
    assert len(layers) == len(theirs) == len(weights) - 1  # all but the tied output layer
    for one, two in zip(layers, theirs, strict=True):
        assert one._arranged is two._arranged
    kept = {parameter.untyped_storage().data_ptr() for parameter in base.parameters()}
    assert sum(weight.data_ptr() in kept for weight in weights) == 1


def test_a_model_with_weights_of_its_own_keeps_them_plain() -> None:
    base = made()
    torch.manual_seed(1)
    adapted = get_peft_model(sharing_copy(base), LoraConfig(r=4, target_modules=["q_proj", "up_proj"])).eval()
    pack(base, [adapted])
    found = [name for name, module in adapted.named_modules() if type(module) is torch.nn.Linear]
    assert found and all("lora_" in name for name in found)


def test_layers_whose_product_would_differ_stay_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    real = packed._product
    monkeypatch.setattr(packed, "_product", lambda x, weight, bias: real(x, weight, bias) * 1.001)
    pack(model)
    assert PackedLinear not in kinds(model) and UnpackedLinear not in kinds(model)


def test_a_torch_without_the_operation_keeps_plain_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> torch.Tensor:
        raise RuntimeError("Could not run 'mkldnn::_linear_pointwise'")

    model = made()
    monkeypatch.setattr(packed, "_product", missing)
    pack(model)
    assert PackedLinear not in kinds(model) and UnpackedLinear not in kinds(model)


@pytest.mark.parametrize(
    ("device", "dtype"), [("cpu", torch.bfloat16), ("cpu", torch.float64), ("meta", torch.float32)]
)
def test_what_is_not_float32_on_a_processor_is_not_packed(device: str, dtype: torch.dtype) -> None:
    assert not can_pack(torch.device(device), dtype)


@pytest.fixture(params=["one", "two", "bias", "dora"])
def adapted(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(2)
    more = {"bias": {"lora_bias": True}, "dora": {"use_dora": True}}.get(request.param, {})
    config = LoraConfig(r=4, lora_alpha=12, lora_dropout=0.3, target_modules="all-linear", **more)
    model = get_peft_model(made(biased=True), config).eval()
    if request.param == "two":
        model.add_adapter("other", LoraConfig(r=2, target_modules=["q_proj"]))
        model.base_model.set_adapter(["default", "other"])
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.2)
    return model.requires_grad_(False)


def test_fewer_steps_give_what_peft_gives(adapted: Any) -> None:
    expected = logits(adapted)
    with adapted.disable_adapter():
        off = logits(adapted)
    assert (expected - off).abs().max() > 0.01
    take_fewer_steps(adapted)
    torch.testing.assert_close(logits(adapted), expected, atol=1e-4, rtol=1e-4)
    with adapted.disable_adapter():
        assert torch.equal(logits(adapted), off)
    merged = adapted.merge_and_unload()
    torch.testing.assert_close(logits(merged), expected, atol=1e-4, rtol=1e-4)


def test_a_changed_scale_is_heeded(adapted: Any) -> None:
    take_fewer_steps(adapted)
    before = logits(adapted)
    for module in adapted.modules():
        if hasattr(module, "set_scale"):
            module.set_scale("default", 0.5)
    assert (logits(adapted) - before).abs().max() > 1e-3
