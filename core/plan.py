"""What has to be computed, in which batches. Decided from the spec, the examples and the tokenizer alone, without torch.

The plan does not depend on how far a run has come or where it is computed: batch size changes the last bits of float32,
so only a fixed plan makes a killed and resumed run equal to one that was never killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from core.data.prompt import PromptRenderer
from core.records import Example
from core.requests import GenerateRequest, Refusal, Request, ScoreRequest, requests_of, why_not
from core.spec import RunSpec, Settings, TaskSpec
from core.tree import TokenTree

ROWS_GENERATING = 24
"""Rows decoded side by side on a CPU: 16 to 32 keep it busiest (measured: 78, 133, 100 tokens/s at 8, 24, 64)."""
BATCHES_A_PART = 8
CPU_BATCH_TOKENS = 768
GPU_BATCH_TOKENS = 8_192
"""Default token budgets of a batch; larger ones were slower on a CPU (its caches), smaller ones leave a GPU idle."""


@dataclass(frozen=True)
class Batch:
    """Rows that go through the model together. A row of score requests is one tree; a row of generation one prompt."""

    kind: Literal["score", "generate"]
    rows: tuple[tuple[Request, ...], ...]
    tokens: int
    """Tokens that go through the model, padding included; for generation an upper bound."""

    @property
    def requests(self) -> tuple[Request, ...]:
        """All requests of all rows."""
        return tuple(request for row in self.rows for request in row)


@dataclass(frozen=True)
class Part:
    """Whole batches whose evidence is written together."""

    index: int
    batches: tuple[Batch, ...]
    variants: tuple[str, ...] | None = None
    """Who is asked it; None is every variant that is asked by tokens of the base's tokenizer."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that is asked in this part, tokens and batches included."""
        batches = [asdict(batch) for batch in self.batches]
        for request in (request for batch in batches for row in batch["rows"] for request in row):
            if request.get("temperature", 0) is None:  # what was asked before tasks had one keeps its name
                del request["temperature"]
        content = json.dumps(batches, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def tokens(self) -> int:
        """Tokens of its batches: what progress and time left are reckoned by."""
        return sum(batch.tokens for batch in self.batches)

    @property
    def asked(self) -> int:
        """How many pieces of evidence it makes."""
        return sum(len(batch.requests) for batch in self.batches)


@dataclass(frozen=True)
class Plan:
    """All parts, the same for every variant."""

    parts: tuple[Part, ...]
    refusals: tuple[Refusal, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all parts: a run goes on only with the very plan that it began with."""
        return hashlib.sha256("".join(part.fingerprint for part in self.parts).encode()).hexdigest()


def make_plan(examples: Sequence[Example], spec: RunSpec, renderer: PromptRenderer, *, batch_tokens: int) -> Plan:
    """Plan the batches for all examples of all tasks.

    Score requests of the same example (over all tasks of one dataset) share a row, as one tree. Rows are sorted by
    length, longest first, so that running out of memory shows at once, and batched while rows x longest row fits
    ``batch_tokens``. Perturbed inputs come last, in parts of their own: the numbers of the clean ones are then the same to
    the last bit whether or not they are asked.
    """
    refusals: list[Refusal] = []
    parts: list[Part] = []
    for is_twin in (False, True):
        chosen = [e for e in examples if (spec.tasks[e.task].perturbation is not None) is is_twin]
        parts += _parts(_batches(chosen, spec, renderer, batch_tokens, refusals), first=len(parts))
    return Plan(tuple(parts), tuple(refusals))


def _batches(
    examples: Sequence[Example], spec: RunSpec, renderer: PromptRenderer, budget: int, refusals: list[Refusal]
) -> list[Batch]:
    """Return the batches of some examples; what cannot be asked is added to ``refusals``."""
    scored: dict[tuple[str, str], list[ScoreRequest]] = {}
    generated: list[GenerateRequest] = []
    for example in examples:
        task = spec.tasks[example.task]
        for request in requests_of(example, task, renderer):
            too_long = why_not(request, renderer.context_length, spec.settings)
            if too_long:
                refusals.append(Refusal(request.task, request.example_id, request.item, too_long))
            elif isinstance(request, ScoreRequest):
                scored.setdefault((_row_name(task), example.id), []).append(request)
            else:
                generated.append(request)
    return [*_score_batches(scored, budget), *_generate_batches(generated, spec.settings, budget)]


def _row_name(task: TaskSpec) -> str:
    """Return what tasks have in common whose requests share a row: the dataset, and its perturbation if any."""
    ref = task.perturbation
    return task.dataset if ref is None else f"{task.dataset}+{ref.name}.{ref.copy_number}"


def tree_size(requests: Sequence[ScoreRequest]) -> int:
    """Return how many tokens the requests of one row put through the model."""
    tree = TokenTree()
    for request in requests:
        last = tree.add(request.prompt)[-1]
        for continuation in request.continuations:
            tree.add(continuation.ids[:-1], last)
    return len(tree)


def _score_batches(scored: dict[tuple[str, str], list[ScoreRequest]], budget: int) -> Iterable[Batch]:
    sized = sorted(((tree_size(requests), key) for key, requests in scored.items()), reverse=True)
    rows: list[tuple[Request, ...]] = []
    widest = 0
    for size, key in sized:
        if rows and widest * (len(rows) + 1) > budget:
            yield Batch("score", tuple(rows), widest * len(rows))
            rows = []
        widest = size if not rows else widest
        rows.append(tuple(scored[key]))
    if rows:
        yield Batch("score", tuple(rows), widest * len(rows))


def _generate_batches(requests: list[GenerateRequest], settings: Settings, budget: int) -> Iterable[Batch]:
    ordered = sorted(requests, key=lambda request: (-len(request.prompt), request.task, request.example_id))
    height = max(1, ROWS_GENERATING * budget // CPU_BATCH_TOKENS)
    for temperature in dict.fromkeys(request.temperature for request in requests):
        alike = [request for request in ordered if request.temperature == temperature]
        for first in range(0, len(alike), height):
            rows = alike[first : first + height]
            width = len(rows[0].prompt) + settings.max_new_tokens
            yield Batch("generate", tuple((request,) for request in rows), width * len(rows))


def _parts(batches: Sequence[Batch], first: int) -> tuple[Part, ...]:
    parts: list[Part] = []
    waiting: list[Batch] = []
    for batch in batches:
        if waiting and (batch.kind != waiting[0].kind or batch.kind == "generate" or len(waiting) == BATCHES_A_PART):
            parts.append(Part(first + len(parts), tuple(waiting)))
            waiting = []
        waiting.append(batch)
    if waiting:
        parts.append(Part(first + len(parts), tuple(waiting)))
    return tuple(parts)
