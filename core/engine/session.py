"""One worker's loaded models, and what they are asked: the engine as jobs see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from core.adapters import Finding, check_against_base, read_adapter
from core.data.prompt import PromptRenderer
from core.engine.device import choose_device, choose_dtype
from core.engine.models import AdapterSource, Models
from core.engine.observe import Observer
from core.engine.preflight import as_json, check_loaded, mean_divergence, next_token_logprobs
from core.engine.probe import probe
from core.heads import Head
from core.model_set import AdapterPart, Mixture, Quantisation
from core.plan import Part
from core.records import BASELINE, Evidence
from core.requests import GenerateRequest, ScoreRequest
from core.spec import Settings


class Session:
    """Models loaded once; `observe` turns planned parts into evidence."""

    def __init__(
        self, base: Path, adapters: Mapping[str, tuple[Path, float]], checkpoints: Mapping[str, Path],
        device: str, dtype: str, settings: Settings, renderer: PromptRenderer, *, warn: Callable[[str], None],
        parts: Mapping[str, AdapterPart] | None = None, mixtures: Mapping[str, Mixture] | None = None,
        heads: Mapping[str, Head] | None = None, quantised: Mapping[str, Quantisation] | None = None,
    ) -> None:  # fmt: skip
        """Load the base and attach all adapters (folder and factor on its scale, and of some the part that is on).

        Variants that are ``heads`` are loaded when their turn comes.

        Raises:
            InputError: a model cannot be loaded.
        """
        chosen = choose_device(device)
        sources = {
            name: AdapterSource(folder, scale, (parts or {}).get(name))
            for name, (folder, scale) in adapters.items()
            if name not in (heads or {})
        }
        self.models = Models(
            base, sources, checkpoints, chosen, choose_dtype(dtype, chosen), mixtures, heads, quantised
        )
        self.renderer = renderer
        self._observer = Observer(self.models, settings, renderer, warn)
        self._baseline: tuple[tuple[tuple[int, ...], ...], torch.Tensor] | None = None

    def observe(self, model: Any, variant: str, part: Part) -> list[Evidence]:
        """Return the evidence of one part, in the order of its requests."""
        return list(self._observer.observe(model, variant, part))

    def decide_trees(self, parts: Sequence[Part]) -> None:
        """Decide now, while no variant is on, whether rows share tokens; `observe` would do so at its first batch."""
        questions = (request for part in parts for batch in part.batches for request in batch.requests)
        if (first := next((q for q in questions if isinstance(q, (ScoreRequest, GenerateRequest))), None)) is not None:
            self._observer.decide(first)

    def preflight(self, name: str, prompts: Sequence[tuple[int, ...]], base: Path) -> dict[str, Any]:
        """Return an adapter's entry of preflight.json: what its files say, then what the loaded model says."""
        if name in self.models.heads:
            return self._preflight_head(name, base)
        facts = read_adapter(self.models.adapters[name].folder)
        if self._baseline is None or self._baseline[0] != tuple(prompts):  # once for all adapters
            self._baseline = tuple(prompts), next_token_logprobs(self.models, BASELINE, prompts)
        divergence = mean_divergence(self.models, name, prompts, self._baseline[1])
        findings = [*check_against_base(facts, base), *check_loaded(self.models, name, divergence)]
        return as_json(
            findings, mean_kl=divergence if divergence == divergence else None,
            trainable_parameters=facts.parameters, adapter_bytes=facts.n_bytes, tensor_hash=facts.tensor_hash,
        )  # fmt: skip

    def _preflight_head(self, name: str, base: Path) -> dict[str, Any]:
        """Return the entry of an adapter with a classification head: that it loads whole is what loading tells."""
        facts = read_adapter(self.models.heads[name].folder)
        with self.models.variant(name):
            loaded = Finding("ok", "keys_loaded", "It loads as a classifier, and no weight of it is left to chance.")
        findings = [*check_against_base(facts, base), loaded]
        return as_json(
            findings,
            mean_kl=None,
            trainable_parameters=facts.parameters,
            adapter_bytes=facts.n_bytes,
            tensor_hash=facts.tensor_hash,
        )

    def probe(
        self,
        variants: Sequence[str],
        prompts: Sequence[tuple[int, ...]],
        tokens: int,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """Return the content of probe.json."""
        return probe(self.models, variants, prompts, new_tokens=tokens, progress=progress)
