"""Real servers with a tiny model, and workspaces whose variants answer from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import make_workspace

TASKS = {
    "reply": {
        "dataset": "data", "kind": "generation", "prompt": "{text} reply!", "reference": "reply",
        "metrics": ["chrf", "perplexity"],
    },
    "colour": {
        "dataset": "data", "kind": "classification", "prompt": "{text} colour?", "options": ["red", "blue", "green"],
        "reference": "colour", "metrics": ["accuracy"],
    },
}  # fmt: skip


@pytest.fixture(scope="package")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace over a tiny base with one adapter, all on this disk."""
    return make_workspace(tmp_path_factory.mktemp("local"), n=6, adapters=1)


@contextmanager
def llama_server(base: Path, adapter: Path, alias: str) -> Iterator[str]:
    """Run llama.cpp's server with a GGUF base and a LoRA adapter, which is off unless a request asks for it."""
    import xllamacpp

    held = xllamacpp.CommonAdapterLoraInfo()
    held.path, held.scale = str(adapter), 0.0
    told = xllamacpp.CommonParams()
    told.model.path, told.lora_adapters, told.model_alias = str(base), [held], {alias}
    told.n_ctx, told.n_parallel, told.port, told.warmup = 1024, 1, 0, False
    told.cpuparams.n_threads, told.verbosity = 1, -1
    server = xllamacpp.Server(told)
    try:
        yield server.listening_address
    finally:
        del server


def write_workspace(folder: Path, models: dict[str, Any], tasks: dict[str, Any] | None = None, **settings: Any) -> Path:
    """Write a workspace of six examples whose models are those given; JSON is YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"id": f"e{k}", "text": f"number {k}", "colour": ["red", "blue", "green"][k % 3], "reply": f"reply {k}"}
        for k in range(6)
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    content = {
        "models": models, "datasets": {"data": {"path": "data.jsonl"}}, "tasks": tasks or {"reply": TASKS["reply"]},
        "settings": {"max_new_tokens": 6, "dtype": "float32", "device": "cpu", "probe": False, **settings},
    }  # fmt: skip
    (folder / "workspace.yaml").write_text(json.dumps(content))
    return folder
