"""What a run settles about its prompts before anything is asked: the plan, the marks of thinking, and what a reader is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.asking import prompt_sentences
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.head_plan import with_heads, without_heads
from core.heads import Head
from core.option_clashes import option_sentences
from core.plan import Plan, make_plan
from core.prompt_spec import ThinkingMarks
from core.rendering import check_variables, with_prompts
from core.run_notes import add_notes
from core.served.plan import asked_by_tokens, conversation_sentences, with_conversations, without_conversations
from core.spec import RunSpec
from core.store import Run
from core.thinking import marks_of, thinking_of


def thinking_entry(spec: RunSpec, renderer: PromptRenderer) -> dict[str, Any] | None:
    """Return what environment.json says of thinking; None for ``off``.

    The marks, the tokens of the closing one, the tasks whose prompts end with the opening one (see `write_prompts`), and which
    marks are special tokens, where any is: they are left in the texts.
    """
    marks = marks_of(spec)
    if marks is None:
        return None
    entry = {"open": marks[0], "close": marks[1], "close_ids": list(renderer.encode(marks[1]).ids), "opened": []}
    kept = renderer.keeping(marks).kept
    return {**entry, "kept": list(kept)} if kept else entry


def keeping_marks(renderer: PromptRenderer, entry: Mapping[str, Any] | None) -> PromptRenderer:
    """Return the tokenizer as a run decodes with it; one that was begun without its marks goes on without them."""
    return renderer.keeping((entry or {}).get("kept", ()))


def settled(spec: RunSpec, entry: Mapping[str, Any] | None) -> RunSpec:
    """Return the spec with the marks that its environment says; a run that was begun without them goes on without."""
    marks: ThinkingMarks | None = None if entry is None else (entry["open"], entry["close"])
    return spec.model_copy(update={"settings": spec.settings.model_copy(update={"thinking": marks or "off"})})


def plan_run(
    run: Run,
    spec: RunSpec,
    renderer: PromptRenderer,
    budget: int,
    heads: Mapping[str, Head] | None = None,
    virtual_tokens: Mapping[str, int] | None = None,
) -> Plan:
    """Return the plan.

    Args:
        run: whose examples are asked.
        spec: its settled spec.
        renderer: of its base, with its chat template.
        budget: tokens of a batch.
        heads: the variants that answer by a classification head.
        virtual_tokens: how many tokens of the context some variants' adapters fill.

    Raises:
        InputError: nothing can be asked of this model, or something is wrong with all prompts of a task.
    """
    plan = Plan((), ())
    if any(asked_by_tokens(spec.models, variant) for variant in spec.models.variants):
        check_variables(spec.tasks, spec.settings, renderer)
        plan = make_plan(run.examples, spec, renderer, batch_tokens=budget, virtual_tokens=virtual_tokens)
    plan = with_conversations(plan, run.examples, spec)
    plan = with_heads(plan, run.examples, spec, renderer, heads or {}, budget)
    if not plan.parts:
        first = plan.refusals[0] if plan.refusals else None
        why = (
            f"task {first.task}, example {first.example_id}: {first.reason}" if first else "the tasks have no examples"
        )
        raise InputError(f"{run.folder}: nothing can be asked of this model. The first reason: {why}.")
    return plan


def write_prompts(
    run: Run, spec: RunSpec, renderer: PromptRenderer, plan: Plan, thinking: dict[str, Any] | None
) -> list[str]:
    """Store the examples with the prompts that the model sees; return what a reader should know of them.

    Which tasks' prompts open a block of thinking is noted in ``thinking``, the entry of environment.json.
    """
    told = prompt_sentences(
        run.examples, without_heads(without_conversations(plan.refusals)), plan.cut, renderer.context_length
    )
    sentences = [*told, *option_sentences(plan, spec), *conversation_sentences(spec)]
    shown = with_prompts(run.examples, spec, renderer, plan.cut)
    run.write_examples(shown)
    if thinking is not None:
        opened = (one.task for one in shown if one.prompt.rstrip().endswith(thinking["open"]))
        thinking["opened"] = list(dict.fromkeys(opened))
    add_notes(run, "prompts", sentences)
    return sentences


def note_answers(run: Run, renderer: PromptRenderer) -> list[str]:
    """Keep and return what a reader should know of the answers of a run whose evidence is whole."""
    return [*note_thinking(run), *note_tokens_without_text(run, renderer)]


def note_thinking(run: Run) -> list[str]:
    """Count the answers that ended within their thinking, of a run whose evidence is whole; return a sentence for each variant."""
    sentences = list(_unfinished(run))
    add_notes(run, "thinking", sentences)
    return sentences


def _unfinished(run: Run) -> Iterator[str]:
    for name in run.spec.tasks:
        rule = thinking_of(run, name)
        for variant in run.spec.models.variants if rule is not None else ():
            texts = run.evidence(["text"], task=name, variant=variant, kind="generation")["text"]
            if rule is None or not rule.may_hold(texts):
                continue
            left = sum(not rule.part(text).closed for text in texts.to_pylist())
            if left:
                yield (
                    f"{name}, {variant}: unfinished thinking in {left:,} of {len(texts):,} answers, which are empty therefore. Raise "
                    "settings.max_new_tokens, or ask without thinking."
                )


def note_tokens_without_text(run: Run, renderer: PromptRenderer) -> list[str]:
    """Count the answers with tokens that the tokenizer does not have, of a run whose evidence is whole; as `note_thinking`.

    A vocabulary that is larger than the tokenizer (padded, or resized by an adapter) has such tokens. They have no text.
    """
    sentences = list(_without_text(run, renderer))
    add_notes(run, "tokens", sentences)
    return sentences


def _without_text(run: Run, renderer: PromptRenderer) -> Iterator[str]:
    computed = [one for one in run.spec.models.variants if one in run.spec.models.computed_here]
    for name, task in run.spec.tasks.items():
        for variant in computed if task.generates else ():
            answers = run.evidence(["token_ids"], task=name, variant=variant, kind="generation")["token_ids"]
            used = answers.combine_chunks().flatten().unique().to_pylist()
            unknown = {one for one in used if renderer.tokenizer.id_to_token(one) is None}
            if not unknown:
                continue
            count = sum(not unknown.isdisjoint(ids or ()) for ids in answers.to_pylist())
            yield (
                f"{name}, {variant}: {count:,} of {len(answers):,} answers hold tokens that the tokenizer does not have (number "
                f"{min(unknown):,}, say), which show no text. The model's vocabulary is larger than the tokenizer: was it trained "
                "with another one?"
            )
