"""Write ``broken/``: one small file for each family of faults, to see what an inspection says of it.

Run it as ``python sample_data/build_broken.py``; the same files come out each time.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent / "broken"
BOMB_BYTES = 80 << 20


def _say(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def _ticket(ask: str = "Where is my parcel?", answer: str = "It is on its way.") -> dict[str, Any]:
    return {"messages": [_say("user", ask), _say("assistant", answer)]}


def _chat(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


ASK, ANSWER, HOUSE = (
    _say("user", "Where is my parcel?"),
    _say("assistant", "It is on its way."),
    _say("system", "Be brief."),
)
CALL = {"type": "function", "function": {"name": "find_parcel", "arguments": {"number": "7"}}}
GOOD = _ticket()

LINES: dict[str, list[Any]] = {
    "not-utf8.jsonl": [GOOD, b'{"messages": [{"role": "user", "content": "Caf\xe9?"}, {"role": "assistant", "content": "Yes."}]}'],
    "marks.jsonl": [b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), GOOD, b"", GOOD, b""],
    "control.jsonl": [
        GOOD, json.dumps(GOOD).encode().replace(b"Where", b"Wh\x00re"), json.dumps(GOOD).encode().replace(b"is my", b"is\tmy"),
    ],
    "json.jsonl": [
        GOOD, b'{"messages": [{"role": "user", "content": "cut short', b"{'messages': []}", json.dumps(GOOD).encode() * 2, b'["a list"]',
    ],
    "commas.jsonl": [GOOD, json.dumps(GOOD).encode()[:-1] + b",}", json.dumps(GOOD).encode() + b","],
    "values.jsonl": [
        GOOD, b'{"messages": [{"role": "user", "content": "a", "content": "b"}, {"role": "assistant", "content": "c"}]}',
        json.dumps(GOOD).encode()[:-1] + b', "weight": NaN}', json.dumps(GOOD).encode().replace(b"parcel", b"\\ud83d"),
    ],
    "deep.jsonl": [GOOD, b'{"messages": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"],
    "fields.jsonl": [
        GOOD, {"message": []}, {"messages": "hello"}, {"messages": []}, _chat(ASK, "hello"), _chat(ASK, {"content": "a"}),
        _chat(ASK, {"role": "assistant"}), _chat(ASK, _say("assistant", 7)),
    ],
    "roles.jsonl": [
        GOOD, _chat(ASK, _say("assisiant", "a")), _chat(_say("human", "a"), _say("gpt", "b")), _chat(ASK, _say("wizard", "a")),
        _chat({"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}),
    ],
    "order.jsonl": [
        GOOD, _chat(ASK, HOUSE, ANSWER), _chat(HOUSE, HOUSE, ASK, ANSWER), _chat(ANSWER, ASK, ANSWER), _chat(ASK, ASK, ANSWER),
        _chat(ASK, ANSWER, ASK), _chat(ASK),
    ],
    "tools.jsonl": [
        _chat(ASK, {"role": "assistant", "tool_calls": [CALL]}, _say("tool", "Hall 3"), ANSWER),
        _chat(ASK, {"role": "assistant", "tool_calls": "find_parcel"}), _chat(ASK, _say("tool", "Hall 3"), ANSWER),
        _chat(_say("user", [{"text": "no type"}]), ANSWER),
    ],
    "text.jsonl": [{"text": "### Instruction: greet\n### Response: hello"}, {"text": ""}, {"text": 7}, {"texts": "a"}],
    "preference.jsonl": [
        {"prompt": [ASK], "chosen": [ANSWER], "rejected": [_say("assistant", "No idea.")]},
        {"prompt": [ASK], "chosen": "It is on its way.", "rejected": [ANSWER]}, {"prompt": [ASK], "chosen": [ANSWER]},
    ],
    "stepwise.jsonl": [
        {"prompt": "1 + 2 + 3?", "completions": ["3", "6"], "labels": [True, True]},
        {"prompt": "1 + 2 + 3?", "completions": ["3", "6"], "labels": [True]},
    ],
    "sharegpt.jsonl": [
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"conversations": [{"from": "humna", "value": "a"}, {"from": "gpt", "value": "b"}]},
    ],
    "unknown.jsonl": [{"ticket": "Where is my parcel?", "urgency": 2}],
}  # fmt: skip


def _write(name: str, lines: list[Any]) -> None:
    written = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
    (FOLDER / name).write_bytes(b"".join(line + b"\n" for line in written))


def build() -> None:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    for name, lines in LINES.items():
        _write(name, lines)
    (FOLDER / "ragged.csv").write_text("prompt,completion\nHello,Hi\nHello\nHello,Hi,Ho\n", encoding="utf-8")
    (FOLDER / "empty.jsonl").write_bytes(b"")
    (FOLDER / "utf16.jsonl").write_bytes(json.dumps(GOOD).encode("utf-16"))
    (FOLDER / "list.jsonl").write_text(json.dumps([GOOD, GOOD], indent=1) + "\n", encoding="utf-8")
    (FOLDER / "cut.json").write_text(json.dumps([GOOD, GOOD])[:-40], encoding="utf-8")
    bomb = b'{"text": "' + b"0" * BOMB_BYTES + b'"}\n'
    (FOLDER / "bomb.jsonl.gz").write_bytes(gzip.compress(bomb, mtime=0))
    _lying_footer(FOLDER / "lying-footer.parquet")


def _lying_footer(path: Path) -> None:
    """Write a Parquet file whose columns lie, by its own footer, beyond its end."""
    pq.write_table(pa.Table.from_pylist([GOOD] * 50), path, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")
    path.write_bytes(b"PAR1" + whole[-8 - footer :])


if __name__ == "__main__":
    build()
