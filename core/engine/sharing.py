"""A model of its own modules over the weights of another: what one adapter does to its layers, no other variant sees."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

import torch


def sharing_copy(model: Any, own: Collection[str] = ()) -> Any:
    """Return a copy of a model's modules that holds the very same tensors, so that it takes no memory worth naming.

    Args:
        model: Any transformers model; quantised layers keep their state in common too.
        own: Names of parameters that the copy has for itself, as values that may be changed.

    Raises:
        KeyError: the model has no such parameter.
    """
    parameters = dict(model.named_parameters(remove_duplicate=False))
    separate = {id(parameters[name]) for name in own}
    kept: list[Any] = [one for one in [*parameters.values(), *model.buffers()] if id(one) not in separate]
    for module in model.modules():
        kept += [state for state in (vars(module).get("quant_state"), vars(module).get("state")) if state is not None]
    return copy.deepcopy(model, {id(one): one for one in kept})


def tensor_marks(model: Any) -> list[tuple[int, int]]:
    """Return what changes when one of a model's parameters is written to or replaced: place in memory and version of each."""
    return [(parameter.data_ptr(), parameter._version) for parameter in model.parameters()]


@torch.inference_mode()
def says_numbers(model: Any) -> bool:
    """Tell whether a model gives finite logits for any of a few single tokens; one that does not is broken as a whole."""
    tokens = torch.arange(8, device=model.device)[:, None]
    more = {"decoder_input_ids": tokens} if model.config.is_encoder_decoder else {}
    return bool(model(input_ids=tokens, use_cache=False, **more).logits.isfinite().flatten(1).all(dim=1).any())
