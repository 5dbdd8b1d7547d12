"""The texts of a made-up run of many examples: what was asked, and what every variant answered, written column by column.

Answers are joined from a few thousand sentences, in the lengths, languages and shapes (lists, headings, refusals) that real ones
have, so that searching, paging and looking for text features cost what they cost on real answers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.store import EVIDENCE_SCHEMA, EXAMPLE_SCHEMA, ROWS_A_GROUP, Run

_WORDS = (
    "thank", "you", "for", "writing", "about", "your", "order", "the", "parcel", "has", "left", "our", "house", "and", "will",
    "reach", "within", "four", "working", "days", "we", "have", "sent", "a", "new", "label", "please", "return", "jacket", "in",
    "its", "own", "box", "colleagues", "look", "into", "payment", "that", "was", "taken", "twice", "hear", "from", "us",
    "tomorrow", "size", "colour", "refund", "invoice", "delivery", "address", "account", "password", "discount", "gift", "card",
)  # fmt: skip
_CHINESE = "感谢您的来信我们已经收到您的订单包裹将在四个工作日内送达请保留收据退款会在五天内到账如有问题请再联系"
_OPENINGS = (
    "Dear customer,", "I'm sorry, but I cannot help with that.", "# Your order", "- first, keep the box\n- then send it back",
    "**Refund**", "As an AI I have no access to your account.",
)  # fmt: skip
_SENTENCES = 4_000
_ENGLISH = 3_200
"""Of the sentences; the others are Chinese."""
_TOKENS = 40


def write_texts(run: Run, n: int, options: Sequence[str]) -> None:
    """Write the examples and the evidence of a run of two tasks, ``category`` (options) and ``reply`` (answers).

    Args:
        run: its folder exists, its tables do not.
        n: examples of each task.
        options: the labels of ``category``.
    """
    chosen = np.random.default_rng(11)
    english, chinese = _sentences(chosen)
    is_chinese = np.arange(n) % 3 == 0
    ids = [f"e{i}" for i in range(n)]
    questions = _joined(chosen, english, chinese, is_chinese, opening=False)
    _write_examples(run, ids, questions, is_chinese, options)
    # As `Run.compact` leaves it: sorted by task, variant and id.
    order = np.argsort(np.array(ids))
    with pq.ParquetWriter(run.folder / "evidence.parquet", EVIDENCE_SCHEMA, compression="zstd") as file:
        for task in ("category", "reply"):
            for variant in sorted(run.spec.models.variants):
                if task == "category":
                    columns = _scores(chosen, n, options)
                else:
                    columns = _answers(chosen, _joined(chosen, english, chinese, is_chinese, opening=True), order)
                known = {
                    "task": [task] * n,
                    "variant": [variant] * n,
                    "example_id": [ids[i] for i in order],
                    "item": [""] * n,
                }
                file.write_table(_table(EVIDENCE_SCHEMA, n, known | columns), row_group_size=ROWS_A_GROUP)


def _sentences(chosen: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    english = [
        " ".join(chosen.choice(_WORDS, length)).capitalize() + "." for length in chosen.integers(6, 18, _ENGLISH)
    ]
    chinese = [
        "".join(chosen.choice(list(_CHINESE), length)) + "。"
        for length in chosen.integers(8, 24, _SENTENCES - _ENGLISH)
    ]
    return np.array(english, dtype=object), np.array(chinese, dtype=object)


def _joined(
    chosen: np.random.Generator, english: np.ndarray, chinese: np.ndarray, is_chinese: np.ndarray, *, opening: bool
) -> list[str]:
    """Return a text of one to five sentences for each example, a tenth of them with a list, a heading or a refusal."""
    n = len(is_chinese)
    texts = np.where(
        is_chinese, chinese[chosen.integers(0, len(chinese), n)], english[chosen.integers(0, len(english), n)]
    )
    for share in (0.9, 0.7, 0.5, 0.3):
        more = np.where(
            is_chinese, chinese[chosen.integers(0, len(chinese), n)], english[chosen.integers(0, len(english), n)]
        )
        texts = np.where(chosen.random(n) < share, texts + " " + more, texts)
    if opening:
        first = np.array(_OPENINGS, dtype=object)[chosen.integers(0, len(_OPENINGS), n)]
        texts = np.where(chosen.random(n) < 0.1, first + "\n" + texts, texts)
    return texts.tolist()


def _answers(chosen: np.random.Generator, texts: list[str], order: np.ndarray) -> dict[str, pa.Array | list[object]]:
    n = len(texts)
    lengths = chosen.integers(_TOKENS // 2, _TOKENS, n)
    ends = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    total = int(lengths.sum())
    return {
        "kind": ["generation"] * n, "text": [texts[i] for i in order], "finish": ["eos"] * n, "n_prompt_tokens": [80] * n,
        "token_ids": pa.ListArray.from_arrays(ends, pa.array(chosen.integers(0, 49_000, total), pa.int32())),
        "token_logprobs": pa.ListArray.from_arrays(ends, pa.array(-chosen.exponential(1, total), pa.float32())),
    }  # fmt: skip


def _scores(chosen: np.random.Generator, n: int, options: Sequence[str]) -> dict[str, pa.Array | list[object]]:
    count = len(options)
    ends = pa.array(np.arange(n + 1) * count, pa.int32())
    return {
        "kind": ["options"] * n, "options": pa.ListArray.from_arrays(ends, pa.array(list(options) * n)),
        "option_logprob_sums": pa.ListArray.from_arrays(ends, pa.array(chosen.normal(-9, 3, n * count))),
        "option_n_tokens": pa.ListArray.from_arrays(ends, pa.array(np.full(n * count, 3), pa.int32())),
        "option_n_bytes": pa.ListArray.from_arrays(ends, pa.array(np.full(n * count, 7), pa.int32())),
    }  # fmt: skip


def _write_examples(
    run: Run, ids: list[str], questions: list[str], is_chinese: np.ndarray, options: Sequence[str]
) -> None:
    n = len(ids)
    fields = [json.dumps({"id": name, "x": text, "channel": ("mail", "chat", "phone")[i % 7 % 3]}, ensure_ascii=False)
              for i, (name, text) in enumerate(zip(ids, questions, strict=True))]  # fmt: skip
    common = {
        "id": ids, "prompt": [f"A customer writes: {text}\n\nAnswer:" for text in questions], "fields": fields,
        "tags": [[f"field={i % 10}"] for i in range(n)], "language": np.where(is_chinese, "zh", "en").tolist(),
    }  # fmt: skip
    labels = [json.dumps(options[i * i % 11 % len(options)]) for i in range(n)]
    replies = [json.dumps(text, ensure_ascii=False) for text in questions[1:] + questions[:1]]
    with pq.ParquetWriter(run.folder / "examples.parquet", EXAMPLE_SCHEMA, compression="zstd") as file:
        for task, more in (
            ("category", {"reference": labels, "options": [list(options)] * n}), ("reply", {"reference": replies}),
        ):  # fmt: skip
            file.write_table(
                _table(EXAMPLE_SCHEMA, n, {"task": [task] * n} | common | more), row_group_size=ROWS_A_GROUP
            )


def _table(schema: pa.Schema, n: int, columns: dict[str, pa.Array | list[object]]) -> pa.Table:
    """Return a table of a schema; what ``columns`` does not name is null."""
    made = [
        pa.nulls(n, field.type) if (given := columns.get(field.name)) is None else pa.array(given, field.type)
        if isinstance(given, list) else given.cast(field.type)
        for field in schema
    ]  # fmt: skip
    return pa.Table.from_arrays(made, schema=schema)
