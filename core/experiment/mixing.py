"""The points of a mixture of adapters that are measured: each of them pure, and weights that add up to 1 between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from core.ablation_spec import Trial
from core.model_set import MixingMethod, Mixture

_TWO = ((0, 0.5), (1, 0.25), (1, 0.75))
"""Level of detail and the first adapter's weight."""


def mixing_trials(
    adapter: str, partners: Sequence[str], methods: Sequence[MixingMethod], seed: int
) -> Iterator[tuple[int, str, Trial, Mixture | None]]:
    """Yield level of detail, name's end, trial (its variant still empty) and mixture; of a pure adapter None.

    Args:
        adapter: The one that the ablation is about; a trial's dose is its weight.
        partners: The others, one or more.
        methods: PEFT's names of the ways to mix.
        seed: From which dare draws.
    """
    names = (adapter, *partners)
    for name in names:
        weights = {name: 1.0}
        yield 0, "", _trial(adapter, None, weights, name), None
    for method in methods:
        for level, shares in _points(len(names)):
            weights = {name: share for name, share in zip(names, shares, strict=True) if share}
            listed = "-".join(f"{share:.3g}" for share in (shares[:1] if len(names) == 2 else shares))
            label = " + ".join(f"{share:.3g} {name}" for name, share in weights.items()) + f" ({method})"
            suffix = "".join(f"+{partner}" for partner in partners) + f".{method}-{listed}"
            yield (
                level,
                suffix,
                _trial(adapter, method, weights, label),
                Mixture(method=method, weights=weights, seed=seed),
            )


def _trial(adapter: str, method: MixingMethod | None, weights: dict[str, float], label: str) -> Trial:
    dose = weights.get(adapter, 0.0)
    return Trial(part="mixing", change="mixed", variant="", label=label, dose=dose, method=method, weights=weights)


def _points(count: int) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Yield points of the simplex: the middle first, then the middles of its edges, then two thirds of each corner."""
    if count == 2:
        yield from ((level, (first, 1 - first)) for level, first in _TWO)
        return
    yield 0, (1 / count,) * count
    for pair in combinations(range(count), 2):
        yield 1, tuple(0.5 if place in pair else 0.0 for place in range(count))
    for corner in range(count):
        yield 2, tuple(2 / 3 if place == corner else 1 / 3 / (count - 1) for place in range(count))
