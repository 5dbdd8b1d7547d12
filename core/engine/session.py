"""One worker's loaded models, and what they are asked: the engine as jobs see it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from core.adapters import check_against_base, read_adapter
from core.data.prompt import PromptRenderer
from core.engine.device import choose_device, choose_dtype
from core.engine.generate import generate_rows
from core.engine.models import AdapterSource, Models
from core.engine.preflight import as_json, check_loaded, mean_divergence, trees_agree
from core.engine.probe import probe
from core.engine.score import ContinuationScore, score_rows
from core.model_set import AdapterPart, Mixture
from core.plan import Part
from core.records import Evidence, Likelihood, OptionScores
from core.requests import GenerateRequest, Request, ScoreRequest
from core.spec import Settings

_NO_ROOM = "not enough memory for this example alone"


class Session:
    """Models loaded once; `observe` turns planned parts into evidence."""

    def __init__(
        self, base: Path, adapters: Mapping[str, tuple[Path, float]], checkpoints: Mapping[str, Path],
        device: str, dtype: str, settings: Settings, renderer: PromptRenderer, *, warn: Callable[[str], None],
        parts: Mapping[str, AdapterPart] | None = None, mixtures: Mapping[str, Mixture] | None = None,
    ) -> None:  # fmt: skip
        """Load the base and attach all adapters (folder and factor on its scale, and of some the part that is on).

        Raises:
            InputError: a model cannot be loaded.
        """
        chosen = choose_device(device)
        sources = {
            name: AdapterSource(folder, scale, (parts or {}).get(name)) for name, (folder, scale) in adapters.items()
        }
        self.models = Models(base, sources, checkpoints, chosen, choose_dtype(dtype, chosen), mixtures)
        self.settings, self.renderer, self.warn = settings, renderer, warn
        self._trees: bool | None = None

    def observe(self, model: Any, variant: str, part: Part) -> list[Evidence]:
        """Return the evidence of one part, in the order of its requests."""
        return [piece for batch in part.batches for piece in self._observe_rows(model, variant, batch.kind, batch.rows)]

    def _observe_rows(
        self, model: Any, variant: str, kind: str, rows: Sequence[Sequence[Request]]
    ) -> Iterator[Evidence]:
        """Observe the rows together, or in halves when memory does not suffice."""
        try:
            found = list(self._score(model, variant, rows) if kind == "score" else self._generate(model, variant, rows))
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            found = None
        if found is not None:
            yield from found
            return
        self._free_memory()  # outside the except block, whose traceback would keep the tensors alive
        if len(rows) == 1:
            self.warn(f"{variant}: {rows[0][0].task}/{rows[0][0].example_id}: {_NO_ROOM}; it has no value.")
            yield from (Evidence(r.task, variant, r.example_id, r.item, reason=_NO_ROOM) for r in rows[0])
            return
        half = len(rows) // 2
        self.warn(f"{variant}: out of memory with {len(rows)} rows; going on with {half} and {len(rows) - half}.")
        yield from self._observe_rows(model, variant, kind, rows[:half])
        yield from self._observe_rows(model, variant, kind, rows[half:])

    def _free_memory(self) -> None:
        gc.collect()
        if self.models.device.type == "cuda":
            torch.cuda.empty_cache()

    def _score(self, model: Any, variant: str, rows: Sequence[Sequence[Request]]) -> Iterator[Evidence]:
        requests = [[request for request in row if isinstance(request, ScoreRequest)] for row in rows]
        scored = score_rows(model, requests, self.models.device, trees=self._use_trees(requests[0][0]))
        for row, scores in zip(requests, scored, strict=True):
            start = 0
            for request in row:
                stop = start + len(request.continuations)
                yield _scored_evidence(request, variant, scores[start:stop])
                start = stop

    def decide_trees(self, parts: Sequence[Part]) -> None:
        """Decide now, while no variant is on, whether rows are shared; `observe` would do so at its first scores."""
        batches = [batch for part in parts for batch in part.batches if batch.kind == "score"]
        if batches and isinstance(first := batches[0].requests[0], ScoreRequest):
            self._use_trees(first)

    def _use_trees(self, request: ScoreRequest) -> bool:
        """Decide once: by architecture, and by scoring one request of this model both ways."""
        if self._trees is None:
            self._trees = self.models.trees and trees_agree(self.models, request)
            if self.models.trees and not self._trees:
                self.warn(
                    "This model's scores in shared rows differ from scores in rows of their own; each goes alone, more slowly."
                )
        return self._trees

    def _generate(self, model: Any, variant: str, rows: Sequence[Sequence[Request]]) -> Iterator[Evidence]:
        requests = [request for row in rows for request in row if isinstance(request, GenerateRequest)]
        own = requests[0].temperature  # a batch has one temperature
        answers = generate_rows(
            model,
            requests,
            self.settings if own is None else self.settings.model_copy(update={"temperature": own}),
            self.models.device,
            stop_ids=self.renderer.stop_ids,
            decode=self.renderer.decode,
        )
        for request, answer in zip(requests, answers, strict=True):
            if any(logprob != logprob for logprob in answer.token_logprobs):
                yield Evidence(request.task, variant, request.example_id, request.item, reason="the model gave NaN")
            else:
                yield Evidence(request.task, variant, request.example_id, request.item, generation=answer)

    def preflight(self, name: str, prompts: Sequence[tuple[int, ...]], base: Path) -> dict[str, Any]:
        """Return an adapter's entry of preflight.json: what its files say, then what the loaded model says."""
        facts = read_adapter(self.models.adapters[name].folder)
        divergence = mean_divergence(self.models, name, prompts)
        findings = [*check_against_base(facts, base), *check_loaded(self.models, name, divergence)]
        return as_json(
            findings, mean_kl=divergence if divergence == divergence else None,
            trainable_parameters=facts.parameters, adapter_bytes=facts.n_bytes, tensor_hash=facts.tensor_hash,
        )  # fmt: skip

    def probe(
        self,
        variants: Sequence[str],
        prompts: Sequence[tuple[int, ...]],
        tokens: int,
        progress: Callable[[int, int], None],
    ) -> dict[str, Any]:
        """Return the content of probe.json."""
        return probe(self.models, variants, prompts, new_tokens=tokens, progress=progress)


def _scored_evidence(request: ScoreRequest, variant: str, scores: Sequence[ContinuationScore]) -> Evidence:
    identity = (request.task, variant, request.example_id, request.item)
    if any(logprob != logprob for score in scores for logprob in score.logprobs):
        return Evidence(*identity, reason="the model gave NaN")
    if request.kind == "likelihood":
        answer, score = request.continuations[0], scores[0]
        likelihood = Likelihood(answer.ids, score.logprobs, answer.starts, score.top, answer.n_bytes)
        return Evidence(*identity, likelihood=likelihood)
    options = OptionScores(
        options=tuple(answer.text for answer in request.continuations),
        # float32 log-probabilities, summed in float64: Python's float is one
        logprob_sums=tuple(sum(score.logprobs) for score in scores),
        n_tokens=tuple(len(answer.ids) for answer in request.continuations),
        n_bytes=tuple(answer.n_bytes for answer in request.continuations),
    )
    return Evidence(*identity, option_scores=options)


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in str(error) for words in ("can't allocate memory", "out of memory", "ALLOC_FAILED")
    )
