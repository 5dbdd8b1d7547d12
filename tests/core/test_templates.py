"""Which chat template all variants are asked with, and how an adapter's differs from the base's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.adapters import check_against_base, read_adapter
from core.adapters.chat import TemplateDifference, template_difference
from core.cli.adapter import command as adapter_command
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.prepare import Choice, chosen_models, prepare_run
from core.templates import renderer_of
from core.workspace import Workspace, load_workspace
from tests.chat_templates import MISTRAL_LIKE, QWEN3_LIKE, made_folder
from tests.core.adapters.made import made_adapter, made_base
from tests.tiny import CHAT_TEMPLATE

YAML = """models:
  base: {{path: base}}
  adapters: {{one: {{path: adapters/one}}, two: {{path: adapters/two}}}}
{template}datasets: {{d: {{path: rows.jsonl}}}}
tasks:
  reply: {{dataset: d, kind: generation, prompt: "{{text}}", reference: text}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A base and two adapters, of which the second ships a template."""
    made_folder(made_base(tmp_path / "base"), CHAT_TEMPLATE)
    made_adapter(tmp_path / "adapters" / "one")
    two = made_adapter(tmp_path / "adapters" / "two", seed=2)
    (two / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": MISTRAL_LIKE, "eos_token": {"content": "</s>"}})
    )
    (tmp_path / "rows.jsonl").write_text('{"text": "x"}\n')
    return tmp_path


def opened(folder: Path, template: str | None = None) -> Workspace:
    line = "" if template is None else f"  template: {template}\n"
    (folder / "workspace.yaml").write_text(YAML.format(template=line))
    return load_workspace(folder)


def source(folder: Path, template: str | None = None) -> str | None:
    workspace = opened(folder, template)
    return renderer_of(workspace, workspace.spec.models, folder / "base").template


def test_the_template_is_the_bases_or_the_one_that_is_named(folder: Path) -> None:
    assert source(folder) == CHAT_TEMPLATE
    assert source(folder, "two") == source(folder, "adapters/two") == MISTRAL_LIKE
    (folder / "mine.jinja").write_text(QWEN3_LIKE)
    assert source(folder, "mine.jinja") == QWEN3_LIKE
    narrowed = chosen_models(opened(folder, "two"), ["one"])
    assert narrowed.template == "two" and list(narrowed.adapters) == ["one"]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("one", r"adapters/one has no chat template \(chat_template\.jinja"),
        ("tow", r"models\.template: found 'tow' \(did you mean 'two'\?\), expected an adapter's name"),
        ("latin.jinja", "is not UTF-8 at byte 1"),
    ],
)
def test_a_template_that_is_not_there_is_said(folder: Path, template: str, words: str) -> None:
    (folder / "latin.jinja").write_bytes(b"a\xff")
    with pytest.raises(InputError, match=words):
        source(folder, template)


def test_a_chat_task_without_a_template_is_refused_before_the_run(folder: Path) -> None:
    (folder / "base" / "chat_template.jinja").unlink()
    with pytest.raises(
        InputError, match=r"task reply needs a chat template, .* template: none in the task, or take .* template: two"
    ):
        prepare_run(opened(folder), Choice())
    assert not (folder / "runs").exists()
    with pytest.raises(InputError, match="name a chat template for all variants"):
        PromptRenderer(folder / "base").render([{"role": "user", "content": "x"}])
    assert prepare_run(opened(folder, "two"), Choice()).spec.models.template == "two"


def test_a_template_of_its_own_is_a_finding(folder: Path) -> None:
    findings = check_against_base(read_adapter(folder / "adapters" / "two"), folder / "base")
    found = next(one for one in findings if one.code == "chat_template")
    assert found.level == "warning"
    assert found.sentence.startswith("Its chat template differs from the base's: ' [INST] You are helpful.")
    assert not [
        one
        for one in check_against_base(read_adapter(folder / "adapters" / "one"), folder / "base")
        if one.code == "chat_template"
    ]


def test_one_conversation_is_shown_by_both(folder: Path) -> None:
    found = template_difference(folder / "adapters" / "two", folder / "base")
    assert found is not None and found.base is not None and not found.same_text
    assert (
        found.base.startswith("<|im_start|>system\nYou are helpful.")
        and "Good morning to you.</s> [INST]" in found.adapter
    )
    shutil.copy(folder / "base" / "chat_template.jinja", folder / "adapters" / "one")
    assert template_difference(folder / "adapters" / "one", folder / "base") is None
    marked = CHAT_TEMPLATE.replace("{{ m['content'] }}", "{% generation %}{{ m['content'] }}{% endgeneration %}")
    (folder / "adapters" / "one" / "chat_template.jinja").write_text(marked)
    same = template_difference(folder / "adapters" / "one", folder / "base")
    assert same is not None and same.finding == (
        "ok",
        "Its chat template is written otherwise than the base's, and gives the same text.",
    )


def test_the_command_line_shows_both_line_by_line(folder: Path) -> None:
    base = str(folder / "base")
    shown = CliRunner().invoke(adapter_command, [str(folder / "adapters" / "two"), "--base", base]).output
    assert "warning: Its chat template differs from the base's" in shown
    assert "one conversation by both chat templates:\n  --- the base's\n  +++ the adapter's" in shown
    assert "  -You are helpful.<|im_end|>" in shown
    plain = CliRunner().invoke(adapter_command, [str(folder / "adapters" / "one"), "--base", base])
    assert plain.exit_code == 0 and "both chat templates" not in plain.output


def test_what_cannot_be_compared_is_a_finding_too(folder: Path) -> None:
    assert TemplateDifference(None, "x").finding[1].startswith("It ships a chat template, and the base has none.")
    (folder / "adapters" / "two" / "tokenizer_config.json").write_text("{")
    findings = check_against_base(read_adapter(folder / "adapters" / "two"), folder / "base")
    assert any("could not be compared" in one.sentence and "not valid JSON" in one.sentence for one in findings)
    (folder / "adapters" / "two" / "tokenizer_config.json").write_text(
        json.dumps({"chat_template": "{{ raise_exception('no') }}"})
    )
    refused = template_difference(folder / "adapters" / "two", folder / "base")
    assert refused is not None and refused.adapter == "the chat template refused this conversation: no"
