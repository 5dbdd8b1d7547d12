"""The models of a finished run, found and loaded again: for jobs that ask them more than the run did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.evidence_cache import VariantIdentity
from core.heads import find_heads, refuse_heads
from core.jobs import environment
from core.jobs.identities import identify
from core.jobs.loading import Loading
from core.jobs.prompting import keeping_marks
from core.jobs.run_workspace import run_workspace
from core.records import BASELINE
from core.spec import ModelRef, ModelSet
from core.store import Run
from core.templates import renderer_of

if TYPE_CHECKING:
    from core.engine.session import Session


class RunModels:
    """Some variants of a run, with the very weights, precision and device that the run had."""

    def __init__(self, run: Run, variants: Sequence[str]) -> None:
        """Look for the models on this disk, and check that they are those that the run was made with.

        Raises:
            InputError: the run lies in no workspace, or a model is gone, or has changed since; the message says where it was
                looked for.
        """
        self.run = run
        self.workspace = run_workspace(run)
        made = run.read_json("environment")
        if made is None:
            raise InputError(f"{run.folder}: found no environment.json, which says what the run was made with.")
        # Here torch computes, whatever engine the run had.
        self.environment: dict[str, Any] = {key: value for key, value in made.items() if key != "engine"}
        self.models = self._narrowed(variants)
        if there := next((name for name in (BASELINE, *variants) if name in run.spec.models.served), None):
            raise InputError(
                f"run {run.id}: {there!r} answered from a server, whose weights are not on this disk: they cannot be asked more than "
                "the run did."
            )
        self.base = self._folder(run.spec.models.base, "models.base")
        self.checkpoints = {
            name: self._folder(ref, f"models.checkpoints.{name}") for name, ref in self.models.checkpoints.items()
        }
        heads = find_heads(self.models, self.workspace.adapter_folder, self.checkpoints)
        refuse_heads(heads, tuple(variants), "it gives no text and no log-likelihoods to compare")
        self.adapters = {
            name: (self.workspace.adapter_folder(ref.of or name), ref.scale)
            for name, ref in self.models.adapters.items()
        }
        renderer = renderer_of(self.workspace, self.models, self.base)
        self.renderer = keeping_marks(renderer, made.get("thinking"))
        self._check()

    def _narrowed(self, variants: Sequence[str]) -> ModelSet:
        """Return the run's model set without the variants that are not asked for: their files may be gone."""
        models = self.run.spec.models
        mixtures = {name: mixture for name, mixture in models.mixtures.items() if name in variants}
        needed = {*variants, *(one for mixture in mixtures.values() for one in mixture.weights)}
        return ModelSet(
            base=models.base,
            adapters={name: ref for name, ref in models.adapters.items() if name in needed},
            mixtures=mixtures,
            checkpoints={name: ref for name, ref in models.checkpoints.items() if name in needed},
            template=models.template,
        )

    def _folder(self, ref: ModelRef, key: str) -> Path:
        found = self.workspace.model_location(ref)
        if isinstance(found, Path) and found.is_dir():
            return found
        raise InputError(
            f"{self.workspace.path}: {key}: found no folder {found}, where the weights that run {self.run.id} was made with should "
            "be. Put them there; what the run holds can be viewed without."
        )

    def _check(self) -> None:
        spec = self.run.spec.model_copy(update={"models": self.models, "datasets": {}})
        now = environment.describe(self.workspace, spec, self.base, self.checkpoints)
        same = {key: self.environment.get(key) for key in ("plan", "device", "dtype")}
        environment.check_unchanged(
            self.environment, now | same | {"tokenizer": self.renderer.fingerprint}, self.run.folder
        )

    def identity(self, variant: str) -> VariantIdentity:
        """Return what makes a variant the model that it is: the key of what is cached of it."""
        return identify(self.models, self.environment, variant)

    def session(self, warn: Callable[[str], None]) -> Session:
        """Load the models, to compute with as many threads as the run did: their number moves the last bits.

        Raises:
            InputError: one cannot be loaded, or the device of the run is not here.
        """
        settings = self.run.spec.settings
        loading = Loading(
            self.base, self.adapters, self.checkpoints, self.environment["device"], self.environment["dtype"], settings,
            parts={name: ref.part for name, ref in self.models.adapters.items() if ref.part}, mixtures=self.models.mixtures,
            threads=self.environment.get("threads", settings.threads), quantised=self.models.quantised,
        )  # fmt: skip
        return loading.session(self.renderer, warn)
