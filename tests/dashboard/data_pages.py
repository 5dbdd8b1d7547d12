"""The Data page without a browser: a workspace with made-up files, and what its tables and texts show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from tests.core.data.profile.made import PLAIN, renderer
from tests.dashboard.pages import opened, shown

HOSTILE = (
    "<script>alert(1)</script>",
    "$x^2$ and $y$",
    ":red[x] **bold** ![i](http://127.0.0.1:1/x.png)",
    "\u202eright to left\u200b",
)


def chat(asked: str, answered: str, **more: Any) -> dict[str, Any]:
    """Return a row of `messages`."""
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}], **more}


LONG = "The quick brown fox jumps over the lazy dog while the old clock strikes twelve times tonight"
TRAIN = [
    chat("What does a lamp cost?", "Nine."), chat(LONG, "Yes, it does."), chat("What does a lamp cost?", "Ten."),
    chat("Write to ann@example.org", "I will."), chat("Is this a question?", ""), chat("  What DOES a lamp cost?", "Nine."),
    {"messages": [{"role": "user", "content": "x"}, {"role": "assisiant", "content": "y"}]}, "{not json",
]  # fmt: skip
EVALUATION = [
    {"id": "e-1", "ticket": LONG, "category": "yes"},
    {"id": "e-2", "ticket": "Something else entirely is asked in here?", "category": "no"},
]


def write_rows(path: Path, rows: Sequence[Any]) -> Path:
    """Write rows as JSON Lines; a text stands as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def data_workspace(
    folder: Path,
    train: Sequence[Any] | None,
    evaluation: Sequence[Any],
    template: str | None = PLAIN,
    tokenizer: bool = True,
) -> Path:
    """Write a workspace whose data set ``d`` has an evaluation file and, if given, a training file; return its folder."""
    if tokenizer:
        renderer(folder / "base", template)
    dataset = {"path": "data/d.eval.jsonl"} | ({"train": "data/d.train.jsonl"} if train is not None else {})
    write_rows(folder / "data" / "d.eval.jsonl", evaluation)
    if train is not None:
        write_rows(folder / "data" / "d.train.jsonl", train)
    content = {"models": {"base": {"path": "base"}, "adapters": {}}, "datasets": {"d": dataset}, "tasks": {}}
    (folder / "workspace.yaml").write_text(yaml.safe_dump(content))
    return folder


def data_page(monkeypatch: pytest.MonkeyPatch, workspace: Path, **query: str) -> AppTest:
    """Open the page; nothing went wrong on it."""
    app = opened(monkeypatch, workspace, "data", **query)
    shown(app)
    return app


def headline(app: AppTest) -> str:
    """Return the page's first sentence as plain text."""
    body = next(part for part in shown(app).split("\n") if 'data-name="headline"' in part)
    return body.replace("<code>", "").replace("</code>", "").partition(">")[2].rpartition("</div>")[0]


def table(app: AppTest, name: str) -> list[list[str]]:
    """Return the cells of a table by its name."""
    return _component(app, "lorascope_exact_table", name)["rows"]


def text(app: AppTest, name: str) -> str:
    """Return a text that is shown exactly, by its name."""
    return "".join(piece for _, piece in _component(app, "lorascope_exact_text", name)["pieces"])


def tokens(app: AppTest) -> dict[str, Any]:
    """Return what the strip of tokens is given."""
    return _component(app, "lorascope_token_strip", None)


def _component(app: AppTest, component: str, name: str | None) -> dict[str, Any]:
    for element in app.get("bidi_component"):
        if element.proto.component_name == component:
            data = json.loads(element.proto.json)
            if name is None or data["name"] == name:
                return data
    raise AssertionError(f"there is no {name} on the page")


def asked(app: AppTest, name: str) -> str | None:
    """Return a query parameter."""
    values = app.query_params.get(name)
    return values[0] if isinstance(values, list) else values
