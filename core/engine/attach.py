"""Attach adapters to a base that stays as it is: plain LoRA in common layers, every other kind in modules of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from safetensors import SafetensorError

from core.adapters import AdapterFacts
from core.adapters.kinds import changes_base, kind_of
from core.engine.sharing import sharing_copy
from core.errors import InputError

_WRAPPER = re.compile(r"^base_model\.model\.|(?<=\.)(?:base_layer|modules_to_save|original_module|token_adapter)\.")
"""What PEFT puts before and into the names of weights that it wraps."""
PEFT_REFUSES = (
    RuntimeError, ValueError, KeyError, OSError, TypeError, IndexError, AttributeError, ImportError, NotImplementedError,
    AssertionError, SafetensorError,
)  # fmt: skip
"""What PEFT raises on files that do not fit, or that ask for a package that is not here."""


@dataclass(frozen=True)
class Attached:
    """One adapter on the base."""

    peft: PeftModel
    """With the adapter, and with others where they share layers."""
    name: str
    """PEFT's own for the adapter."""
    kind: str
    """PEFT's type in capitals."""
    without_place: tuple[str, ...]
    """The tensors of its file that found no place in the model; none is as it should be."""


def attach(facts: AdapterFacts, base: Any, beside: PeftModel | None, name: str, dtype: torch.dtype) -> Attached:
    """Attach an adapter's folder to a base.

    Args:
        facts: Of the adapter.
        base: The bare model; neither its modules nor its tensors are touched.
        beside: A model with plain LoRA adapters whose layers this one may share; None gives it modules of its own.
        name: PEFT's for it: letters, digits and underscores.
        dtype: Of its weights.

    Raises:
        InputError: PEFT cannot attach it, or what it ships leaves weights undefined.
    """
    # PEFT would upcast adapters to float32; in the base's own precision there is no cast in every layer.
    options: dict[str, Any] = {
        "adapter_name": name, "is_trainable": False, "autocast_adapter_dtype": False, "torch_device": str(base.device),
    }  # fmt: skip
    model = beside
    try:
        with torch.random.fork_rng(devices=[]):  # some kinds draw what they do not store, and some what they store anew
            torch.manual_seed(0)
            if model is not None:
                model.load_adapter(str(facts.folder), **options)
            else:
                model = PeftModel.from_pretrained(_own_base(facts, base), str(facts.folder), **options)
            _settle(model, base, dtype)
            # Now and not when it is asked: bitsandbytes loses digits when a 4-bit model that was used once tells its state.
            lost = _without_place(facts, model, name, base)
    except InputError:
        raise
    except PEFT_REFUSES as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError(f"PEFT cannot attach it to this base: {reason}") from None
    return Attached(model, name, kind_of(facts), lost)


def _settle(model: PeftModel, base: Any, dtype: torch.dtype) -> None:
    """Give what an adapter brought the base's device and precision, frozen; what is the base's stays as it is."""
    shared = {id(one) for one in [*base.parameters(), *base.buffers()]}
    # Parameters alone are cast: rotary frequencies, a buffer in float32, would bend every position.
    for parameter in model.parameters():
        if id(parameter) not in shared and parameter.is_floating_point():
            parameter.data = parameter.data.to(device=base.device, dtype=dtype)
    model.requires_grad_(False).eval()


def _own_base(facts: AdapterFacts, base: Any) -> Any:
    """Return modules over the base's tensors, with copies of those that the adapter ships or changes."""
    shipped = shipped_weights(facts, base)
    whole = set(facts.config.get("modules_to_save") or ())  # of these PEFT makes copies itself
    own = {name for name in shipped if not whole & set(name.split("."))}
    if changes_base(facts):
        names = {name for name, _ in base.named_parameters(remove_duplicate=False)}
        own |= {f"{module}.weight" for module in facts.pairs if f"{module}.weight" in names}
    rows = _vocabulary(facts, base, shipped)
    if rows is None:
        return sharing_copy(base, own)
    resized = sharing_copy(base, own | set(_embedding_names(base)))
    resized.resize_token_embeddings(rows, mean_resizing=False)
    return resized


def shipped_weights(facts: AdapterFacts, base: Any) -> dict[str, tuple[int, ...]]:
    """Return the base's own parameters that an adapter's file holds whole, with their shapes there."""
    names = {name for name, _ in base.named_parameters(remove_duplicate=False)}
    found: dict[str, tuple[int, ...]] = {}
    for name, info in facts.tensors.items():
        plain = _WRAPPER.sub("", name)
        if plain in names:
            found[plain] = info.shape
    return found


def _embedding_names(base: Any) -> tuple[str, ...]:
    """Return the names of the input embeddings' weight and the output layer's."""
    layers = (base.get_input_embeddings(), base.get_output_embeddings())
    return tuple(f"{name}.weight" for layer in layers for name, module in base.named_modules() if module is layer)


def _vocabulary(facts: AdapterFacts, base: Any, shipped: Mapping[str, tuple[int, ...]]) -> int | None:
    """Return how many tokens the adapter's own embeddings hold; None where the base's size stays."""
    sizes = {name: shipped[name][0] for name in _embedding_names(base) if name in shipped}
    ours = base.get_input_embeddings().weight.shape[0]
    if not sizes or set(sizes.values()) == {ours}:
        return None
    if len(set(sizes.values())) > 1 or (len(sizes) == 1 and not _is_tied(base)):
        listed = ", ".join(f"{name} for {rows:,} tokens" for name, rows in sizes.items())
        raise InputError(
            f"it ships {listed}, and the base's input and output layers hold {ours:,}: what the other layer says of the added tokens "
            "is not known. Save the adapter with save_embedding_layers=True."
        )
    return next(iter(sizes.values()))


def _without_place(facts: AdapterFacts, model: PeftModel, name: str, base: Any) -> tuple[str, ...]:
    placed = get_peft_model_state_dict(model, adapter_name=name, save_embedding_layers=False)
    shipped = shipped_weights(facts, base)
    left = [one for one in facts.tensors if one not in placed and _WRAPPER.sub("", one) not in shipped]
    if _is_tied(base):  # what is said of the output layer is said of the embeddings
        inner, outer = (embedding.removesuffix("weight") for embedding in _embedding_names(base))
        left = [one for one in left if one.replace(f".{outer}", f".{inner}") not in placed]
    return tuple(sorted(left))


def _is_tied(base: Any) -> bool:
    return base.get_input_embeddings().weight is base.get_output_embeddings().weight
