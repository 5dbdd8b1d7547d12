"""What other tools read: preference pairs for TRL's DPOTrainer, Google's LLM Comparator, Argilla's records."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.errors import InputError
from core.ratings.exchange.table import StudyTexts
from core.ratings.exchange.verdicts import Votes, count_votes
from core.ratings.study import Study

_COMPARATOR_STEP = 0.5
"""LLM Comparator's scale goes from -1.5 to 1.5; -3 to 3 of ours is brought onto it."""
_NAMESPACE = uuid.UUID("6f1c3c0e-7d0b-5f8f-9c39-0d1a6f5e2b11")
"""Of the ids by which Argilla tells raters apart: any that stays the same."""


def dpo_rows(study: Study, frame: pd.DataFrame, texts: StudyTexts) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Return rows of ``prompt``, ``chosen``, ``rejected`` as TRL's DPOTrainer takes them, and why items are left out.

    One row an item: chosen is the output with more votes than the other and than "both bad"; an item without such a one (a
    tie, both bad) is left out. Where every prompt was a conversation the rows are conversations, so that the trainer puts the
    chat template around them; otherwise they are plain texts.

    Raises:
        InputError: the study is not of pairs.
    """
    votes = count_votes(study, frame)
    decided = [one for one in votes if one.winner is not None]
    left_out = Counter(one.why_not for one in votes if one.winner is None)
    chats = all(texts.examples[one.item_id].messages is not None for one in decided)
    rows = []
    for one in decided:
        winner = one.winner or 0
        chosen, rejected = (texts.outputs[one.item_id, one.variants[side]] for side in (winner, 1 - winner))
        example = texts.examples[one.item_id]
        rows.append(
            {"prompt": example.messages, "chosen": _said(chosen), "rejected": _said(rejected)}
            if chats
            else {"prompt": example.prompt, "chosen": chosen, "rejected": rejected}
        )
    return rows, left_out


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def comparator_file(
    study: Study, frame: pd.DataFrame, texts: StudyTexts, pair: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the content of a file that LLM Comparator opens: A is the first of the pair, positive scores prefer it.

    A decided vote is 1 or -1, a graded one its half; ties and "both bad" are 0, and the label says which.

    Raises:
        InputError: the study is not of pairs, or has more than two variants and ``pair`` does not say which.
    """
    names = tuple(pair or study.variants)
    if len(names) != 2 or not set(names) <= set(study.variants):
        raise InputError(
            f"LLM Comparator holds two models; found {', '.join(names)}. Name two of the study's variants: {', '.join(study.variants)}."
        )
    wanted = [one for one in count_votes(study, frame) if set(one.variants) == set(names)]
    examples = [_comparison(study, one, names, texts, number) for number, one in enumerate(wanted)]
    return {
        "metadata": {"source_path": study.plan.title, "custom_fields_schema": []},
        "models": [{"name": name} for name in names],
        "examples": examples,
    }


def _comparison(study: Study, votes: Votes, names: Sequence[str], texts: StudyTexts, number: int) -> dict[str, Any]:
    example = texts.examples[votes.item_id]
    ratings = []
    for place, row in enumerate(votes.rows):
        flipped = row["shown"][0] != names[0]
        if study.plan.graded:
            score = -_COMPARATOR_STEP * row["value"] * (-1 if flipped else 1)
        else:
            score = {names[0]: 1.0, names[1]: -1.0}.get(row["preferred"], 0.0)
        ratings.append({
            "index": place, "score": score + 0.0, "rating_label": str(row["value"]), "is_flipped": flipped,
            "rationale": row["comment"] or row["reason"] or None, "custom_fields": {"rater": row["rater"]},
        })  # fmt: skip
    return {
        "index": number, "input_text": example.prompt, "tags": list(example.tags),
        "output_text_a": texts.outputs[votes.item_id, names[0]], "output_text_b": texts.outputs[votes.item_id, names[1]],
        "score": sum(one["score"] for one in ratings) / len(ratings), "individual_rater_scores": ratings,
        "rationale_list": [], "custom_fields": {},
    }  # fmt: skip


def argilla_records(study: Study, frame: pd.DataFrame, texts: StudyTexts) -> list[dict[str, Any]]:
    """Return Argilla records, as its ``rg.Record.from_dict`` takes them: one an item, with every rater's current answer.

    Fields: prompt, and output_1, output_2 ... in the order of the study's variants, whose names are in the metadata. A question
    is called as its criterion: labels (output_1, tie ...) of pairs, ratings of scores, rankings. Users' ids are made of raters'
    names; Argilla wants users of these ids to be there. Practice, gold items and repeats are left out.
    """
    aside = frame[["practice", "gold", "repeat"]].astype(bool).any(axis=1)
    counted = frame["current"].astype(bool) & (frame["kind"] == "rate") & ~aside
    answers = {item: rows for item, rows in frame[counted].groupby("item_id", sort=False)}
    records = []
    for item, rows in answers.items():
        item = str(item)
        example = texts.examples[item]
        fields = {f"output_{place}": texts.outputs[item, name] for place, name in enumerate(example.variants, start=1)}
        responses: dict[str, list[dict[str, Any]]] = {}
        for _, row in rows.iterrows():
            user = str(uuid.uuid5(_NAMESPACE, f"{study.id}/{row['rater']}"))
            value = _argilla_value(study.plan.mode, row, example.variants)
            responses.setdefault(row["criterion"], []).append({"value": value, "user_id": user})
        metadata = {f"variant_{place}": name for place, name in enumerate(example.variants, start=1)}
        records.append({
            "id": item, "fields": {"prompt": example.prompt, **fields},
            "metadata": {"task": example.task, "example_id": example.example_id, **metadata},
            "suggestions": {}, "responses": responses, "vectors": {},
        })  # fmt: skip
    return records


def _argilla_value(mode: str, row: pd.Series, variants: Sequence[str]) -> Any:
    if mode == "score":
        return row["value"]
    place = {name: f"output_{number}" for number, name in enumerate(variants, start=1)}
    if mode == "rank":
        return [{"value": place[name], "rank": rank} for name, rank in zip(row["shown"], row["value"], strict=True)]
    return place.get(row["preferred"], row["preferred"])
