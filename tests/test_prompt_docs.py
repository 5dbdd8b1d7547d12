"""What docs/prompts.md shows is what a workspace takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from core.spec import WorkspaceSpec

SNIPPETS = re.findall(
    r"```yaml\n(.*?)```", (Path(__file__).parents[1] / "docs" / "prompts.md").read_text("utf-8"), re.DOTALL
)


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) == 6


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_is_what_a_workspace_takes(snippet: str) -> None:
    given = yaml.safe_load(snippet.replace("thinking: off", "thinking: 'off'"))
    spec = WorkspaceSpec.model_validate({
        "models": {"base": {"path": "base"}},
        "datasets": {name: {"path": "rows.jsonl"} for name in ("tickets", "chats")}, "tasks": {}, **given,
    })  # fmt: skip
    for key, value in given.items():
        assert yaml.safe_dump(spec.model_dump(mode="json", exclude_unset=True)[key]) == yaml.safe_dump(value)
