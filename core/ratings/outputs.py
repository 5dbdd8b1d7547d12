"""Reads what a study is made of out of runs: the examples that every variant answered with a text, and the texts.

Works for evaluated runs and for predictions that came from elsewhere. Runs are joined by task and example id; an id that
means another row in another run is left out and counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.conversation import conversation, message_text
from core.data.placeholders import fill
from core.errors import InputError, nearest
from core.ratings.texts import clean
from core.records import Example
from core.store import Run
from core.thinking import with_answers


@dataclass(frozen=True)
class Candidate:
    """An example that could be drawn, with what each variant answered."""

    task: str
    example_id: str
    prompt: str
    """For people: the system's words and the user's."""
    messages: tuple[dict[str, str], ...] | None
    """The conversation before the answer; None where the text went to the model as it is."""
    reference: str | None
    tags: tuple[str, ...]
    language: str | None
    cluster: str | None
    outputs: dict[str, str]
    """By variant, in the order of the study."""


@dataclass(frozen=True)
class Source:
    """Where a variant's answers are."""

    run: Run
    variant: str


def name_variants(runs: Sequence[Run], wanted: Sequence[str] = ()) -> dict[str, Source]:
    """Return the variants of runs by the name that a study calls them, in order.

    A variant of several runs is called ``RUN/VARIANT`` unless only one run has it.

    Raises:
        InputError: there is no run, the same one twice, or a wanted variant that none has.
    """
    if not runs:
        raise InputError("Found no run. A study is made from at least one run; `lorascope runs` lists them.")
    if len({run.id for run in runs}) < len(runs):
        raise InputError("Found the same run twice. Name each run once.")
    owners: dict[str, list[Run]] = {}
    for run in runs:
        for variant in run.spec.models.variants:
            owners.setdefault(variant, []).append(run)
    found = {
        (variant if len(owners[variant]) == 1 else f"{run.id}/{variant}"): Source(run, variant)
        for run in runs
        for variant in run.spec.models.variants
    }
    for name in wanted:
        if name not in found:
            raise InputError(
                f"Found no variant {name!r}{nearest(name, found)} in the runs; they have: {', '.join(found)}."
            )
    return {name: found[name] for name in dict.fromkeys(wanted)} if wanted else found


def rated_tasks(runs: Sequence[Run], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks whose answers are texts and which every run has; those wanted, or all.

    Raises:
        InputError: there is none, or a wanted one is none of them.
    """
    shared = [
        name for name, task in runs[0].spec.clean_tasks.items()
        if task.generates and all(name in run.spec.clean_tasks for run in runs)
    ]  # fmt: skip
    for name in wanted:
        if name not in shared:
            listed = ", ".join(shared) or "none"
            raise InputError(
                f"Found task {name!r}{nearest(name, shared)}, expected one that generates text and that every run has: {listed}."
            )
    if not shared:
        raise InputError(
            "Found no task that generates text and that every run has. People rate texts: evaluate such a task."
        )
    return tuple(wanted) or tuple(shared)


def read_candidates(sources: dict[str, Source], tasks: Sequence[str]) -> tuple[list[Candidate], list[str]]:
    """Return the examples that every variant answered, in the order of the first run, and a sentence on those left out."""
    candidates: list[Candidate] = []
    notes: list[str] = []
    for task in tasks:
        texts = {name: read_texts(source.run, task, source.variant) for name, source in sources.items()}
        examples = [_by_id(run, task) for run in {source.run.id: source.run for source in sources.values()}.values()]
        silent = different = 0
        for example_id, example in examples[0].items():
            others = [one.get(example_id) for one in examples[1:]]
            if any(other is not None and other.fields != example.fields for other in others):
                different += 1
            elif any(example_id not in of_one for of_one in texts.values()):
                silent += 1
            else:
                outputs = {name: of_one[example_id] for name, of_one in texts.items()}
                run = next(iter(sources.values())).run
                candidates.append(_candidate(run, task, example, outputs))
        if silent:
            notes.append(
                f"{task}: {silent:,} examples are left out, since not every variant answered them with a text."
            )
        if different:
            notes.append(
                f"{task}: {different:,} examples are left out, since their id means another row in another run."
            )
    return candidates, notes


def read_texts(run: Run, task: str, variant: str) -> dict[str, str]:
    """Return what a variant answered to each example of a task, thinking left out; examples without a text are left out."""
    if run.spec.models.imported:
        rows = run.predictions(task=task, variant=variant).select(["example_id", "value"]).to_pylist()
        pairs = [(row["example_id"], json.loads(row["value"]) if row["value"] else None) for row in rows]
    else:
        columns = ["example_id", "item", "kind", "text"]
        rows = with_answers(run, task, run.evidence(columns=columns, task=task, variant=variant)).to_pylist()
        pairs = [(row["example_id"], row["text"]) for row in rows if row["kind"] == "generation" and not row["item"]]
    found: dict[str, str] = {}
    for example_id, text in pairs:
        if isinstance(text, str):
            found.setdefault(example_id, clean(text))
    return found


def _by_id(run: Run, task: str) -> dict[str, Example]:
    return {example.id: example for example in run.examples if example.task == task}


def _candidate(run: Run, task: str, example: Example, outputs: dict[str, str]) -> Candidate:
    messages = _messages(run, task, example)
    if messages is None:
        prompt = example.prompt or json.dumps(example.fields, ensure_ascii=False, indent=2)
    else:
        prompt = "\n\n".join(message["content"] for message in messages)
    return Candidate(
        task, example.id, clean(prompt), messages, _reference(example.reference), example.tags, example.language,
        example.group, outputs,
    )  # fmt: skip


def _messages(run: Run, task: str, example: Example) -> tuple[dict[str, str], ...] | None:
    """Return the conversation that the chat template was given; None where there was none."""
    spec = run.spec.tasks[task]
    if spec.is_plain:
        return None
    if spec.messages is not None:
        asked = conversation(example, spec)
        return tuple({"role": str(one["role"]), "content": clean(message_text(one))} for one in asked)
    prompt, where = spec.prompt or "", f"run {run.id}, task {task}, example {example.id}"
    messages = [{"role": "system", "content": clean(fill(spec.system, example.fields, where))}] if spec.system else []
    for shot in spec.few_shot:
        messages.append({"role": "user", "content": clean(fill(prompt, shot.fields, where))})
        messages.append({"role": "assistant", "content": clean(shot.answer)})
    messages.append({"role": "user", "content": clean(fill(prompt, example.fields, where))})
    return tuple(messages)


def _reference(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return clean("\n\n".join(value))
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
