"""Runs whose prompts are cut, whose conversations a template refuses, and whose model thinks before it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.data.prompt import PromptRenderer
from core.example_options import read_one
from core.example_texts import read_example, read_example_evidence
from core.jobs import worker
from core.jobs.prompting import note_thinking, settled, thinking_entry
from core.jobs.status import read_status
from core.predict import observations
from core.prepare import Choice, prepare_run
from core.ratings.outputs import read_texts
from core.records import Evidence, Generation
from core.rendering import CUT_TAG
from core.run_notes import add_notes, read_notes
from core.store import Run, evidence_table, write_json, write_table
from core.thinking import thinking_of
from core.workspace import load_workspace
from tests.chat_templates import MISTRAL_LIKE
from tests.tiny import make_base

CONVERSATION = [
    {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
    {"role": "assistant", "content": "d"},
]  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {"id": "short", "text": "hi", "turns": CONVERSATION},
    {"id": "long", "text": "x" * 500, "turns": CONVERSATION[2:]},
    {"id": "odd", "text": "hm", "turns": [CONVERSATION[0], *CONVERSATION[2:]]},
]


def made(folder: Path, tasks: str, **settings: Any) -> Path:
    base = make_base(folder / "base", context=256)
    (base / "chat_template.jinja").write_text(
        MISTRAL_LIKE.replace("[INST]", "<|im_start|>").replace("eos_token", "'<|im_end|>'")
    )
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    given = {"max_new_tokens": 4, "dtype": "float32", "device": "cpu", "probe": False, **settings}
    models = "models: {base: {path: base}}\ndatasets: {d: {path: rows.jsonl}}\n"
    (folder / "workspace.yaml").write_text(f"{models}tasks:{tasks}settings: {json.dumps(given)}\n")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run: one example of one task is refused by the template, one of another is cut."""
    tasks = """
  chat: {dataset: d, kind: generation, messages: turns, reference: turns}
  cut: {dataset: d, kind: generation, prompt: "{text}", reference: id}
"""
    folder = made(tmp_path_factory.mktemp("prompts"), tasks, too_long="truncate")
    run = prepare_run(load_workspace(folder), Choice(name="run"))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    return Run(run.folder)


def test_what_was_cut_and_what_was_refused_is_counted_and_shown(run: Run) -> None:
    refused, cut = read_notes(run)
    assert cut == "cut: 1 of 3 prompts were cut at their beginning to fit the context of 256 tokens."
    assert (
        refused.startswith("chat: 1 of 3 examples cannot be asked; the first, odd: ")
        and "roles must alternate" in refused
    )
    assert {cut, refused} <= set(read_status(run).warnings)
    tagged = {(one.task, one.id) for one in run.examples if CUT_TAG in one.tags}
    assert tagged == {("cut", "long")}
    shown = read_example(run, "cut", "long")
    assert shown is not None and len(shown.fields["text"]) == 500 and 200 < len(shown.prompt) < 300


def test_a_refused_example_is_missing_and_says_why(run: Run) -> None:
    found = observations(run, "chat", "baseline")
    assert [reason is None for reason in found.reasons] == [True, True, False]
    assert "roles must alternate" in str(found.reasons[2]) and "roles must alternate" in str(
        found.likelihood_reasons[2]
    )
    assert found.references == ["d", "d", "d"]
    assert all(reason is None for reason in observations(run, "cut", "baseline").reasons)


def test_a_prompt_that_does_not_fit_may_be_a_mistake(tmp_path: Path) -> None:
    folder = made(
        tmp_path, '\n  cut: {dataset: d, kind: generation, prompt: "{text}", reference: id}\n', too_long="fail"
    )
    run = prepare_run(load_workspace(folder), Choice(name="run"))
    assert worker.main(["evaluate", str(run.folder)]) != 0
    status = read_status(run)
    assert "1 of 3 examples do not fit into the model's context, and settings.too_long is 'fail'" in str(status.error)
    assert "task cut, example long" in str(status.error)


ANSWERS = {"short": "<think>hm</think>\n\nyes", "long": "<think>never", "odd": "plain"}


@pytest.fixture
def thinking(run: Run, tmp_path: Path) -> Run:
    """A copy of the run with the texts of a model that thinks."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("spec.json", "examples.parquet", "environment.json"):
        (folder / name).write_bytes((run.folder / name).read_bytes())
    ids = PromptRenderer(run.folder.parents[1] / "base").encode
    pieces = [
        Evidence("cut", "baseline", name, generation=Generation(text, "eos", 3, ids(text).ids, (-0.5,) * len(ids(text).ids)))
        for name, text in ANSWERS.items()
    ]  # fmt: skip
    write_table(folder / "evidence.parquet", evidence_table(pieces))
    return Run(folder)


def test_answers_are_read_without_the_thinking_before_them(thinking: Run) -> None:
    assert observations(thinking, "cut", "baseline").predictions == ["yes", "", "plain"]
    assert read_texts(thinking, "cut", "baseline") == {"short": "yes", "long": "", "odd": "plain"}
    example, evidence = read_example(thinking, "cut", "short"), read_example_evidence(thinking, "cut", "short")
    assert example is not None
    answer = read_one(thinking.spec.tasks["cut"], example, evidence["baseline"], thinking_of(thinking, "cut"))
    assert (answer.text, answer.thinking) == ("yes", "hm")
    assert answer.n_thinking_tokens == len("<think>hm</think>") and answer.n_tokens == len(ANSWERS["short"])


def test_unfinished_thinking_is_counted(thinking: Run) -> None:
    add_notes(thinking, "prompts", ["cut."])
    told = note_thinking(thinking)
    assert told[0].startswith("cut, baseline: unfinished thinking in 1 of 3 answers") and len(told) == 1
    assert read_notes(thinking) == ("cut.", *told)
    (thinking.folder / "notes.json").write_text("{")
    assert read_notes(thinking) == ()


def test_a_run_of_before_is_read_as_it_was(thinking: Run) -> None:
    environment = json.loads((thinking.folder / "environment.json").read_text())
    assert environment.pop("thinking")["open"] == "<think>"
    write_json(thinking.folder / "environment.json", environment)
    assert observations(thinking, "cut", "baseline").predictions == list(ANSWERS.values())
    assert note_thinking(thinking) == [] and read_notes(thinking) == ()
    assert settled(thinking.spec, None).settings.thinking == "off"


def test_thinking_may_be_switched_off_or_marked_otherwise(run: Run) -> None:
    renderer = PromptRenderer(run.folder.parents[1] / "base")
    spec = run.spec.model_copy(update={"settings": run.spec.settings.model_copy(update={"thinking": "off"})})
    assert thinking_entry(spec, renderer) is None
    own = run.spec.model_copy(update={"settings": run.spec.settings.model_copy(update={"thinking": ("[T]", "[/T]")})})
    entry = thinking_entry(own, renderer)
    assert entry is not None and (entry["open"], len(entry["close_ids"])) == ("[T]", 4)
    assert settled(own, entry).settings.thinking == ("[T]", "[/T]")
