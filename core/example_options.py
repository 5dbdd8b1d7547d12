"""What one variant answered to one example where options were scored: a probability for each, and which are chosen and right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.answers import read_answer
from core.predict import option_probabilities
from core.records import REFERENCE_ITEM, Evidence, Example, Likelihood
from core.spec import TaskSpec
from core.thinking import ThinkingRule, Thought


@dataclass(frozen=True)
class OptionBar:
    """One option."""

    label: str
    probability: float
    """Among the options; for multilabel that this tag fits (``yes`` against ``no``)."""
    chosen: bool
    """Whether the variant's answer is or contains it."""
    right: bool
    """Whether the reference is or contains it; for ranking: whether it is among the most relevant."""


@dataclass(frozen=True)
class Answer:
    """What stands in a variant's pane. Any part may be missing: a task has texts or options, or neither."""

    text: str | None = None
    finish: str | None = None
    n_tokens: int | None = None
    read_as: str | None = None
    """The label or number that the task's answer rule reads in ``text``, or a regression's expected value or number."""
    bars: tuple[OptionBar, ...] = ()
    likelihood: Likelihood | None = None
    """Of the reference text."""
    reason: str | None = None
    """Why there is no evidence."""
    no_likelihood: str | None = None
    """Why there is none of the reference, beside an answer."""
    n_prompt_tokens: int | None = None
    """Of the prompt that was answered."""
    n_scored: int | None = None
    """Tokens of the options, or of the reference where there are none, that were scored; None where it is not known."""
    thinking: str | None = None
    """What the variant wrote for itself before ``text``; None where there is no such block."""
    n_thinking_tokens: int | None = None
    """Of ``n_tokens`` those of the thinking, its marks included; None where they cannot be told apart."""


def read_one(spec: TaskSpec, example: Example, pieces: Sequence[Evidence], rule: ThinkingRule | None = None) -> Answer:
    """Return the answer of one variant to one example.

    Args:
        spec: the task.
        example: what was asked.
        pieces: all evidence of this variant and example; empty if the run has not come to it.
        rule: how the task's texts are parted, see `core.thinking.thinking_of`; None is not at all.
    """
    generation = next((piece.generation for piece in pieces if piece.generation), None)
    likelihood = next((piece.likelihood for piece in pieces if piece.likelihood), None)
    scored = [piece for piece in pieces if piece.option_scores]
    reason = next((piece.reason for piece in pieces if piece.reason), None)
    if not pieces:
        reason = "not evaluated yet"
    if imported := [piece for piece in pieces if piece.imported is not None]:
        bars = _options(spec, example, scored[0]) if scored and spec.kind != "multilabel" else ()
        return Answer("\n\n".join(str(piece.imported) for piece in imported), bars=bars, reason=reason)
    if (number := next((piece.number for piece in pieces if piece.number is not None), None)) is not None:
        return Answer(read_as=f"{number:.4g}", reason=reason)
    if generation is not None:
        read_as = None
        parts = Thought(generation.text) if rule is None else rule.part(generation.text)
        if spec.answer is not None:
            found = read_answer(spec.answer, parts.answer, example.options)
            read_as = f"nothing ({found.reason})" if found.value is None else str(found.value)
        of_reference = next((piece.reason for piece in pieces if piece.reason and piece.item == REFERENCE_ITEM), None)
        reason = next((piece.reason for piece in pieces if piece.reason and piece.item != REFERENCE_ITEM), None)
        return Answer(
            parts.answer, generation.finish, len(generation.token_ids) or None, read_as, (), likelihood, reason, of_reference,
            generation.n_prompt_tokens, thinking=parts.thinking, n_thinking_tokens=_thinking_tokens(rule, parts, generation.token_ids),
        )  # fmt: skip
    if not scored:
        n_scored = len(likelihood.token_ids) if likelihood else 0
        return Answer(likelihood=likelihood, reason=reason, n_scored=n_scored or None)
    bars = _tags(example, scored) if spec.kind == "multilabel" else _options(spec, example, scored[0])
    expected = _expected_value(bars) if spec.kind == "regression" else None
    n_scored = sum(sum(piece.option_scores.n_tokens) for piece in scored if piece.option_scores)
    return Answer(read_as=expected, bars=bars, reason=reason, n_scored=n_scored or None)


def _thinking_tokens(rule: ThinkingRule | None, parts: Thought, token_ids: Sequence[int]) -> int | None:
    if rule is None or parts.thinking is None:
        return None
    return rule.count(token_ids) if parts.closed else len(token_ids) or None


def reference_text(example: Example) -> str | None:
    """Return the reference as text, or None for references that are shown with the options."""
    if isinstance(example.reference, str):
        return example.reference
    if isinstance(example.reference, bool | int | float):
        return f"{example.reference:g}" if isinstance(example.reference, float) else str(example.reference)
    if isinstance(example.reference, list) and all(isinstance(part, str) for part in example.reference):
        return ", ".join(example.reference) if example.options else "\n\n".join(example.reference)
    if isinstance(example.reference, list) and all(isinstance(part, dict) for part in example.reference):
        return "\n".join(json.dumps(box, ensure_ascii=False) for box in example.reference) or "no box"
    return None


def _options(spec: TaskSpec, example: Example, piece: Evidence) -> tuple[OptionBar, ...]:
    scores = piece.option_scores
    if scores is None or not scores.options:
        return ()
    chances = option_probabilities(np.asarray(scores.logprob_sums))
    best = int(np.argmax(scores.logprob_sums))
    right = _right_options(spec, example, scores.options)
    return tuple(
        OptionBar(label, float(chance), spec.kind != "regression" and place == best, place in right)
        for place, (label, chance) in enumerate(zip(scores.options, chances, strict=True))
    )


def _right_options(spec: TaskSpec, example: Example, options: Sequence[str]) -> set[int]:
    """Return the places of the options that the reference names."""
    if spec.kind == "ranking" and isinstance(example.reference, list) and example.reference:
        top = max(example.reference)
        return {place for place, relevance in enumerate(example.reference) if relevance == top}
    if spec.kind == "regression":
        return {place for place, option in enumerate(options) if _same_number(option, example.reference)}
    return {place for place, option in enumerate(options) if option == str(example.reference)}


def _same_number(option: str, reference: object) -> bool:
    try:
        return float(option) == float(str(reference))
    except ValueError:
        return False


def _tags(example: Example, scored: Sequence[Evidence]) -> tuple[OptionBar, ...]:
    made = {}
    for piece in scored:
        scores = piece.option_scores
        if scores is None or scores.options[:1] != ("yes",):
            continue
        chance = float(option_probabilities(np.asarray(scores.logprob_sums))[0])
        made[piece.item] = OptionBar(piece.item, chance, chance >= 0.5, piece.item in (example.reference or ()))
    order = [*example.options, *(item for item in made if item not in example.options)]
    return tuple(made[item] for item in order if item in made)


def _expected_value(bars: Sequence[OptionBar]) -> str | None:
    try:
        return f"{sum(float(bar.label) * bar.probability for bar in bars):.2f}"
    except ValueError:
        return None
