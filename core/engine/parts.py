"""Switch a part of an attached LoRA adapter on, cut it to a rank, or mix several, and put everything back afterwards.

Nothing of the base is touched or copied: a module that is left out answers as the base's layer does, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer

from core.adapters.parts import keeps
from core.errors import InputError
from core.model_set import AdapterPart, Mixture

_MIXED = "mixed"
"""PEFT's name of the adapter that is made for the time of a mixture."""


@contextmanager
def part_on(model: PeftModel, adapter: str, scale: float, part: AdapterPart | None) -> Iterator[None]:
    """Switch an adapter on, at a scale and with a part of it alone; on leaving, it is whole again and at scale 1.

    Args:
        model: With the adapter attached.
        adapter: PEFT's name of it.
        scale: Multiplies its own; at 0 every adapter is off, as for the baseline.
        part: What of it stays; None is all.
    """
    if scale == 0:
        with model.disable_adapter():
            yield
        return
    model.set_adapter(adapter, inference_mode=True)
    part = part or AdapterPart()
    with ExitStack() as stack:
        for path, layer in _layers(model, adapter):
            if not keeps(part, path):
                layer.set_adapter([], inference_mode=True)
                stack.callback(layer.set_adapter, [adapter], inference_mode=True)
                continue
            if scale != 1.0:
                stack.callback(layer.scaling.__setitem__, adapter, layer.scaling[adapter])
                layer.set_scale(adapter, scale)
            if part.rank is not None and part.rank < layer.lora_A[adapter].weight.shape[0]:
                _cut(layer, adapter, part.rank, stack)
        yield


def _layers(model: PeftModel, adapter: str) -> list[tuple[str, Any]]:
    """Return the path of each layer that an adapter changes, and the layer: PEFT's, whose members torch gives no types."""
    return [
        (path, module)
        for path, module in model.named_modules()
        if isinstance(module, LoraLayer) and adapter in module.scaling
    ]


def _cut(layer: Any, adapter: str, rank: int, stack: ExitStack) -> None:
    """Put the factors of the update's strongest directions in place of a layer's own, until the stack is unwound."""
    down, up = layer.lora_A[adapter], layer.lora_B[adapter]
    cut = truncated(down.weight, up.weight, rank)
    for factor, values in zip((down, up), cut, strict=True):
        stack.callback(setattr, factor, "weight", factor.weight)
        factor.weight = torch.nn.Parameter(values, requires_grad=False)


@torch.no_grad()
def truncated(down: torch.Tensor, up: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return factors of the best approximation of ``up @ down`` by a matrix of some rank (Eckart and Young, 1936).

    By QR of both factors and the singular values of the small matrix between them: the product itself is never formed.

    Args:
        down: LoRA's A, r x inputs.
        up: LoRA's B, outputs x r.
        rank: k, from 1 to r; k = r gives the product to rounding.

    Returns:
        A of k x inputs and B of outputs x k, in the precision and on the device of the given ones.
    """
    up_basis, up_rest = torch.linalg.qr(up.double())
    down_basis, down_rest = torch.linalg.qr(down.double().T)
    left, strengths, right = torch.linalg.svd(up_rest @ down_rest.T)
    root = strengths[:rank].sqrt()
    new_up = (up_basis @ left[:, :rank]) * root
    new_down = root[:, None] * (right[:rank] @ down_basis.T)
    return new_down.to(down.dtype).contiguous(), new_up.to(up.dtype).contiguous()


@contextmanager
def mixture_on(model: PeftModel, weights: Mapping[str, float], mixture: Mixture) -> Iterator[None]:
    """Switch a mixture of attached adapters on; it is made on entering and thrown away on leaving.

    Args:
        model: With the adapters attached, whole and at their own scale.
        weights: PEFT's name of each adapter, and how much of it.
        mixture: The method; its own weights are not looked at.

    Raises:
        InputError: PEFT cannot mix them.
    """
    # svd is the exact sum, cut to the largest rank of its parts: from the factors of the sum that takes no full SVD.
    method = "cat" if mixture.method == "svd" else mixture.method
    ranks = [max(layer.r[name] for _, layer in _layers(model, name)) for name in weights]
    try:
        with torch.random.fork_rng(devices=_cuda_devices(model)):  # dare draws which values stay
            torch.manual_seed(mixture.seed)
            model.base_model.add_weighted_adapter(  # pyright: ignore[reportCallIssue]
                list(weights), list(weights.values()), _MIXED, combination_type=method, density=mixture.density
            )
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        if _MIXED in model.peft_config:  # half made, it would be taken for whole the next time
            model.delete_adapter(_MIXED)
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"PEFT cannot mix {', '.join(mixture.weights)} by {mixture.method!r}: {reason}") from None
    try:
        _settle(model)
        model.set_adapter(_MIXED, inference_mode=True)
        with ExitStack() as stack:
            if mixture.method == "svd":
                for _, layer in _layers(model, _MIXED):
                    _cut(layer, _MIXED, max(ranks), stack)
            yield
    finally:
        model.set_adapter(next(iter(weights)), inference_mode=True)
        model.delete_adapter(_MIXED)


def _settle(model: PeftModel) -> None:
    """Give a new mixture the base's precision and the scale 1: its weights hold the scales of its parts already."""
    for _, layer in _layers(model, _MIXED):
        layer.scaling[_MIXED] = 1.0
        for factors in (layer.lora_A, layer.lora_B):
            for first in (weight for name, weight in factors.items() if name != _MIXED):
                factors[_MIXED].to(device=first.weight.device, dtype=first.weight.dtype)
                break


def _cuda_devices(model: PeftModel) -> list[torch.device]:
    device = next(model.parameters()).device
    return [device] if device.type == "cuda" else []
