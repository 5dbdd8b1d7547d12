"""Builds the rows of a study out of actions that were made elsewhere: examples, outputs, items, raters, assignments."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert

from core.errors import InputError
from core.ratings.records import StudyPlan
from core.ratings.tables import ACTIONS, ASSIGNMENTS, RATERS
from core.ratings.texts import name_key, text_hash

if TYPE_CHECKING:
    from core.ratings.exchange.incoming import IncomingAction


class Rebuilt:
    """The rows of an imported study."""

    def __init__(self, plan: StudyPlan, actions: Sequence[IncomingAction], where: str) -> None:
        """Build the rows.

        Raises:
            InputError: one example has two outputs of one variant; ``where`` names the file.
        """
        self.plan, self.where = plan, where
        self.actions = actions
        self.raters: dict[str, dict[str, Any]] = {}
        self._examples: dict[tuple[str, str], dict[str, Any]] = {}
        self._outputs: dict[tuple[str, str], dict[str, Any]] = {}
        self._items: dict[tuple[str, str, tuple[str, ...]], dict[str, Any]] = {}
        self._assignments: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        """By assignment."""
        self._places: Counter[tuple[str, str]] = Counter()
        """What was counted so far: items of a kind, assignments of a rater, those of them to the study's own items, actions."""
        shown = (name for action in actions if action.purpose not in ("gold", "practice") for name in action.shown)
        self.variants = tuple(dict.fromkeys(shown)) or tuple(
            dict.fromkeys(name for one in actions for name in one.shown)
        )
        for action in actions:
            self._add(action)
        self._count_needed()

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows by table, as `core.ratings.study.write_study` takes them."""
        return {
            "examples": list(self._examples.values()),
            "outputs": list(self._outputs.values()),
            "items": list(self._items.values()),
        }

    def write_answers(self, connection: Connection, study_id: str, now: str) -> None:
        """Store raters, assignments and actions."""
        owner = {"study_id": study_id}
        connection.execute(insert(RATERS), [owner | row | {"joined": now} for row in self.raters.values()])
        connection.execute(insert(ASSIGNMENTS), [owner | row for row in self._assignments.values()])
        rows = sorted((row for of_one in self._rows.values() for row in of_one), key=lambda row: row["order"])
        connection.execute(
            insert(ACTIONS), [owner | {name: row[name] for name in row if name != "order"} for row in rows]
        )

    def _add(self, action: IncomingAction) -> None:
        example = self._example(action)
        item = self._item(action, example["id"])
        rater = self.raters.setdefault(
            name_key(action.rater),
            {"id": uuid.uuid4().hex, "number": len(self.raters) + 1, "name": action.rater, "name_key": name_key(action.rater),
             "key_hash": None},
        )  # fmt: skip
        assignment = self._assignment(action, rater["id"], item["id"])
        sequence = action.sequence if action.sequence is not None else self._next_sequence(action, assignment["id"])
        replaced = self._replaced(action, assignment["id"], sequence)
        hashes = [self._outputs[example["id"], name]["hash"] for name in action.shown]
        pair = len(action.shown) == 2
        row = {
            "id": uuid.uuid4().hex, "rater_id": rater["id"], "item_id": item["id"], "assignment_id": assignment["id"],
            "sequence": sequence, "kind": action.kind, "criterion": action.criterion, "value": action.value,
            "reason": action.extra["reason"], "comment": action.extra["comment"], "shown": list(action.shown), "hashes": hashes,
            "variant_left": action.shown[0], "variant_right": action.shown[1] if pair else None, "hash_left": hashes[0],
            "hash_right": hashes[1] if pair else None, "shown_at": action.extra["shown_at"],
            "submitted_at": action.extra["submitted_at"], "guideline_hash": action.extra["guideline_hash"] or text_hash(""),
            "gold": action.purpose == "gold", "repeat": action.purpose == "repeat", "practice": action.purpose == "practice",
            "supersedes": replaced, "order": self._next("actions", ""),
        }  # fmt: skip
        same = ("assignment_id", "sequence", "kind", "criterion")
        if any(all(other[name] == row[name] for name in same) for other in self._rows[assignment["id"]]):
            raise InputError(
                f"{self.where}: {action.rater!r} has two answers on {action.criterion or action.kind!r} of sequence {sequence} to "
                f"example {action.example_id!r}; a later answer needs a higher sequence, or leave the column out."
            )
        self._rows[assignment["id"]].append(row)
        assignment["sequence"] = max(assignment["sequence"], sequence)
        if action.kind != "flag" and sequence == assignment["sequence"]:
            assignment["answer"] = action.kind

    def _example(self, action: IncomingAction) -> dict[str, Any]:
        extra = action.extra
        example = self._examples.setdefault(
            (action.task, action.example_id),
            {"id": uuid.uuid4().hex, "task": action.task, "example_id": action.example_id, "prompt": extra["prompt"] or "",
             "messages": None, "reference": extra["reference"], "tags": extra["tags"], "language": extra["language"],
             "cluster": extra["cluster"], "stratum": extra["stratum"] or action.task},
        )  # fmt: skip
        for variant, text in zip(action.shown, action.outputs, strict=True):
            known = self._outputs.setdefault(
                (example["id"], variant),
                {"example": example["id"], "variant": variant, "text": text, "hash": text_hash(text)},
            )
            if known["text"] != text:
                raise InputError(
                    f"{self.where}: example {action.example_id!r} has two different outputs of {variant!r}; "
                    "expected one text for each example and variant."
                )
        return example

    def _item(self, action: IncomingAction, example_id: str) -> dict[str, Any]:
        kind = action.purpose if action.purpose in ("gold", "practice") else "item"
        known = [name for name in self.variants if name in action.shown]
        variants = tuple(known) if len(known) == len(action.shown) else tuple(sorted(action.shown))
        key = (kind, example_id, variants)
        if key not in self._items:
            self._items[key] = {
                "id": uuid.uuid4().hex, "kind": kind, "place": self._next("items", kind), "example": example_id,
                "variants": list(variants), "needed": 0, "identical": False, "accept": action.extra["accept"],
            }  # fmt: skip
        return self._items[key]

    def _next(self, what: str, of: str) -> int:
        """Count from 0."""
        self._places[what, of] += 1
        return self._places[what, of] - 1

    def _assignment(self, action: IncomingAction, rater_id: str, item_id: str) -> dict[str, Any]:
        key = (rater_id, item_id, action.purpose)
        if key not in self._assignments:
            first = self._assignments.get((rater_id, item_id, "item"))
            self._assignments[key] = {
                "id": uuid.uuid4().hex, "rater_id": rater_id, "item_id": item_id, "purpose": action.purpose,
                "place": self._next("list", rater_id),
                "position": self._next("own", rater_id) if action.purpose == "item" else None, "shown": list(action.shown),
                "repeat_of": first["id"] if action.purpose == "repeat" and first else None,
                "guideline_hash": action.extra["guideline_hash"] or text_hash(""), "assigned_at": action.extra["shown_at"],
                "shown_at": action.extra["shown_at"], "reserved_until": action.extra["shown_at"], "sequence": 1, "open": False,
                "answer": None,
            }  # fmt: skip
        return self._assignments[key]

    def _next_sequence(self, action: IncomingAction, assignment_id: str) -> int:
        """Answers on other criteria belong together; a second one on the same criterion replaces the first."""
        before = [row for row in self._rows[assignment_id] if row["kind"] != "flag"]
        last = max((row["sequence"] for row in before), default=1)
        taken = any(row["sequence"] == last and row["criterion"] == action.criterion for row in before)
        return last + 1 if taken and action.kind != "flag" else last

    def _replaced(self, action: IncomingAction, assignment_id: str, sequence: int) -> str | None:
        before = [row for row in self._rows[assignment_id] if row["kind"] != "flag" and row["sequence"] < sequence]
        if action.kind == "flag" or not before:
            return None
        last = [row for row in before if row["sequence"] == max(one["sequence"] for one in before)]
        return next((row["id"] for row in last if row["criterion"] == action.criterion), last[0]["id"])

    def _count_needed(self) -> None:
        rated = Counter(
            one["item_id"] for one in self._assignments.values() if one["answer"] == "rate" and one["purpose"] == "item"
        )
        for item in self._items.values():
            item["needed"] = rated[item["id"]]
