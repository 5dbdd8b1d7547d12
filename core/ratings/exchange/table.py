"""One row an action with all that is needed to understand it elsewhere: prompt, outputs as shown, variants, times."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import select

from core.ratings.actions import actions
from core.ratings.study import Study
from core.ratings.tables import EXAMPLES, ITEMS, OUTPUTS, STUDIES

COLUMNS = (
    "action_id", "number", "study_id", "title", "mode", "graded", "rater", "kind", "criterion", "value", "preferred", "reason",
    "comment", "task", "example_id", "stratum", "language", "cluster", "tags", "prompt", "reference", "variant_left",
    "variant_right", "shown", "outputs", "hash_left", "hash_right", "hashes", "shown_at", "submitted_at", "guideline_hash",
    "practice", "gold", "accept", "correct", "repeat", "item_id", "assignment_id", "sequence", "position", "current", "supersedes",
)  # fmt: skip
"""Of an exported table, one row an action. ``shown``: variants in the order on screen; ``outputs``: their texts;
``accept``: what is right of a gold item, JSON. The rest as `core.ratings.actions.COLUMNS`."""
LISTS = ("shown", "outputs", "hashes", "tags")
FLAGS = ("graded", "practice", "gold", "correct", "repeat", "current")
WHOLE = ("number", "sequence", "position")


@dataclass(frozen=True)
class StudyTexts:
    """The texts of a study by item."""

    examples: dict[str, Any]
    """Item id to the row of its example; ``messages`` and ``accept`` beside it."""
    outputs: dict[tuple[str, str], str]
    """(item id, variant) to the text."""


def read_texts(study: Study) -> StudyTexts:
    """Return prompts and outputs of every item of a study."""
    examples = select(ITEMS.c.id.label("item_id"), ITEMS.c.accept, ITEMS.c.variants, EXAMPLES).join(
        EXAMPLES, EXAMPLES.c.id == ITEMS.c.example
    )
    outputs = select(ITEMS.c.id, OUTPUTS.c.variant, OUTPUTS.c.text).join(OUTPUTS, OUTPUTS.c.example == ITEMS.c.example)
    with study.store.reading() as connection:
        rows = connection.execute(examples.where(ITEMS.c.study_id == study.id)).all()
        texts = connection.execute(outputs.where(ITEMS.c.study_id == study.id)).all()
    return StudyTexts({row.item_id: row for row in rows}, {(item, variant): text for item, variant, text in texts})


def action_table(study: Study, texts: StudyTexts, *, pseudonyms: bool = False) -> pd.DataFrame:
    """Return the exported table, with the columns `COLUMNS`.

    Args:
        study: opened by its owner, or closed.
        texts: of the study.
        pseudonyms: replace names of raters by ones that stay the same in every export of this study. Comments are left as
            they are: who wrote a name into one is known by it.

    Raises:
        InputError: the study was opened by a link and is not closed.
    """
    frame = actions(study)
    frame["title"], frame["mode"], frame["graded"] = study.plan.title, study.plan.mode, study.plan.graded
    rows = [texts.examples[item] for item in frame["item_id"]]
    frame["prompt"] = [row.prompt for row in rows]
    frame["reference"] = [row.reference for row in rows]
    frame["accept"] = [None if row.accept is None else json.dumps(row.accept) for row in rows]
    frame["outputs"] = [
        tuple(texts.outputs[item, variant] for variant in shown)
        for item, shown in zip(frame["item_id"], frame["shown"], strict=True)
    ]
    if pseudonyms:
        frame["rater"] = pseudonyms_of(study, frame["rater_id"])
    return frame[list(COLUMNS)]


def pseudonyms_of(study: Study, rater_ids: pd.Series) -> list[str]:
    """Return a name for each rater id that cannot be traced back without the store: HMAC-SHA256 under the study's own key."""
    with study.store.reading() as connection:
        key = str(connection.execute(select(STUDIES.c.pseudonym_key).where(STUDIES.c.id == study.id)).scalar())
    return [f"rater-{hmac.new(key.encode(), str(one).encode(), hashlib.sha256).hexdigest()[:10]}" for one in rater_ids]
