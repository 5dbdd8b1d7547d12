"""A sequence-to-sequence base and an adapter of it, from the workspace to a finished run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InputError
from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests.tiny_seq2seq import make_seq2seq_adapter, make_t5

WORKSPACE = """models:
  base: {path: base}
  adapters: {lora: {path: lora}}
datasets:
  data: {path: data.jsonl}
tasks:
  colour: {dataset: data, kind: classification, template: none, prompt: "{text} colour?", options: [red, blue], reference: colour}
  reply: {dataset: data, kind: generation, template: none, prompt: "{text}", reference: colour, metrics: [chrf]}
  chat: {dataset: data, kind: generation, prompt: "{text}", reference: colour}
settings: {max_new_tokens: 4, dtype: float32, device: cpu, batch_tokens: 128}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("t5")
    make_seq2seq_adapter(make_t5(made / "base"), made / "lora", ("q", "v"))
    rows = [{"text": f"number {k} " + "la " * k, "colour": ("red", "blue")[k % 2]} for k in range(6)]
    (made / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (made / "workspace.yaml").write_text(WORKSPACE)
    return made


def test_a_run_of_a_t5_has_every_kind_of_evidence_and_a_probe(folder: Path) -> None:
    made = prepare_run(load_workspace(folder), Choice(name="t5", tasks=("colour", "reply")))
    assert worker.main(["evaluate", str(made.folder)]) == 0
    run = Run(made.folder)
    table = run.evidence()
    assert table.num_rows == 2 * 6 * 3 and table["reason"].null_count == table.num_rows
    assert read_status(run).state == "finished" and len(run.read_json("probe")["repeats"]) == 2 * 2 * 5
    ours, theirs = (run.evidence(task="colour", variant=name)["option_logprob_sums"] for name in ("baseline", "lora"))
    assert ours != theirs


def test_a_chat_task_of_a_base_without_a_template_says_what_to_do(folder: Path) -> None:
    with pytest.raises(InputError, match="task chat needs a chat template, and the tokenizer in .* has none"):
        prepare_run(load_workspace(folder), Choice(name="chat", tasks=("chat",)))
