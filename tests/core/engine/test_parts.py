"""Parts of an adapter in a real model: what is off is off to the last bit, and what is switched comes back as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaForCausalLM

from core.engine.models import AdapterSource, Models, load_causal
from core.engine.packed import pack
from core.engine.parts import truncated
from core.errors import InputError
from core.model_set import AdapterPart, MixingMethod, Mixture
from core.records import BASELINE
from tests.tiny import make_adapter

TOKENS = torch.tensor([[5, 9, 77, 30, 2, 41], [8, 8, 100, 3, 60, 12]])
PARTS: dict[str, tuple[float, AdapterPart | None]] = {
    "all": (1.0, None),
    "x0": (0.0, None),
    "x0.5": (0.5, None),
    "everything": (1.0, AdapterPart(modules=("q_proj", "v_proj", "down_proj"), layers=(0, 1), rank=4)),
    "nothing": (1.0, AdapterPart(modules=())),
    "no-layers": (1.0, AdapterPart(layers=())),
    "no-attention": (1.0, AdapterPart(modules=("down_proj",))),
    "first-1": (1.0, AdapterPart(layers=(0,))),
    "rank-1": (1.0, AdapterPart(rank=1)),
    "rank-2.q": (1.0, AdapterPart(modules=("q_proj",), rank=2)),
}


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of attention and MLP, random in both factors."""
    torch.manual_seed(5)
    model: Any = LlamaForCausalLM.from_pretrained(tiny / "base")
    adapted = get_peft_model(
        model,
        LoraConfig(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"], rank_pattern={"v_proj": 3}),
    )
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    folder = tmp_path_factory.mktemp("parts") / "three"
    adapted.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def models(tiny: Path, adapter: Path) -> Models:
    sources = {name: AdapterSource(adapter, scale, part) for name, (scale, part) in PARTS.items()}
    return Models(tiny / "base", sources, {}, torch.device("cpu"), torch.float32)


@torch.inference_mode()
def logits(models: Models, variant: str) -> torch.Tensor:
    with models.variant(variant) as model:
        return model(input_ids=TOKENS).logits.clone()


def by_hand(tiny: Path, adapter: Path, scale: float, part: AdapterPart | None) -> torch.Tensor:
    """Return the logits in float64 of a base whose weights were changed by hand: W + scale * alpha/r * truncated(B A)."""
    plain: Any = (
        PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny / "base"), str(adapter)).double().eval()
    )
    base: Any = LlamaForCausalLM.from_pretrained(tiny / "base").double().eval()
    part = part or AdapterPart()
    for path, module in plain.base_model.model.named_modules():
        if not hasattr(module, "lora_A"):
            continue
        layer, name = int(path.split(".")[2]), path.split(".")[-1]
        if (part.modules is not None and name not in part.modules) or (
            part.layers is not None and layer not in part.layers
        ):
            continue
        product = (module.lora_B["default"].weight @ module.lora_A["default"].weight).detach().numpy()
        left, strengths, right = np.linalg.svd(product)
        strengths[len(strengths) if part.rank is None else part.rank :] = 0
        change = (left[:, : len(strengths)] * strengths) @ right[: len(strengths)]
        base.get_submodule(path).weight.data += scale * module.scaling["default"] * torch.from_numpy(change)
    with torch.inference_mode():
        return base(input_ids=TOKENS).logits


def test_all_off_is_the_bare_base_and_all_on_the_adapter_bit_for_bit(tiny: Path, models: Models) -> None:
    bare = load_causal(tiny / "base", torch.device("cpu"), torch.float32)
    pack(bare)
    with torch.inference_mode():
        base = bare(input_ids=TOKENS).logits
    whole = logits(models, "all")
    assert not torch.equal(base, whole)
    for off in (BASELINE, "x0", "nothing", "no-layers"):
        assert torch.equal(logits(models, off), base), off
    assert torch.equal(logits(models, "everything"), whole)


@pytest.mark.parametrize("variant", [name for name in PARTS if name not in ("x0", "nothing", "no-layers")])
def test_a_part_is_what_its_weights_written_by_hand_are(
    tiny: Path, adapter: Path, models: Models, variant: str
) -> None:
    expected = by_hand(tiny, adapter, *PARTS[variant])
    np.testing.assert_allclose(logits(models, variant), expected, atol=2e-4)
    assert variant in ("all", "everything") or not torch.equal(logits(models, variant), logits(models, "all"))


def test_whatever_was_switched_the_adapter_is_whole_again(models: Models) -> None:
    whole, base = logits(models, "all"), logits(models, BASELINE)
    for variant in PARTS:
        logits(models, variant)
        assert torch.equal(logits(models, BASELINE), base), variant
        assert torch.equal(logits(models, "all"), whole), variant
    with pytest.raises(RuntimeError, match="in the middle"), models.variant("rank-2.q"):
        raise RuntimeError("in the middle")
    assert torch.equal(logits(models, "all"), whole)


def test_parts_share_one_copy_of_the_adapter_and_of_the_base(tiny: Path, adapter: Path, models: Models) -> None:
    alone = Models(tiny / "base", {"all": AdapterSource(adapter, 1.0)}, {}, torch.device("cpu"), torch.float32)
    counts = []
    for some in (alone, models):
        with some.variant("all") as model:
            counts.append(sum(parameter.numel() for parameter in model.parameters()))
    assert counts[0] == counts[1]


def test_truncation_is_the_best_of_its_rank_and_at_full_rank_the_same_product() -> None:
    torch.manual_seed(0)
    down, up = torch.randn(6, 40), torch.randn(50, 6)
    product = (up @ down).double()
    strengths = torch.linalg.svdvals(product)
    for rank in range(1, 7):
        new_down, new_up = truncated(down, up, rank)
        assert (new_down.shape, new_up.shape) == ((rank, 40), (50, rank))
        error = torch.linalg.matrix_norm(product - (new_up @ new_down).double())
        torch.testing.assert_close(error, strengths[rank:6].square().sum().sqrt(), atol=1e-4, rtol=1e-4)


def mixed(tiny: Path, one: Path, other: Path, mixture: Mixture, scale: float = 1.0) -> Models:
    sources = {"one": AdapterSource(one, 1.0), "other": AdapterSource(other, scale)}
    return Models(tiny / "base", sources, {}, torch.device("cpu"), torch.float32, {"mix": mixture})


def test_cat_is_the_weighted_sum_and_svd_its_best_approximation(tiny: Path, adapter: Path) -> None:
    weights = {"one": 0.25, "other": 0.75}
    models = mixed(tiny, tiny / "one", adapter, Mixture(method="cat", weights=weights), scale=0.5)
    before = logits(models, "one"), logits(models, "other"), logits(models, BASELINE)
    base: Any = LlamaForCausalLM.from_pretrained(tiny / "base").double().eval()
    for folder, weight in ((tiny / "one", 0.25), (adapter, 0.75 * 0.5)):
        plain: Any = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny / "base"), str(folder)).double()
        for path, module in plain.base_model.model.named_modules():
            if hasattr(module, "lora_A"):
                base.get_submodule(path).weight.data += weight * module.get_delta_weight("default").detach()
    with torch.inference_mode():
        np.testing.assert_allclose(logits(models, "mix"), base(input_ids=TOKENS).logits, atol=2e-4)
    after = logits(models, "one"), logits(models, "other"), logits(models, BASELINE)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_svd_equals_pefts_own(tiny: Path, tmp_path: Path) -> None:
    second = make_adapter(tiny / "base", tmp_path / "second", seed=9, rank=3)
    models = mixed(tiny, tiny / "one", second, Mixture(method="svd", weights={"one": 0.5, "other": 0.5}))
    theirs: Any = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(tiny / "base"), str(tiny / "one"), "one")
    theirs.load_adapter(str(second), "other")
    theirs.base_model.add_weighted_adapter(["one", "other"], [0.5, 0.5], "mix", combination_type="svd")
    theirs.set_adapter("mix")
    with torch.inference_mode():
        np.testing.assert_allclose(logits(models, "mix"), theirs.eval()(input_ids=TOKENS).logits, atol=2e-4)


@pytest.mark.parametrize("method", ["linear", "ties", "dare_linear", "dare_ties", "magnitude_prune"])
def test_other_methods_are_pefts_with_a_seed_of_their_own(tiny: Path, tmp_path: Path, method: MixingMethod) -> None:
    second = make_adapter(tiny / "base", tmp_path / "second", seed=9, rank=4)
    mixture = Mixture(method=method, weights={"one": 0.5, "other": 0.5}, seed=3)
    models = mixed(tiny, tiny / "one", second, mixture)
    state = torch.random.get_rng_state()
    found = logits(models, "mix")
    assert torch.equal(found, logits(models, "mix"))
    assert torch.equal(state, torch.random.get_rng_state())
    assert not torch.equal(found, logits(models, "one"))


def test_what_peft_cannot_mix_is_said_and_nothing_is_left_behind(tiny: Path) -> None:
    models = mixed(tiny, tiny / "one", tiny / "two", Mixture(method="linear", weights={"one": 0.5, "other": 0.5}))
    whole = logits(models, "one")
    with pytest.raises(InputError, match="PEFT cannot mix one, other by 'linear': All adapters must have the same r"):
        logits(models, "mix")
    assert torch.equal(logits(models, "one"), whole)


def test_a_dora_adapter_can_be_switched_off_by_module_and_layer(tiny: Path, tmp_path: Path) -> None:
    torch.manual_seed(8)
    adapted: Any = get_peft_model(
        LlamaForCausalLM.from_pretrained(tiny / "base"),
        LoraConfig(r=2, target_modules=["q_proj", "v_proj"], use_dora=True),
    )
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name or "magnitude" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(str(tmp_path / "dora"))
    parts = {
        "all": None,
        "none": AdapterPart(modules=()),
        "no-layers": AdapterPart(layers=()),
        "q": AdapterPart(modules=("q_proj",)),
    }
    sources = {name: AdapterSource(tmp_path / "dora", 1.0, part) for name, part in parts.items()}
    models = Models(tiny / "base", sources, {}, torch.device("cpu"), torch.float32)
    base, whole = logits(models, BASELINE), logits(models, "all")
    assert torch.equal(logits(models, "none"), base)
    assert torch.equal(logits(models, "no-layers"), base)
    assert not torch.equal(logits(models, "q"), base)
    assert not torch.equal(logits(models, "q"), whole)
    assert torch.equal(logits(models, "all"), whole)


@pytest.mark.parametrize("method", ["cat", "svd"])
def test_in_bfloat16_a_mixture_and_a_cut_adapter_stay_in_it(tiny: Path, method: MixingMethod) -> None:
    sources = {
        "one": AdapterSource(tiny / "one", 1.0), "two": AdapterSource(tiny / "two", 1.0),
        "cut": AdapterSource(tiny / "one", 0.5, AdapterPart(rank=1)),
    }  # fmt: skip
    mixture = Mixture(method=method, weights={"one": 0.5, "two": 0.5})
    models = Models(tiny / "base", sources, {}, torch.device("cpu"), torch.bfloat16, {"mix": mixture})
    for variant in ("mix", "cut"):
        with models.variant(variant) as model:
            assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
        assert logits(models, variant).isfinite().all()


def test_a_mixture_that_fails_half_way_is_not_taken_for_whole_the_next_time(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = make_adapter(tiny / "base", tmp_path / "second", seed=9, rank=4)
    models = mixed(tiny, tiny / "one", second, Mixture(method="ties", weights={"one": 0.5, "other": 0.5}))
    expected = logits(models, "mix")

    def broken(*_: object) -> None:
        raise RuntimeError("no memory for this")

    with monkeypatch.context() as patch:
        patch.setattr("peft.tuners.lora.model.ties", broken)
        with pytest.raises(InputError, match="PEFT cannot mix one, other by 'ties': no memory for this"):
            logits(models, "mix")
    assert torch.equal(logits(models, "mix"), expected)
