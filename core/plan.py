"""What has to be computed, in which batches. Decided from the spec, the examples and the tokenizer alone, without torch.

The plan does not depend on how far a run has come or where it is computed: batch size changes the last bits of float32,
so only a fixed plan makes a killed and resumed run equal to one that was never killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Literal

from core.asking import ask, refuse_too_long
from core.data.prompt import PromptRenderer
from core.records import Example
from core.requests import GenerateRequest, Question, Refusal, ScoreRequest
from core.spec import RunSpec, Settings, TaskSpec
from core.tree import Header, TokenTree, shared_header

ROWS_GENERATING = 64
"""Rows decoded side by side on a CPU, where they are short enough for `TOKENS_HELD`."""
TOKENS_HELD = 5_120
"""Tokens of such rows whose keys and values are held on a CPU."""
ROWS_A_STREAM = 3 * ROWS_GENERATING
"""More rows than are decoded at a time wait in the same part, and take the places of those that are finished."""
BATCHES_A_PART = 8
HEADER_TOKENS = 1_024
ROWS_LOOKED_AT = 256
"""For what many rows begin with; spread evenly over all of them."""
CPU_BATCH_TOKENS = 768
GPU_BATCH_TOKENS = 8_192
"""Default token budgets of a batch; larger ones were slower on a CPU (its caches), smaller ones leave a GPU idle."""


@dataclass(frozen=True)
class Batch:
    """Rows that go through the model together. A row of score requests is one tree; a row of generation one prompt."""

    kind: Literal["score", "generate", "messages", "head"]
    rows: tuple[tuple[Question, ...], ...]
    tokens: int
    """Tokens that go through the model, padding included; for generation an upper bound."""
    side_by_side: int = 0
    """For generation: how many rows are decoded at a time; the others of the batch follow as rows finish."""

    @property
    def requests(self) -> tuple[Question, ...]:
        """All requests of all rows."""
        return tuple(request for row in self.rows for request in row)


@dataclass(frozen=True)
class Part:
    """Whole batches whose evidence is written together."""

    index: int
    batches: tuple[Batch, ...]
    variants: tuple[str, ...] | None = None
    """Who is asked it; None is every variant that is asked by tokens of the base's tokenizer."""
    header: Header | None = None
    """What many prompts of the plan begin with; it goes through the model once a variant, and the rows hang below it."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that is asked in this part, tokens and batches included."""
        batches = [asdict(batch) for batch in self.batches]
        for request in (request for batch in batches for row in batch["rows"] for request in row):
            if request.get("temperature", 0) is None:  # what was asked before tasks had one keeps its name
                del request["temperature"]
        header = [self.header.tokens, self.header.parents] if self.header else []
        content = json.dumps([batches, header], ensure_ascii=False, sort_keys=True)
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
    cut: tuple[Example, ...] = ()
    """The examples that are asked with less than their whole text, so that it fits into the context."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all parts: a run goes on only with the very plan that it began with."""
        return hashlib.sha256("".join(part.fingerprint for part in self.parts).encode()).hexdigest()


def make_plan(
    examples: Sequence[Example],
    spec: RunSpec,
    renderer: PromptRenderer,
    *,
    batch_tokens: int,
    virtual_tokens: Mapping[str, int] | None = None,
) -> Plan:
    """Plan the batches for all examples of all tasks.

    Score requests of the same example (over all tasks of one dataset) share a row, as one tree. Rows are sorted by
    length, longest first, so that running out of memory shows at once, and batched while rows x longest row fits
    ``batch_tokens``. Perturbed inputs come last, in parts of their own: the numbers of the clean ones are then the same to
    the last bit whether or not they are asked. What has no room beside the virtual tokens of some variants
    (``virtual_tokens``, see `core.asking.ask`) stands in parts for the others.

    Raises:
        InputError: a prompt names a field that a row lacks, the model has no chat template, or an example is too long and the
            settings say that this is a mistake.
    """
    refusals: list[Refusal] = []
    cut: list[Example] = []
    parts: list[Part] = []
    for is_twin in (False, True):
        chosen = [e for e in examples if (spec.tasks[e.task].perturbation is not None) is is_twin]
        for lacking, asked in _asked(chosen, spec, renderer, virtual_tokens or {}, refusals, cut).items():
            header = None if renderer.is_seq2seq else _header(asked.scored, asked.generated)
            batches = [
                *_score_batches(asked.scored, batch_tokens, header),
                *_generate_batches(asked.generated, spec.settings, batch_tokens),
            ]
            variants = tuple(name for name in spec.models.variants if name not in lacking) if lacking else None
            parts += _parts(batches, len(parts), header, variants)
    if spec.settings.too_long == "fail":
        refuse_too_long(refusals, len(examples))
    return Plan(tuple(parts), tuple(refusals), tuple(cut))


Scored = dict[tuple[str, str], list[ScoreRequest]]
"""What is scored, by row: the dataset (and its perturbation) and the example."""


@dataclass
class _Asked:
    """What the same variants are asked."""

    scored: Scored = field(default_factory=dict)
    generated: list[GenerateRequest] = field(default_factory=list)


def _asked(
    examples: Sequence[Example], spec: RunSpec, renderer: PromptRenderer, virtual_tokens: Mapping[str, int],
    refusals: list[Refusal], cut: list[Example],
) -> dict[frozenset[str], _Asked]:  # fmt: skip
    """Return what is asked about some examples, by the variants that are not asked it, first what all are asked.

    What cannot be asked is added to ``refusals``, what was cut to ``cut``.
    """
    found: dict[frozenset[str], _Asked] = {frozenset(): _Asked()}
    for example in examples:
        task = spec.tasks[example.task]
        asked = ask(example, task, renderer, spec.settings, virtual_tokens)
        refusals += asked.refusals
        cut += [asked.cut] if asked.cut else []
        for request in asked.requests:
            group = found.setdefault(asked.lacking(request), _Asked())
            if isinstance(request, ScoreRequest):
                group.scored.setdefault((_row_name(task), example.id), []).append(request)
            else:
                group.generated.append(request)
    return found


def _header(scored: Scored, generated: Sequence[GenerateRequest]) -> Header | None:
    """Return what many of the rows begin with."""
    rows: dict[tuple[str, str], list[tuple[int, ...]]] = {
        key: [request.prompt for request in requests] for key, requests in scored.items()
    }
    for request in generated:
        rows.setdefault((request.task, request.example_id), []).append(request.prompt)
    every = list(rows.values())
    step = max(1, len(every) // ROWS_LOOKED_AT)
    return shared_header(every[::step][:ROWS_LOOKED_AT], most=HEADER_TOKENS)


def _row_name(task: TaskSpec) -> str:
    """Return what tasks have in common whose requests share a row: the dataset, and its perturbation if any."""
    ref = task.perturbation
    return task.dataset if ref is None else f"{task.dataset}+{ref.name}.{ref.copy_number}"


def fold(requests: Sequence[ScoreRequest], header: Header | None = None) -> tuple[TokenTree, list[list[int]]]:
    """Return the tokens of one row as a tree, and for every continuation the nodes whose outputs predict its tokens."""
    tree, predictors = TokenTree(header), []
    for request in requests:
        last = tree.add(request.prompt)[-1]
        for continuation in request.continuations:
            predictors.append([last, *tree.add(continuation.ids[:-1], last)])
    return tree, predictors


def tree_size(requests: Sequence[ScoreRequest], header: Header | None = None) -> int:
    """Return how many tokens the requests of one row put through the model."""
    return len(fold(requests, header)[0])


def _score_batches(scored: Scored, budget: int, header: Header | None) -> Iterable[Batch]:
    sized = sorted(((tree_size(requests, header), key) for key, requests in scored.items()), reverse=True)
    rows: list[tuple[Question, ...]] = []
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
    scale = max(1 / ROWS_GENERATING, budget / CPU_BATCH_TOKENS)
    height, side_by_side = round(ROWS_A_STREAM * scale), round(ROWS_GENERATING * scale)
    for temperature in dict.fromkeys(request.temperature for request in requests):
        alike = [request for request in ordered if request.temperature == temperature]
        for first in range(0, len(alike), height):
            rows = alike[first : first + height]
            tokens = sum(len(row.prompt) + settings.max_new_tokens for row in rows)
            yield Batch("generate", tuple((request,) for request in rows), tokens, side_by_side)


def _parts(
    batches: Sequence[Batch], first: int, header: Header | None, variants: tuple[str, ...] | None
) -> tuple[Part, ...]:
    parts: list[Part] = []
    waiting: list[Batch] = []
    for batch in batches:
        if waiting and (batch.kind != waiting[0].kind or batch.kind == "generate" or len(waiting) == BATCHES_A_PART):
            parts.append(Part(first + len(parts), tuple(waiting), variants, header))
            waiting = []
        waiting.append(batch)
    if waiting:
        parts.append(Part(first + len(parts), tuple(waiting), variants, header))
    return tuple(parts)
