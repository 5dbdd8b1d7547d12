"""Plain LoRA with fewer steps than PEFT takes: the update is added to the base layer's output where that stands.

PEFT makes the update, then its product with the scale, then the sum: three results of the size of the layer's output, each an
operation to start. Here one operation does all of it. What is more than plain LoRA is left to PEFT.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import Linear

from core.engine.packed import PackedLinear, UnpackedLinear

_PLAIN_BASES = (torch.nn.Linear, PackedLinear, UnpackedLinear)


class _PlainForward:
    """The forward of one of PEFT's layers."""

    def __init__(self, layer: Any) -> None:
        self._layer, self._by_peft = layer, layer.forward

    def __call__(self, x: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        layer = self._layer
        if arguments or options or layer.merged or layer.training:
            return self._by_peft(x, *arguments, **options)
        active = [] if layer.disable_adapters else [name for name in layer.active_adapters if name in layer.lora_A]
        if any(name in layer.lora_variant or layer.lora_bias[name] for name in active):
            return self._by_peft(x)
        result = layer.base_layer(x)
        for name in active:
            down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
            update = torch.nn.functional.linear(x.flatten(0, -2), down)
            result.view(-1, result.shape[-1]).addmm_(update, up.t(), alpha=layer.scaling[name])
        return result


def take_fewer_steps(model: Any) -> None:
    """Let the plain layers of a model with LoRA adapters take fewer steps; what they answer stays the same, to rounding.

    For models in one precision that are used in inference alone.
    """
    for layer in model.modules():
        if type(layer) is Linear and isinstance(layer.base_layer, _PLAIN_BASES) and not layer.fan_in_fan_out:
            layer.forward = _PlainForward(layer)
