"""Linear layers as oneDNN wants them: on a processor the same products in float32, up to twice as fast with few rows.

torch multiplies float32 matrices with MKL, which takes the weights as they lie and rearranges them at every call. oneDNN arranges
them once. The arranged weights take the place of the plain ones, so that a model takes no more memory than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from core.engine.device import give_back_memory

_ROWS = 4
"""Of the product by which a layout is checked before it is used."""
_FREED = 64 * 2**20
"""Bytes of plain weights after which the allocator is asked to give back what lies between the arranged ones."""
_TOLERANCE = 1e-4
"""Of that product, beside its largest number."""


class PackedLinear(torch.nn.Module):
    """A linear layer whose weight is held as oneDNN arranged it."""

    def __init__(self, plain: torch.nn.Linear, weight: torch.Tensor) -> None:
        """Take the layer whose place it takes, and its arranged weight."""
        super().__init__()
        self.in_features, self.out_features = plain.in_features, plain.out_features
        self.bias = plain.bias
        self._arranged = weight

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return ... x outputs for ... x inputs."""
        return _product(inputs, self._arranged, self.bias)

    def plain(self) -> torch.nn.Linear:
        """Return the layer as it was before, its weight to the last bit."""
        layer = torch.nn.Linear(self.in_features, self.out_features, bias=self.bias is not None, device="meta")
        layer.weight = torch.nn.Parameter(self._arranged.to_dense(), requires_grad=False)
        layer.bias = self.bias
        return layer


class UnpackedLinear(torch.nn.Linear):
    """A linear layer that is multiplied by oneDNN, with a weight that others read too, as embeddings that are tied to it."""

    def __init__(self, plain: torch.nn.Linear) -> None:
        """Take the layer whose place it takes: its very weight."""
        torch.nn.Module.__init__(self)
        self.in_features, self.out_features = plain.in_features, plain.out_features
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Return ... x outputs for ... x inputs."""
        return _product(input, self.weight, self.bias)


def _product(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Tell whether layers can be packed: float32 on a processor, by a torch that was built with oneDNN."""
    return device.type == "cpu" and dtype == torch.float32 and torch.backends.mkldnn.is_available()


@torch.inference_mode()
def pack(base: Any, others: Iterable[Any] = ()) -> None:
    """Pack the linear layers of a base, here and in other models whose modules hold its very weights.

    One weight after the other, so that hardly more than one is held twice. A weight that others read, too, stays as it is, and so do
    layers whose packed product would not be the plain one's.

    Args:
        base: A model in float32 on a processor.
        others: Models that PEFT made over its weights; what is theirs alone stays as it is.
    """
    roots = [base, *others]
    places: dict[int, list[tuple[Any, str]]] = {}
    for parent, name, layer in _linear_layers(roots):
        places.setdefault(id(layer.weight), []).append((parent, name))
    read_elsewhere = {id(p) for root in roots for p in _parameters_of_other_modules(root)}
    own = [id(parameter) for parameter in base.parameters()]
    checked: dict[tuple[int, int], bool] = {}
    freed = 0
    for weight in own:
        if where := places.get(weight):
            freed += _pack_weight(where, checked, shared=weight in read_elsewhere)
        if freed > _FREED:
            give_back_memory()
            freed = 0
    give_back_memory()


def _pack_weight(where: Sequence[tuple[Any, str]], checked: dict[tuple[int, int], bool], *, shared: bool) -> int:
    """Put packed layers into all places of one weight and return how many bytes of plain numbers nobody holds any more.

    Args:
        where: The modules that its layers hang in, and their names there.
        checked: Which shapes of layers agree when they are packed; further ones are noted.
        shared: Whether other modules read the weight.
    """
    first = getattr(where[0][0], where[0][1])
    shape = (first.in_features, first.out_features)
    if shape not in checked:
        checked[shape] = _agrees(first, arranged=not shared)
    if not checked[shape]:
        return 0
    arranged = None if shared else torch.ops.mkldnn._reorder_linear_weight(first.weight)
    for parent, name in where:
        plain = getattr(parent, name)
        setattr(parent, name, UnpackedLinear(plain) if arranged is None else PackedLinear(plain, arranged))
    return 0 if shared else first.weight.nbytes


def unpack(model: Any) -> None:
    """Give a model its plain layers back, for what reads or changes weights; its layers share none with other models then."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, PackedLinear):
                setattr(parent, name, child.plain())


def _linear_layers(roots: Iterable[Any]) -> Iterator[tuple[Any, str, torch.nn.Linear]]:
    """Yield each place of a plain linear layer: the module it hangs in, its name there, and the layer."""
    seen: set[tuple[int, str]] = set()
    for root in roots:
        for parent in root.modules():
            for name, child in parent.named_children():
                if type(child) is torch.nn.Linear and (id(parent), name) not in seen:
                    seen.add((id(parent), name))
                    yield parent, name, child


def _parameters_of_other_modules(root: Any) -> Iterator[torch.nn.Parameter]:
    for module in root.modules():
        if type(module) is not torch.nn.Linear:
            yield from module.parameters(recurse=False)


def _agrees(layer: torch.nn.Linear, *, arranged: bool) -> bool:
    """Tell whether oneDNN's product of a layer is the plain one, to rounding: with its weight arranged, or as it lies."""
    inputs = torch.linspace(-1, 1, _ROWS * layer.in_features).reshape(_ROWS, layer.in_features)
    plain = torch.nn.functional.linear(inputs, layer.weight, layer.bias)
    try:
        weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight) if arranged else layer.weight
        found = _product(inputs, weight, layer.bias)
    except (AttributeError, RuntimeError):  # this torch has no such operation, or not for such a layer
        return False
    return bool(((found - plain).abs() <= _TOLERANCE * plain.abs().max()).all())
