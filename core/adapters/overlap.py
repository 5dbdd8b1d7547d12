"""Two adapters of one base: do they change the same weights in the same directions? From the factors alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.adapters.factors import Factors, module_factors
from core.adapters.facts import AdapterFacts, split_module
from core.errors import InputError

_NEGLIGIBLE = 1e-6
"""Directions whose singular value is a smaller share of the largest one than this span nothing."""


@dataclass(frozen=True)
class ModuleOverlap:
    """How alike two adapters' changes of one weight are."""

    module: str
    layer: int | None
    part: str
    cosine: float | None
    """Of the two changes as vectors: 1 the same up to strength, 0 unrelated, -1 opposite; None where one changes nothing."""
    output_overlap: float | None
    """Share of the smaller subspace of outputs that lies in the larger one; see `subspace_overlap`."""
    input_overlap: float | None
    """The same of the inputs that they listen to."""
    output_chance: float | None
    """What two subspaces of these sizes share when they are drawn at random."""
    input_chance: float | None
    largest_angle: float | None
    """The largest principal angle between the subspaces of outputs, degrees."""


@dataclass(frozen=True)
class Overlap:
    """Two adapters beside each other, over the modules that both change."""

    tensor_hashes: tuple[str, str]
    modules: tuple[ModuleOverlap, ...]
    cosine: float | None
    """Of all changes together, modules that only one of them changes included."""
    only_first: tuple[str, ...] = ()
    """Modules that only the first adapter changes."""
    only_second: tuple[str, ...] = ()

    def mean(self, name: str) -> float | None:
        """Return the mean over modules of one of `ModuleOverlap`'s numbers; None where there is none."""
        values = [value for one in self.modules if (value := getattr(one, name)) is not None]
        return math.fsum(values) / len(values) if values else None


def measure_overlap(
    first: AdapterFacts, second: AdapterFacts, progress: Callable[[int, int], None] | None = None
) -> Overlap:
    """Compare the changes of two LoRA adapters.

    Args:
        first: the one.
        second: the other; their modules must have the same sizes.
        progress: called with how many modules are done, and of how many.

    Raises:
        InputError: one is not LoRA, uses DoRA, or the two were made for different bases.
    """
    for facts in (first, second):
        if facts.config.get("use_dora"):
            raise InputError(
                f"{facts.folder}: trained with DoRA, whose change has no low rank; directions are compared for plain LoRA."
            )
    theirs = {one.module: one for one in module_factors(second)}
    found: list[ModuleOverlap] = []
    inner = squares_first = squares_second = 0.0
    squares_second = sum(_inner(one, one) for one in theirs.values())
    ours = set()
    for factors in module_factors(first):
        ours.add(factors.module)
        squares_first += _inner(factors, factors)
        if (other := theirs.get(factors.module)) is not None:
            if factors.a.shape[1] != other.a.shape[1] or factors.b.shape[0] != other.b.shape[0]:
                raise InputError(
                    f"{factors.module}: {first.folder.name} changes {factors.b.shape[0]} x {factors.a.shape[1]}, {second.folder.name} "
                    f"{other.b.shape[0]} x {other.a.shape[1]}: they were made for different bases."
                )
            inner += _inner(factors, other)
            found.append(_overlap(factors, other))
        if progress is not None:
            progress(len(ours), len(first.pairs))
    norms = math.sqrt(squares_first * squares_second)
    return Overlap(
        (first.tensor_hash, second.tensor_hash), tuple(found), inner / norms if norms else None,
        tuple(sorted(ours - set(theirs))), tuple(sorted(set(theirs) - ours)),
    )  # fmt: skip


def _inner(one: Factors, other: Factors) -> float:
    """Return the inner product of two changes, <B1 A1, B2 A2> = sum of (B1' B2) * (A1 A2'), without forming them."""
    return one.scale * other.scale * float(((one.b.T @ other.b) * (one.a @ other.a.T)).sum())


def _overlap(one: Factors, other: Factors) -> ModuleOverlap:
    layer, part = split_module(one.module)
    norms = math.sqrt(_inner(one, one) * _inner(other, other))
    if not norms:
        return ModuleOverlap(one.module, layer, part, None, None, None, None, None, None)
    (left, right), (other_left, other_right) = _subspaces(one), _subspaces(other)
    return ModuleOverlap(
        module=one.module, layer=layer, part=part, cosine=_inner(one, other) / norms,
        output_overlap=subspace_overlap(left, other_left), input_overlap=subspace_overlap(right, other_right),
        output_chance=_chance(left, other_left), input_chance=_chance(right, other_right),
        largest_angle=float(np.degrees(principal_angles(left, other_left)[-1])),
    )  # fmt: skip


def principal_angles(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the principal angles between two subspaces, radians, rising.

    Their cosines are the singular values of Q1' Q2 (Bjorck and Golub, "Numerical methods for computing angles between linear
    subspaces", 1973); cosines near 1 lose digits, which a picture of angles does not show.

    Args:
        one: orthonormal columns (n x i).
        other: orthonormal columns (n x j).

    Returns:
        min(i, j) angles.
    """
    return np.arccos(np.clip(np.linalg.svd(one.T @ other, compute_uv=False), 0.0, 1.0))


def subspace_overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return |Q1' Q2|^2 / min(i, j), the mean squared cosine of the principal angles: 0 orthogonal, 1 one within the other.

    It is the measure of Hu et al. (LoRA, arXiv:2106.09685, section 7.2, equation 4).
    """
    return float(np.square(one.T @ other).sum() / min(one.shape[1], other.shape[1]))


def _chance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the expected overlap of random subspaces of these sizes: i j / n over min(i, j)."""
    return max(one.shape[1], other.shape[1]) / one.shape[0]


def _subspaces(factors: Factors) -> tuple[np.ndarray, np.ndarray]:
    """Return orthonormal bases of the outputs that a change reaches and of the inputs that it listens to."""
    left_q, left_r = np.linalg.qr(factors.b)
    right_q, right_r = np.linalg.qr(factors.a.T)
    u, values, vt = np.linalg.svd(left_r @ right_r.T)
    kept = values > _NEGLIGIBLE * values[0]
    size = len(values)
    return left_q @ u[:, :size][:, kept], right_q @ vt[:size].T[:, kept]
