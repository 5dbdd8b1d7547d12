"""What an adapter changed: how much of each weight, in how many directions, where most. Computed with numpy alone.

The change of a weight is scale x B A. Its norms and singular values come from the factors (QR of both, then the singular values of
a rank x rank matrix), so that the product is never formed. DoRA also turns the weight itself, and there the product is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.adapters.factors import Factors, module_factors, remarks
from core.adapters.facts import AdapterFacts, part_order, split_module
from core.adapters.fit import base_weight
from core.errors import InputError
from core.weights import TensorInfo, read_headers, weight_files


@dataclass(frozen=True)
class ModuleChange:
    """What an adapter did to one weight."""

    module: str
    """Its path: ``model.layers.27.self_attn.v_proj``."""
    layer: int | None
    part: str
    """Its path within the layer: ``self_attn.v_proj``."""
    rank: int
    scale: float
    change_norm: float
    """Frobenius norm of the change."""
    base_norm: float | None
    """Frobenius norm of the base's weight; None where the base is not at hand or holds it quantised."""
    singular_values: tuple[float, ...] = ()
    """Of the change, falling; empty for DoRA, whose change has no low rank."""
    effective_rank: float | None = None
    """exp of the entropy of the singular values' shares; see `effective_rank`."""

    @property
    def share(self) -> float | None:
        """The change's norm as a share of the weight's."""
        return self.change_norm / self.base_norm if self.base_norm else None


@dataclass(frozen=True)
class Anatomy:
    """What an adapter did to every weight that it touches."""

    tensor_hash: str
    modules: tuple[ModuleChange, ...]
    remarks: tuple[str, ...] = ()
    """What these numbers leave out, each a sentence."""

    @property
    def share(self) -> float | None:
        """The norm of all changes together as a share of the norm of all changed weights together."""
        if any(one.base_norm is None for one in self.modules):
            return None
        base = math.hypot(*(one.base_norm or 0.0 for one in self.modules))
        return math.hypot(*(one.change_norm for one in self.modules)) / base if base else None

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that it changes, rising."""
        return tuple(sorted({one.layer for one in self.modules if one.layer is not None}))

    @property
    def parts(self) -> tuple[str, ...]:
        """The paths within a layer that it changes, in the order in which a layer uses them where that is known."""
        return tuple(sorted({one.part for one in self.modules}, key=part_order))

    @property
    def most_moved(self) -> tuple[ModuleChange, ...]:
        """The modules by the share of their norm, or by the change's norm alone where the base is not known; largest first."""
        known = self.share is not None
        return tuple(sorted(self.modules, key=lambda one: -(one.share or 0.0) if known else -one.change_norm))


def measure_anatomy(
    facts: AdapterFacts, base_folder: Path | None, progress: Callable[[int, int], None] | None = None
) -> Anatomy:
    """Measure what an adapter changes.

    Args:
        facts: of the adapter.
        base_folder: the base's weights, of which only the adapted ones are read; None where they are not at hand.
        progress: called with how many modules are done, and of how many.

    Raises:
        InputError: not LoRA, a factor that is broken, or DoRA without a base.
    """
    base = {} if base_folder is None else read_headers(weight_files(base_folder))
    changes: list[ModuleChange] = []
    for factors in module_factors(facts):
        changes.append(_measured(factors, base_weight(factors.module, base), facts))
        if progress is not None:
            progress(len(changes), len(facts.pairs))
    said = list(remarks(facts))
    if any(one.base_norm is None for one in changes):
        said.append(
            "The base's weights are not at hand in full precision, so changes are shown without a share of them."
        )
    return Anatomy(facts.tensor_hash, tuple(changes), tuple(said))


def _measured(factors: Factors, weight: TensorInfo | None, facts: AdapterFacts) -> ModuleChange:
    layer, part = split_module(factors.module)
    if factors.magnitude is not None:
        change, base = _dora_norms(factors, weight, facts)
        return ModuleChange(factors.module, layer, part, factors.rank, factors.scale, change, base)
    values = singular_values(factors)
    if not np.isfinite(values).all():
        raise InputError(
            f"{facts.folder}: {factors.module} holds infinite or undefined numbers: its training diverged."
        )
    return ModuleChange(
        module=factors.module, layer=layer, part=part, rank=factors.rank, scale=factors.scale,
        change_norm=float(np.linalg.norm(values)), base_norm=None if weight is None else _norm(weight),
        singular_values=tuple(map(float, values)), effective_rank=effective_rank(values),
    )  # fmt: skip


def singular_values(factors: Factors) -> np.ndarray:
    """Return the singular values of scale x B A, falling: those of R_B R_A' for B = Q_B R_B and A' = Q_A R_A.

    Args:
        factors: of one module.

    Returns:
        As many as the smallest of rank, inputs and outputs.
    """
    if not (np.isfinite(factors.a).all() and np.isfinite(factors.b).all()):
        return np.array([np.nan])
    left, right = np.linalg.qr(factors.b).R, np.linalg.qr(factors.a.T).R
    return abs(factors.scale) * np.linalg.svd(left @ right.T, compute_uv=False)


def effective_rank(values: Iterable[float]) -> float | None:
    """Return exp(-sum p log p) over the shares p of the singular values; None where all are zero.

    It is 1 where one direction holds everything and the full count where all are equal (Roy and Vetterli, "The effective rank: a
    measure of effective dimensionality", EUSIPCO 2007).
    """
    given = np.asarray(list(values), dtype=np.float64)
    if not given.sum() > 0:
        return None
    shares = given[given > 0] / given.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _norm(weight: TensorInfo) -> float | None:
    """Return a stored weight's Frobenius norm, piece by piece; None for types that hold no plain numbers."""
    squares = [float(np.square(piece, dtype=np.float64).sum()) for piece in weight.values()]
    return math.sqrt(math.fsum(squares)) if squares else None


def _dora_norms(factors: Factors, weight: TensorInfo | None, facts: AdapterFacts) -> tuple[float, float]:
    """Return the norms of DoRA's change and of the base's weight.

    DoRA replaces W by m (W + scale B A) / |W + scale B A|, lengths taken row by row (arXiv:2402.09353, equation 5).
    """
    if weight is None or factors.magnitude is None or factors.module in facts.embeddings or len(weight.shape) != 2:
        raise InputError(
            f"{facts.folder}: {factors.module} was trained with DoRA, whose change is measured for linear layers and needs the base's "
            "weight. Put the base where workspace.yaml says."
        )
    stored = weight.array().astype(np.float64)
    base = stored.T if facts.config.get("fan_in_fan_out") else stored
    turned = base + factors.scale * (factors.b @ factors.a)
    lengths = np.linalg.norm(turned, axis=1)
    after = (factors.magnitude / np.where(lengths > 0, lengths, 1.0))[:, None] * turned
    return float(np.linalg.norm(after - base)), float(np.linalg.norm(base))
