"""What pages show of prompts: conversations, thinking, what was cut, and two chat templates beside each other."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from core.derived import example_scores
from core.store import Run
from tests.chat_templates import MISTRAL_LIKE, made_folder
from tests.core.adapters.made import made_adapter, made_base
from tests.dashboard.pages import opened, shown
from tests.prompted import CUT_NOTE, UNFINISHED_NOTE, prompted
from tests.synthetic import make_workspace
from tests.tiny import CHAT_TEMPLATE


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run that thinks; its first adapter ships a chat template of its own."""
    folder = make_workspace(tmp_path_factory.mktemp("prompted") / "w", n=12)
    run = prompted(folder)
    for name in run.spec.models.adapters:
        made_adapter(folder / "adapters" / name, seed=len(name))
    (folder / "adapters" / "qv-r8" / "tokenizer_config.json").write_text(json.dumps({"chat_template": MISTRAL_LIKE}))
    made_folder(made_base(folder / "made-base"), CHAT_TEMPLATE)
    path = folder / "workspace.yaml"
    path.write_text(path.read_text().replace(run.spec.models.base.path, "made-base"))
    # What the first page that is opened would do within its patience: imports, and the statistics of its metrics.
    importlib.import_module("dashboard.views.examples")
    for metric in run.spec.tasks["reply"].metrics:
        example_scores(run, "reply", metric)
    return folder


def _replies(workspace: Path) -> list[str]:
    run = Run(next((workspace / "runs").iterdir()))
    return [example.id for example in run.examples if example.task == "reply"]


def test_a_conversation_is_shown_by_turns_and_thinking_is_folded(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(monkeypatch, workspace, "examples", task="reply", variant="qv-r8", example=_replies(workspace)[2])
    text = shown(page)
    for role in ("system", "user", "assistant", "tool"):
        assert f'<div class="ls-label">{role}</div>' in text
    labels = [expander.label for expander in page.expander]
    assert "Conversation, 4 turns" in labels
    assert [label for label in labels if label.startswith("Thinking, ")] == ["Thinking, 42 characters"]
    assert "No answer follows the thinking." not in text


def test_an_answer_that_never_came_is_said_and_a_cut_prompt_is_a_tag(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(monkeypatch, workspace, "examples", task="reply", variant="qv-r8", example=_replies(workspace)[1])
    assert "No answer follows the thinking." in shown(page)
    assert "prompt=cut (1)" in page.multiselect[0].options


@pytest.mark.parametrize("name", ["overview", "compare"])
def test_results_say_what_became_of_prompts_and_answers(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text = shown(opened(monkeypatch, workspace, name))
    assert f'<p class="ls-foot" role="note">{CUT_NOTE}</p>' in text and UNFINISHED_NOTE in text


def test_two_chat_templates_stand_beside_each_other(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(monkeypatch, workspace, "adapters", adapter="qv-r8", section="facts")
    assert any(
        one.label == "One conversation by the chat templates of the base and of qv-r8" for one in page.expander
    ), [one.label for one in page.expander]
    other = opened(monkeypatch, workspace, "adapters", adapter="qv-r2", section="facts")
    assert not [one.label for one in other.expander if "chat templates" in one.label]
