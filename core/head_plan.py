"""The parts of a plan that classification heads are asked: texts as their tokenizers cut them, in batches of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.asking import refuse_too_long, shortened
from core.data.placeholders import fill
from core.data.prompt import PromptRenderer
from core.heads import Head, outputs_of, why_no_answer
from core.plan import BATCHES_A_PART, Batch, Part, Plan
from core.records import BASELINE, Example
from core.requests import YES_NO, HeadRequest, Refusal, items_of
from core.served.plan import asked_by_tokens
from core.spec import RunSpec, TaskSpec

_EACH_TAG = "the task's prompt asks about one tag at a time, and a head reads a text once; say which text: head: {text: '{field}'}"


@dataclass(frozen=True)
class _Asker:
    """What makes requests of examples for one head."""

    name: str
    head: Head
    spec: RunSpec
    renderer: PromptRenderer

    def requests(self, example: Example) -> tuple[HeadRequest, ...] | list[Refusal]:
        """Return what is asked about an example, or for each of its items why nothing is."""
        task = self.spec.tasks[example.task]
        reasons = {item: self._why_not(task, item) for item in items_of(example, task)}
        if any(reasons.values()):
            return [self._refusal(example, item, reason or "") for item, reason in reasons.items()]
        reading = self._readings(example, task)
        if isinstance(reading, str):
            return self._refuse(example, task, reading)
        prompt, too_long = self._prompt(example, task)
        if isinstance(prompt, str):
            return self._refuse(example, task, prompt, too_long=too_long)
        return tuple(replace(request, prompt=prompt) for request in reading)

    def _why_not(self, task: TaskSpec, item: str) -> str | None:
        asks_each_tag = task.kind == "multilabel" and self.head.text is None and "{option}" in (task.prompt or "")
        in_words = task.prompt is None and self.head.text is None
        if reason := why_no_answer(self.head, task, item):
            return reason
        if in_words:
            return "the task has no prompt of its own; say what the head reads: head: {text: '{field}'}"
        return _EACH_TAG if asks_each_tag else None

    def _readings(self, example: Example, task: TaskSpec) -> tuple[HeadRequest, ...] | str:
        """Return requests without their tokens: which outputs are read, and how."""
        identity = (example.task, example.id)
        if self.head.problem == "regression":
            return (HeadRequest(*identity, "", (), "number", (0,), ()),)
        outputs = outputs_of(self.head, example.options)
        if isinstance(outputs, str):
            return outputs
        if task.kind == "multilabel":
            pairs = zip(example.options, outputs, strict=True)
            return tuple(HeadRequest(*identity, tag, (), "each", (output,), YES_NO) for tag, output in pairs)
        return (HeadRequest(*identity, "", (), "one", outputs, example.options),)

    def _prompt(self, example: Example, task: TaskSpec) -> tuple[tuple[int, ...] | str, bool]:
        """Return the tokens that the head reads, cut where settings say so; else why not, and whether it is the length."""
        template, context = self.head.text or task.prompt or "", self.renderer.context_length
        where = f"task {example.task}, example {example.id}"

        def ids(one: Example) -> tuple[int, ...]:
            return self.renderer.encode(fill(template, one.fields, where), special=True).ids

        found = ids(example)
        if context is not None and len(found) > context and self.spec.settings.too_long == "truncate":
            reads = task.model_copy(update={"prompt": template, "messages": None})
            cut = shortened(example, reads, lambda one: len(ids(one)) <= context)
            found = found if cut is None else ids(cut)
        if not found:
            return "the text is empty", False
        if context is not None and len(found) > context:
            return f"the text needs {len(found):,} tokens; the head's context holds {context:,}", True
        return found, False

    def _refuse(self, example: Example, task: TaskSpec, reason: str, *, too_long: bool = False) -> list[Refusal]:
        return [self._refusal(example, item, reason, too_long=too_long) for item in items_of(example, task)]

    def _refusal(self, example: Example, item: str, reason: str, *, too_long: bool = False) -> Refusal:
        return Refusal(example.task, example.id, item, reason, (self.name,), too_long=too_long)


def with_heads(
    plan: Plan, examples: Sequence[Example], spec: RunSpec, renderer: PromptRenderer, heads: Mapping[str, Head], budget: int
) -> Plan:  # fmt: skip
    """Return a plan with the parts that its heads are asked, after those of the language models.

    Args:
        plan: What variants are asked by tokens; heads are asked nothing of it.
        examples: Of all tasks.
        spec: Of the run.
        renderer: The base's; a checkpoint with a tokenizer of its own is asked with that.
        heads: By variant.
        budget: Tokens of a batch, padding included.

    Raises:
        InputError: a head's text names a field that a row lacks, or an example is too long and settings say that this is a mistake.
    """
    if not heads:
        return plan
    others = tuple(name for name in spec.models.variants if name not in heads and asked_by_tokens(spec.models, name))
    parts = [
        replace(part, variants=others if part.variants is None else tuple(v for v in part.variants if v not in heads))
        for part in plan.parts
    ]
    refusals = [replace(refusal, variants=refusal.variants or others) for refusal in plan.refusals]
    for name, head in heads.items():
        own = not head.is_adapter and (head.folder / "tokenizer.json").is_file()
        asker = _Asker(name, head, spec, PromptRenderer(head.folder) if own else renderer)
        refused: list[Refusal] = []
        for is_twin in (False, True):
            chosen = [e for e in examples if (spec.tasks[e.task].perturbation is not None) is is_twin]
            asked = [found for example in chosen if isinstance(found := _take(asker, example, refused), tuple)]
            batches = list(_batches(asked, budget))
            for first in range(0, len(batches), BATCHES_A_PART):
                parts.append(Part(len(parts), tuple(batches[first : first + BATCHES_A_PART]), (name,)))
        if spec.settings.too_long == "fail":
            refuse_too_long(refused, len(examples))
        refusals += refused
    return replace(plan, parts=tuple(parts), refusals=tuple(refusals))


def without_heads(refusals: Sequence[Refusal]) -> list[Refusal]:
    """Return the refusals that are not for heads alone: a head's are of its kind, and stand beside its values."""
    return [one for one in refusals if one.variants is None or BASELINE in one.variants or one.virtual_tokens]


def _take(asker: _Asker, example: Example, refused: list[Refusal]) -> tuple[HeadRequest, ...] | None:
    found = asker.requests(example)
    if isinstance(found, tuple):
        return found
    refused += found
    return None


def _batches(rows: Sequence[tuple[HeadRequest, ...]], budget: int) -> Iterator[Batch]:
    """Yield batches of texts, longest first, while rows x longest fits the budget."""
    ordered = sorted(rows, key=lambda row: (-len(row[0].prompt), row[0].task, row[0].example_id))
    waiting: list[tuple[HeadRequest, ...]] = []
    for row in ordered:
        if waiting and len(waiting[0][0].prompt) * (len(waiting) + 1) > budget:
            yield Batch("head", tuple(waiting), len(waiting[0][0].prompt) * len(waiting))
            waiting = []
        waiting.append(row)
    if waiting:
        yield Batch("head", tuple(waiting), len(waiting[0][0].prompt) * len(waiting))
