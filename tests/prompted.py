"""A synthetic run turned into one that was asked with conversations, by a model that thinks before it answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.rendering import CUT_TAG
from core.run_notes import add_notes
from core.store import Run, write_json, write_table

THOUGHT = "The customer is <b>upset</b>, so be brief."
CUT_NOTE = "reply: 1 of 12 prompts were cut at their beginning to fit the context of 2,048 tokens."
UNFINISHED_NOTE = "reply, qv-r8: unfinished thinking in 1 of 12 answers, which are empty therefore."


def prompted(workspace: Path) -> Run:
    """Change the only run of a synthetic workspace: its task ``reply`` is asked with conversations, and qv-r8 thinks.

    The first example was cut; the second of qv-r8's answers never ends its thinking.
    """
    folder = next((workspace / "runs").iterdir())
    spec = json.loads((folder / "spec.json").read_text())
    spec["tasks"]["reply"] |= {"prompt": None, "messages": "turns", "robustness": []}
    write_json(folder / "spec.json", spec)
    environment = json.loads((folder / "environment.json").read_text())
    environment["thinking"] = {"open": "<think>", "close": "</think>", "close_ids": [], "opened": []}
    write_json(folder / "environment.json", environment)
    run = Run(folder)
    replies = [example for example in run.examples if example.task == "reply"]
    turns = [
        {"role": "system", "content": "Be <i>kind</i>."}, {"role": "user", "content": "Where is my parcel?"},
        {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {"name": "find", "arguments": {}}}]},
        {"role": "tool", "content": "in the van"},
    ]  # fmt: skip
    changed = [
        example if example.task != "reply" else replace(
            example, fields=example.fields | {"turns": turns}, tags=(*example.tags, *([CUT_TAG] if example == replies[0] else [])),
        )
        for example in run.examples
    ]  # fmt: skip
    run.write_examples(changed)
    _think(run, replies[1].id)
    add_notes(run, "prompts", [CUT_NOTE])
    add_notes(run, "thinking", [UNFINISHED_NOTE])
    return Run(folder)


def _think(run: Run, unfinished: str) -> None:
    table = pq.ParquetFile(run.truth).read()
    thinks = pc.and_(  # type: ignore[attr-defined]
        pc.and_(pc.equal(table["task"], "reply"), pc.equal(table["variant"], "qv-r8")),  # type: ignore[attr-defined]
        pc.equal(table["kind"], "generation"),  # type: ignore[attr-defined]
    ).to_pylist()
    texts = [
        text if not thinking else f"<think>{THOUGHT}" if name == unfinished else f"<think>{THOUGHT}</think>\n\n{text}"
        for text, thinking, name in zip(table["text"].to_pylist(), thinks, table["example_id"].to_pylist(), strict=True)
    ]
    column = table.schema.get_field_index("text")
    write_table(run.truth, table.set_column(column, "text", pa.array(texts, pa.string())))
