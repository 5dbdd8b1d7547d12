"""Builds the rows of a new study: the examples that were drawn, the outputs, and the items that raters are shown."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.ratings.draw import stratified_draw
from core.ratings.outputs import Candidate
from core.ratings.plan_checks import check_size
from core.ratings.records import GoldItem, StudyPlan
from core.ratings.texts import clean, text_hash

GOLD_TASK = "gold"
"""The task of examples that the owner wrote; their variants are called gold:1 (the best), gold:2 and so on."""


@dataclass
class StudyRows:
    """The rows of a study before they are written."""

    examples: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows by table."""
        return {"examples": self.examples, "outputs": self.outputs, "items": self.items}

    def texts(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield task, example id, variant and text of every output of a model."""
        examples = {row["id"]: row for row in self.examples}
        for row in self.outputs:
            example = examples[row["example"]]
            if example["task"] != GOLD_TASK:
                yield example["task"], example["example_id"], row["variant"], row["text"]

    def add_example(self, candidate: Candidate, stratum: str) -> str:
        """Add an example with its outputs and return its id."""
        key = uuid.uuid4().hex
        self.examples.append({
            "id": key, "task": candidate.task, "example_id": candidate.example_id, "prompt": candidate.prompt,
            "messages": list(candidate.messages) if candidate.messages is not None else None, "reference": candidate.reference,
            "tags": list(candidate.tags), "language": candidate.language, "cluster": candidate.cluster, "stratum": stratum,
        })  # fmt: skip
        for variant, text in candidate.outputs.items():
            self.outputs.append({"example": key, "variant": variant, "text": text, "hash": text_hash(text)})
        return key

    def add_item(self, kind: str, example: str, variants: Sequence[str], **more: Any) -> None:
        """Add an item; its place is given by `shuffle`, of gold and practice it is the order of adding."""
        place = sum(row["kind"] == kind for row in self.items) if kind != "item" else -1
        blank = {"needed": 0, "identical": False, "accept": None}
        self.items.append(
            {
                "id": uuid.uuid4().hex,
                "kind": kind,
                "place": place,
                "example": example,
                "variants": list(variants),
                **blank,
                **more,
            }
        )

    def shuffle(self, plan: StudyPlan) -> None:
        """Give the study's own items their places, and those that are shared their number of raters."""
        draw = np.random.default_rng([plan.seed, 1])
        shown = [row for row in self.items if row["kind"] == "item" and not row["identical"]]
        rest = [row for row in self.items if row["kind"] == "item" and row["identical"]]
        shared = set(draw.permutation(len(shown))[: round(plan.overlap_share * len(shown))].tolist())
        for number, place in enumerate(draw.permutation(len(shown)).tolist()):
            shown[number] |= {"place": place, "needed": plan.overlap if number in shared else 1}
        for number, row in enumerate(rest):
            row["place"] = len(shown) + number


def build_rows(plan: StudyPlan, variants: Sequence[str], candidates: Sequence[Candidate]) -> StudyRows:
    """Draw the examples of a study and return its rows.

    Raises:
        InputError: there is nothing to rate, or less than the expected raters need.
    """
    strata = [_stratum(candidate, plan.stratify) for candidate in candidates]
    n = min(plan.examples or len(candidates), len(candidates))
    aside = 0 if plan.examples is None else min(plan.practice, len(candidates) - n)
    chosen = stratified_draw(strata, n, plan.seed)
    left = sorted(set(range(len(candidates))) - set(chosen))
    practised = [left[at] for at in np.random.default_rng([plan.seed, 2]).permutation(len(left))[:aside]]
    rows = StudyRows()
    for place in chosen:
        candidate = candidates[place]
        example = rows.add_example(candidate, strata[place])
        for group in shown_together(plan, variants):
            identical = len(group) > 1 and len({candidate.outputs[name] for name in group}) == 1
            rows.add_item("item", example, group, identical=identical)
    check_size(plan, sum(not row["identical"] for row in rows.items))
    rows.shuffle(plan)
    for number, place in enumerate(practised):
        groups = shown_together(plan, variants)
        rows.add_item("practice", rows.add_example(candidates[place], strata[place]), groups[number % len(groups)])
    for number, gold in enumerate(plan.gold, start=1):
        _add_gold(rows, gold, number)
    _note(rows, plan, len(candidates), n, aside)
    return rows


def shown_together(plan: StudyPlan, variants: Sequence[str]) -> list[tuple[str, ...]]:
    """Return which variants of an example stand on one screen: one group an item."""
    if plan.mode == "score":
        return [(name,) for name in variants]
    if plan.mode == "rank":
        return [tuple(variants)]
    if plan.against is not None:
        return [(plan.against, name) for name in variants if name != plan.against]
    return list(itertools.combinations(variants, 2))


def _stratum(candidate: Candidate, fields: Sequence[str]) -> str:
    tags = [tag for tag in candidate.tags if tag.partition("=")[0] in fields]
    if "language" in fields and not any(tag.startswith("language=") for tag in tags):
        tags.append(f"language={candidate.language or 'unknown'}")
    return "; ".join([candidate.task, *sorted(tags)])


def _add_gold(rows: StudyRows, gold: GoldItem, number: int) -> None:
    outputs = {f"gold:{rank}": clean(text) for rank, text in enumerate(gold.outputs, start=1)}
    candidate = Candidate(GOLD_TASK, f"gold-{number}", clean(gold.prompt), None, None, (), None, None, outputs)
    accept = {name: list(ends) for name, ends in gold.accept.items()} or {
        "best": "gold:1",
        "worst": f"gold:{len(outputs)}",
    }
    rows.add_item("gold", rows.add_example(candidate, GOLD_TASK), tuple(outputs), accept=accept)


def _note(rows: StudyRows, plan: StudyPlan, n_known: int, n: int, n_practice: int) -> None:
    if plan.examples is not None and plan.examples > n_known:
        rows.notes.append(f"{plan.examples:,} examples were asked for and {n_known:,} are there: all were taken.")
    if n_practice < plan.practice:
        found = f"{n_practice} of {plan.practice} practice items" if n_practice else "no practice items"
        rows.notes.append(
            f"There are {found}: the study uses {n:,} of {n_known:,} examples, and practice takes others."
        )
    identical = sum(row["identical"] for row in rows.items)
    if identical:
        rows.notes.append(
            f"{identical:,} items have identical outputs: ties by themselves, shown to nobody, counted apart."
        )
