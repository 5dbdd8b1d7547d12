"""Answers with special tokens that mark thinking, tokens that the tokenizer lacks, and prompts beside virtual tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from core.data.prompt import PromptRenderer
from core.jobs import worker
from core.jobs.merge_answers import MergeAnswers
from core.jobs.prompting import keeping_marks
from core.jobs.run_models import RunModels
from core.jobs.status import read_status
from core.predict import observations
from core.prepare import Choice, prepare_run
from core.run_notes import read_notes
from core.store import Run
from core.workspace import load_workspace
from tests.core.engine.kinds import PROMPT_KINDS, make_kind
from tests.core.jobs.conftest import evidence
from tests.tiny import make_base

pytestmark = pytest.mark.model
MARKS = ("<think>", "</think>")
TASK = 'reply: {dataset: d, kind: generation, prompt: "{text}", reference: id, metrics: [exact_match]}'


def workspace(folder: Path, rows: dict[str, str], adapters: str = "{}", **settings: Any) -> Path:
    (folder / "rows.jsonl").write_text("".join(json.dumps({"id": k, "text": v}) + "\n" for k, v in rows.items()))
    given = {"max_new_tokens": 4, "dtype": "float32", "device": "cpu", "probe": False, **settings}
    (folder / "workspace.yaml").write_text(
        f"models:\n  base: {{path: base}}\n  adapters: {adapters}\ndatasets: {{d: {{path: rows.jsonl}}}}\n"
        f"tasks:\n  {TASK}\nsettings: {json.dumps(given)}\n"
    )
    return folder


def finished(folder: Path) -> Run:
    run = prepare_run(load_workspace(folder), Choice(name="run"))
    assert worker.main(["evaluate", str(run.folder)]) == 0, read_status(run).error
    return Run(run.folder)


@torch.inference_mode()
def teach(base: Path, prompt: tuple[int, ...], answer: list[int]) -> None:
    """Make these tokens the model's greedy answer to a prompt: each one's output row is the state that it follows."""
    model: Any = LlamaForCausalLM.from_pretrained(base)
    model.resize_token_embeddings(max(answer) + 1, mean_resizing=False)
    for place, token in enumerate(answer):
        asked = torch.tensor([[*prompt, *answer[:place]]])
        model.get_output_embeddings().weight[token] = model.model(input_ids=asked).last_hidden_state[0, -1]
    model.save_pretrained(base)


@pytest.fixture(scope="module")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of a model that thinks between special tokens, and ends with a token that the tokenizer lacks."""
    folder = tmp_path_factory.mktemp("thinking")
    base = make_base(folder / "base")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.add_special_tokens(list(MARKS))
    tokenizer.save(str(base / "tokenizer.json"))
    renderer = PromptRenderer(base)
    prompt = renderer.encode(renderer.render([{"role": "user", "content": "hi"}])).ids
    answer = [*renderer.encode("<think></think>Q").ids, tokenizer.get_vocab_size() + 3]
    teach(base, prompt, answer)
    return finished(workspace(folder, {"one": "hi"}))


def test_marks_that_are_special_tokens_part_the_thinking_from_the_answer(thinking: Run) -> None:
    (row,) = [row for row in evidence(thinking) if row["kind"] == "generation"]
    assert row["text"] == "<think></think>Q" and len(row["token_ids"]) == 4
    assert observations(thinking, "reply", "baseline").predictions == ["Q"]


def test_tokens_that_the_tokenizer_lacks_are_said(thinking: Run) -> None:
    (note,) = read_notes(thinking)
    number = PromptRenderer(thinking.folder.parents[1] / "base").tokenizer.get_vocab_size() + 3
    assert note.startswith(
        f"reply, baseline: 1 of 1 answers hold tokens that the tokenizer does not have (number {number}, say), which show no text."
    )
    assert note in read_status(thinking).warnings


def test_a_run_of_before_is_decoded_and_known_as_it_was(thinking: Run) -> None:
    plain = PromptRenderer(thinking.folder.parents[1] / "base")
    told = thinking.read_json("environment") or {}
    assert told["thinking"]["kept"] == list(MARKS)
    assert RunModels(thinking, ()).renderer.fingerprint == told["tokenizer"] != plain.fingerprint
    del told["thinking"]["kept"]
    assert keeping_marks(plain, told["thinking"]) is plain and keeping_marks(plain, None) is plain


def test_a_merge_check_asks_as_the_run_did(thinking: Run, tmp_path: Path) -> None:
    told = thinking.read_json("environment") or {}
    renderer = keeping_marks(PromptRenderer(thinking.folder.parents[1] / "base"), told["thinking"])
    answers = MergeAnswers(tmp_path, ["unmerged, float32"], thinking, {"reply": ["one"]})
    answers.planned(renderer, "cpu")
    assert answers.run.spec.settings.thinking == MARKS
    own = answers.run.read_json("environment") or {}
    assert {key: own[key] for key in ("tokenizer", "thinking")} == {key: told[key] for key in ("tokenizer", "thinking")}


def test_a_prompt_without_room_beside_virtual_tokens_is_asked_of_the_others(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", context=64)
    make_kind(base, tmp_path / "soft", PROMPT_KINDS["prompt_tuning"]())
    renderer = PromptRenderer(base)
    around = len(renderer.encode(renderer.render([{"role": "user", "content": ""}])).ids)
    rows = {"short": "hi", "tight": "x" * (64 - around - 4 - 2)}  # two tokens are free, and three are virtual
    run = finished(workspace(tmp_path, rows, "{soft: {path: soft}}"))
    told = {
        (row["variant"], row["example_id"]): row["reason"]
        for row in evidence(run)
        if row["item"] == "" and row["task"] == "reply"
    }
    assert set(told) == {(variant, name) for variant in ("baseline", "soft") for name in rows}
    assert told.pop(("soft", "tight")) == (
        "prompt and answer need 62 tokens and the adapter's virtual tokens 3 more; the model's context holds 64"
    )
    assert set(told.values()) == {None}
    assert any(note.startswith("reply, soft: 1 of 2 examples do not fit into the context") for note in read_notes(run))
