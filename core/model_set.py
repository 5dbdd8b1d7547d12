"""One base model and its variants: adapters, parts of adapters, mixtures of adapters, checkpoints. `core.spec` has the rest."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.records import BASELINE

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A short name that can be part of a file's name; letters, digits and . _ + - only."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
MixingMethod = Literal["linear", "cat", "svd", "ties", "dare_linear", "dare_ties", "magnitude_prune"]
"""How PEFT's ``add_weighted_adapter`` makes one adapter of several; ``cat`` alone is their exact weighted sum."""
MIXING_METHODS: tuple[MixingMethod, ...] = get_args(MixingMethod)


class Strict(BaseModel):
    """Frozen, and an unknown key is a mistake rather than ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelRef(Strict):
    """Where a model's weights are."""

    path: str
    """A folder (relative to the workspace), a Hub id, or ``cache:NAME`` for the sample's base."""
    revision: str | None = None


class AdapterPart(Strict):
    """What of an adapter is on; None is all of it. What is left out is switched off, and the base answers there alone."""

    modules: tuple[str, ...] | None = None
    """The last parts of module paths that stay: ``q_proj``."""
    layers: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """The numbers of the layers that stay; modules outside the layers stay too."""
    rank: Annotated[int, Field(ge=1)] | None = None
    """How many of the strongest singular directions of each module's update stay."""


class AdapterRef(Strict):
    """Where an adapter is, how strongly it is applied, and which part of it."""

    path: str
    scale: Finite = 1.0
    """Multiplies the adapter's own scale; 1 is the adapter as trained, 0 the baseline."""
    part: AdapterPart | None = None
    of: Name | None = None
    """Of an ablation's variant: the adapter that it is a part of; written by a run, never by a user."""

    @property
    def is_whole(self) -> bool:
        """Whether it is an adapter as it was named, and not a variant that an ablation made of one."""
        return self.of is None


class Mixture(Strict):
    """One adapter made of several."""

    method: MixingMethod
    weights: Annotated[dict[Name, Finite], Field(min_length=2)]
    """Adapters of the same model set, and how much of each."""
    density: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of values that stays, for the methods that prune (ties, dare_linear, dare_ties, magnitude_prune)."""
    seed: int = 0
    """From which dare draws the values that stay."""


class ModelSet(Strict):
    """One base model and its variants. The baseline is the base with every adapter off."""

    base: ModelRef
    adapters: dict[Name, AdapterRef] = {}
    mixtures: dict[Name, Mixture] = {}
    """Written by a run, never by a user."""
    checkpoints: dict[Name, ModelRef] = {}
    imported: tuple[Name, ...] = ()
    """Of a run whose predictions came from elsewhere: the names of the systems, the reference first; no model is known."""

    @model_validator(mode="after")
    def _names_are_free(self) -> ModelSet:
        names = [*self.adapters, *self.mixtures, *self.checkpoints]
        for name in names:
            if name == BASELINE or names.count(name) > 1:
                raise ValueError(f"{name!r} is taken: {BASELINE!r} is the base itself, and names are used once")
        for name, mixture in self.mixtures.items():
            if unknown := next((one for one in mixture.weights if one not in self.adapters), None):
                raise ValueError(f"the mixture {name!r} is made of {unknown!r}, which is no adapter of this set")
        if len(set(self.imported)) < len(self.imported):
            raise ValueError("each imported system needs a name of its own")
        return self

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant's name, the baseline first; of imported predictions the systems' names."""
        if self.imported:
            return self.imported
        return (BASELINE, *self.adapters, *self.mixtures, *self.checkpoints)
