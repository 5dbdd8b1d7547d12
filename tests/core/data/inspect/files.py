"""Small data files for the inspection's tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def user(text: str = "How are you?") -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str = "Fine.") -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def system(text: str = "Be brief.") -> dict[str, Any]:
    return {"role": "system", "content": text}


def chat(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages or (user(), assistant()))}


def write(folder: Path, *rows: Any, name: str = "data.jsonl") -> Path:
    """Write rows as JSON Lines; bytes are written as they are."""
    path = folder / name
    lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path
