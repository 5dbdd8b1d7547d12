"""vLLM's models and what they are asked: the same evidence as `core.engine.session.Session` gives, in the same order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch

from core.adapters import check_against_base, read_adapter
from core.data.prompt import PromptRenderer
from core.engine.evidence import generated_evidence, scored_evidence
from core.engine.models import AdapterSource, Models
from core.engine.preflight import as_json, check_loaded
from core.engine.score import ContinuationScore
from core.engine.vllm_models import VllmModels, VllmVariant
from core.errors import InputError
from core.plan import Part
from core.records import BASELINE, Evidence, Generation
from core.requests import GenerateRequest, ScoreRequest
from core.spec import Settings


class VllmSession:
    """Models loaded once; `observe` turns planned parts into evidence."""

    def __init__(
        self, base: Path, adapters: Mapping[str, tuple[Path, float]], checkpoints: Mapping[str, Path], device: str, dtype: str,
        settings: Settings, renderer: PromptRenderer,
    ) -> None:  # fmt: skip
        """Load the base with its adapters (folder and factor on its scale, 1 or 0); checkpoints when their turn comes.

        Raises:
            InputError: vLLM is not here, or cannot load a model.
        """
        sources = {name: AdapterSource(folder, scale) for name, (folder, scale) in adapters.items()}
        self.models = VllmModels(base, sources, checkpoints, device, dtype, settings, renderer)
        self.settings, self.renderer = settings, renderer
        self._baseline: tuple[tuple[tuple[int, ...], ...], torch.Tensor] | None = None

    def observe(self, model: VllmVariant, variant: str, part: Part) -> list[Evidence]:
        """Return the evidence of one part, in the order of its requests.

        Raises:
            RunError: vLLM gave up.
        """
        requests = [request for batch in part.batches for request in batch.requests]
        sequences = [_sequences(request) for request in requests]
        fits = [all(len(one) < model.room for one in some) for some in sequences]
        asked = [(request, some) for request, some, fit in zip(requests, sequences, fits, strict=True) if fit]
        wishes = [self._wish(request) for request, some in asked for _ in some]
        outputs = iter(model.ask([one for _, some in asked for one in some], wishes) if wishes else ())
        return [
            self._evidence(variant, request, [next(outputs) for _ in some])
            if fit
            else _no_room(variant, request, some, model)
            for request, some, fit in zip(requests, sequences, fits, strict=True)
        ]

    def preflight(self, name: str, prompts: Sequence[tuple[int, ...]], base: Path) -> dict[str, Any]:
        """Return an adapter's entry of preflight.json: what its files say, then what the loaded model says."""
        facts = read_adapter(self.models.adapters[name].folder)
        if self._baseline is None or self._baseline[0] != tuple(prompts):  # once for all adapters
            self._baseline = tuple(prompts), self._next_token_logprobs(BASELINE, prompts)
        theirs = self._next_token_logprobs(name, prompts)
        divergence = float((theirs.exp() * (theirs - self._baseline[1])).sum(-1).mean())
        models = cast(Models, self.models)  # of which the adapters and their lost tensors alone are looked at
        findings = [*check_against_base(facts, base), *check_loaded(models, name, divergence)]
        return as_json(
            findings, mean_kl=divergence if divergence == divergence else None,
            trainable_parameters=facts.parameters, adapter_bytes=facts.n_bytes, tensor_hash=facts.tensor_hash,
        )  # fmt: skip

    def probe(self, *_: object) -> dict[str, Any]:
        """Refuse: `core.vllm_checks.settings_for` leaves the probe out of every run that it prepares.

        Raises:
            InputError: always.
        """
        raise InputError(
            "settings.probe: found true together with engine: vllm, of which one variant's speed cannot be told. Set it to false."
        )

    def _next_token_logprobs(self, variant: str, prompts: Sequence[tuple[int, ...]]) -> torch.Tensor:
        """Return a variant's next-token log-probabilities after each prompt: prompts x vocabulary, float64."""
        wish = self.models.sampling(max_tokens=1, temperature=0.0, logprobs=-1, flat_logprobs=True)
        with self.models.variant(variant) as model:
            outputs = model.ask(prompts, [wish] * len(prompts))
        flat = [output.outputs[0].logprobs for output in outputs]
        rows = torch.full((len(flat), 1 + max(max(one.token_ids) for one in flat)), -torch.inf, dtype=torch.float64)
        for row, one in zip(rows, flat, strict=True):
            row[torch.tensor(one.token_ids)] = torch.tensor(one.logprobs, dtype=torch.float64)
        return torch.log_softmax(rows, dim=-1)

    def _wish(self, request: Any) -> Any:
        if isinstance(request, ScoreRequest):
            return self.models.sampling(max_tokens=1, temperature=0.0, prompt_logprobs=0)
        settings = self._settings_of(request)
        drawn = {"top_p": settings.top_p, "seed": _seed(settings.seed, request)} if settings.temperature > 0 else {}
        stops = {"stop": list(settings.stop), "detokenize": True} if settings.stop else {}
        return self.models.sampling(
            max_tokens=settings.max_new_tokens, temperature=settings.temperature, logprobs=0,
            stop_token_ids=sorted(self.renderer.stop_ids), **drawn, **stops,
        )  # fmt: skip

    def _settings_of(self, request: GenerateRequest) -> Settings:
        own = request.temperature
        return self.settings if own is None else self.settings.model_copy(update={"temperature": own})

    def _evidence(self, variant: str, request: Any, outputs: Sequence[Any]) -> Evidence:
        if isinstance(request, ScoreRequest):
            scores = [_score(one, len(request.prompt)) for one in outputs]
            return scored_evidence(request, variant, scores)
        return generated_evidence(request, variant, self._answer(request, outputs[0].outputs[0]))

    def _answer(self, request: GenerateRequest, output: Any) -> Generation:
        """Return an answer with its text and end as `core.engine.generate.Row` reads them: by the base's own tokenizer."""
        ids = list(output.token_ids)
        text, finish = self.renderer.decode(ids), "eos" if ids and ids[-1] in self.renderer.stop_ids else "length"
        place = _first_stop(text, self.settings.stop)
        while place is not None:  # it ends with the token that completed the first stop string
            text, finish = text[:place], "stop"
            shorter = self.renderer.decode(ids[:-1])
            if (place := _first_stop(shorter, self.settings.stop)) is not None:
                ids, text = ids[:-1], shorter
        logprobs = tuple(entry[token].logprob for token, entry in zip(ids, output.logprobs, strict=False))
        return Generation(text, finish, len(request.prompt), tuple(ids), logprobs)


def _first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Return where the first of some strings begins in a text; None where there is none of them."""
    return min((place for place in (text.find(stop) for stop in stops) if place >= 0), default=None)


def _sequences(request: Any) -> list[tuple[int, ...]]:
    """Return the tokens that vLLM is given for a request: its prompt, or that with each continuation."""
    if isinstance(request, ScoreRequest):
        return [(*request.prompt, *continuation.ids) for continuation in request.continuations]
    return [request.prompt]


def _score(output: Any, start: int) -> ContinuationScore:
    """Return what vLLM says of the tokens of its prompt from ``start`` on."""
    found = [
        entry[token]
        for token, entry in zip(output.prompt_token_ids[start:], output.prompt_logprobs[start:], strict=True)
    ]
    return ContinuationScore(tuple(one.logprob for one in found), tuple(one.rank == 1 for one in found))


def _no_room(variant: str, request: Any, sequences: Sequence[tuple[int, ...]], model: VllmVariant) -> Evidence:
    tokens, room = max(map(len, sequences)), model.room - 1  # vLLM answers every text with one token at least
    reason = f"it has {tokens:,} tokens, and vLLM has room for {room:,} here"
    return Evidence(request.task, variant, request.example_id, request.item, reason=reason)


def _seed(seed: int, request: GenerateRequest) -> int:
    """Return a row's own seed, so that a draw does not depend on its neighbours."""
    digest = hashlib.sha256(f"{seed}/{request.task}/{request.example_id}/{request.item}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=False) >> 1
