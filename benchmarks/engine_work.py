"""The three workloads of `benchmarks.engine`, the same for every system: prompts cut to measure from the sample's own text."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parent.parent
HEADER_TOKENS, BODY_TOKENS, REFERENCE_TOKENS, OPTION_TOKENS = 40, (30, 250), (8, 32), (2, 6)
OPTIONS = 5
CAP = 64
ENDING = "."
"""Ends an answer beside the model's own end: sentences of a small model are about twenty tokens, with a long tail."""


def model_folder(base: Path, folder: Path) -> Path:
    """Return a copy of a model's folder (links to its files) whose answers end at the end of a sentence."""
    copy = folder / "model"
    copy.mkdir(parents=True, exist_ok=True)
    for file in base.iterdir():
        target = copy / file.name
        if not target.exists():
            target.symlink_to(file.resolve())
    config_file = copy / "generation_config.json"
    config: dict[str, Any] = json.loads(config_file.read_text()) if config_file.exists() else {}
    found = config.get("eos_token_id", json.loads((base / "config.json").read_text()).get("eos_token_id"))
    listed = found if isinstance(found, list) else [found]
    ending = Tokenizer.from_file(str(base / "tokenizer.json")).encode(ENDING, add_special_tokens=False).ids
    config_file.unlink(missing_ok=True)
    config_file.write_text(json.dumps(config | {"eos_token_id": sorted({*listed, ending[-1]})}))
    return copy


def make_rows(base: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """Return ``count`` rows: a prompt (its header shared), a reference, and options with the number of the right one."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    words = _words()
    draw = random.Random(seed)

    def cut(tokens: int) -> str:
        """Return running text of exactly so many tokens, beginning with a space."""
        while True:
            start = draw.randrange(len(words) - 400)
            text = ""
            for word in words[start:]:
                longer = f"{text} {word}"
                size = len(tokenizer.encode(longer, add_special_tokens=False).ids)
                if size == tokens:
                    return longer
                if size > tokens:
                    break
                text = longer

    header = cut(HEADER_TOKENS).strip()
    rows = []
    for number in range(count):
        options: list[str] = []
        while len(options) < OPTIONS:
            if (option := cut(draw.randint(*OPTION_TOKENS))) not in options:
                options.append(option)
        rows.append({
            "id": f"p{number:03d}", "prompt": header + cut(draw.randint(*BODY_TOKENS)),
            "reference": cut(draw.randint(*REFERENCE_TOKENS)).strip(), "options": [option.strip() for option in options],
            "right": options[draw.randrange(OPTIONS)].strip(),
        })  # fmt: skip
    return rows


def _words() -> list[str]:
    """Return the words of the sample's English texts."""
    words: list[str] = []
    for name, field in (
        ("tickets.train.jsonl", "ticket"),
        ("tickets.eval.jsonl", "ticket"),
        ("general.eval.jsonl", "text"),
    ):
        for line in (ROOT / "sample_data" / "data" / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            text = str(row.get(field) or "")
            if row.get("language", "en") == "en":
                words += [word.replace(".", ",") if k % 3 == 0 else word for k, word in enumerate(text.split())]
    return words


def make_workspace(
    folder: Path, model: Path, adapters: list[Path], rows: list[dict[str, Any]], device: str, dtype: str
) -> Path:
    """Write a workspace that asks the three workloads; return its folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    listed = {path.name: {"path": str(path)} for path in adapters}
    plain = {"dataset": "rows", "prompt": "{prompt}", "template": "none"}
    content = {
        "models": {"base": {"path": str(model)}, "adapters": listed},
        "datasets": {"rows": {"path": "rows.jsonl"}},
        "tasks": {
            "likelihood": {**plain, "kind": "likelihood", "reference": "reference", "metrics": ["perplexity"]},
            "choice": {
                **plain, "kind": "classification", "options": "{options}", "reference": "right", "metrics": ["accuracy"],
            },
            "answer": {
                **plain, "kind": "classification", "options": "{options}", "reference": "right", "metrics": ["accuracy"],
                "answer": {"rule": "contains"},
            },
        },
        "settings": {"max_new_tokens": CAP, "device": device, "dtype": dtype, "probe": False},
    }  # fmt: skip
    (folder / "workspace.yaml").write_text(json.dumps(content), encoding="utf-8")
    return folder
