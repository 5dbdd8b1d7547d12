"""A made-up but consistent run, so that pages, comparisons and reports can be tested without a model.

The numbers are drawn, not observed: an adapter's skill decides how often it is right, so that some adapters are clearly better
than the baseline on some tasks, equal on others, and one forgets what the base knew. Everything goes through `core.store`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core.jobs.status import RunStatus, State, write_status
from core.records import BASELINE
from core.spec import AdapterRef, DatasetSpec, ModelRef, ModelSet, RunSpec, Settings, TaskSpec
from core.store import Run, create_run, evidence_table, write_json, write_table
from tests.synthetic_drawing import (
    CATEGORIES,
    HOSTILE,
    TAGS,
    draw_evidence,
    draw_examples,
    draw_ticket,
    general_fields,
)

__all__ = ["HOSTILE", "TASKS", "VARIANTS", "make_run", "make_workspace"]

VARIANTS = (BASELINE, "qv-r8", "all-r8", "qv-r2")
TASKS = ("category", "urgency", "tags", "help", "reply", "general")
_PARAMETERS = {BASELINE: 0, "qv-r8": 460_800, "all-r8": 2_442_240, "qv-r2": 115_200}
_SECONDS_TOKEN = {BASELINE: 0.0100, "qv-r8": 0.0103, "all-r8": 0.0121, "qv-r2": 0.0102}


def make_run(
    folder: Path,
    n: int = 60,
    seed: int = 0,
    variants: Sequence[str] = VARIANTS,
    tasks: Sequence[str] = TASKS,
    state: State = "finished",
    parts_done: float = 1.0,
) -> Run:
    """Write a made-up run and return it.

    Args:
        folder: the run's folder, not there yet; its name is the run's id.
        n: tickets; the ``general`` dataset has half as many texts.
        seed: of everything that is drawn.
        variants: names, the baseline first; unknown names get the skill of ``qv-r8``.
        tasks: which of `TASKS`.
        state: anything but ``finished`` leaves the evidence in parts.
        parts_done: the share of each variant's parts that is written (for runs that are not finished).
    """
    folder = Path(folder)
    spec = _spec(folder.name, variants, tasks, seed)
    run = create_run(folder, spec)
    rows = [draw_ticket(np.random.default_rng([seed, 1, i]), i) for i in range(n)]
    examples = [example for task in tasks for example in draw_examples(task, rows, max(2, n // 2), spec.tasks[task])]
    run.write_examples(examples)
    done = total = 0
    for number, variant in enumerate(variants):
        pieces = [draw_evidence(example, variant, number, seed) for example in examples]
        chunks = [pieces[i : i + 40] for i in range(0, len(pieces), 40)]
        kept = chunks if state == "finished" else chunks[: round(len(chunks) * parts_done)]
        total += len(pieces)
        for part, chunk in enumerate(kept):
            done += len(chunk)
            write_table(run.part_path(variant, part), evidence_table(piece for several in chunk for piece in several))
    if state == "finished":
        run.compact()
        write_json(folder / "probe.json", _probe(variants, seed))
    _write_companions(run, variants)
    _write_state(run, state, done, total)
    return run


def make_workspace(folder: Path, n: int = 60, runs: bool = True) -> Path:
    """Write a workspace.yaml with its datasets, and one finished run under ``runs/``; return the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    spec = _spec("20261122-160000", VARIANTS, TASKS, 0)
    content = spec.model_dump(mode="json", include={"models", "datasets", "tasks", "settings"}, exclude_defaults=True)
    (folder / "workspace.yaml").write_text(
        yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8"
    )
    rows = [draw_ticket(np.random.default_rng([0, 1, i]), i) for i in range(n)]
    _write_jsonl(folder / "data" / "tickets.eval.jsonl", (row.fields() for row in rows))
    texts = (general_fields(i) for i in range(max(2, n // 2)))
    _write_jsonl(folder / "data" / "general.eval.jsonl", texts)
    if runs:
        make_run(folder / "runs" / spec.id, n=n)
    return folder


def _spec(run_id: str, variants: Sequence[str], tasks: Sequence[str], seed: int) -> RunSpec:
    system = "You work at the support desk of a web shop."
    every = {
        "category": TaskSpec(dataset="tickets", kind="classification", system=system, reference="category",
                             prompt="Ticket: {ticket}\n\nName its category.", options=CATEGORIES, metrics=("accuracy", "f1_macro")),
        "urgency": TaskSpec(dataset="tickets", kind="regression", system=system, reference="urgency",
                            prompt="Ticket: {ticket}\n\nHow urgent is it, from 0 to 10?", options=tuple(range(11))),
        "tags": TaskSpec(dataset="tickets", kind="multilabel", system=system, reference="tags",
                         prompt='Ticket: {ticket}\n\nDoes the tag "{option}" fit? Answer yes or no.', options=TAGS),
        "help": TaskSpec(dataset="tickets", kind="ranking", system=system, reference="relevance",
                         prompt="Ticket: {ticket}\n\nQuote the answer that fits best.", options="{answers}"),
        "reply": TaskSpec(dataset="tickets", kind="generation", system=system, reference="reply",
                          prompt="Ticket: {ticket}\n\nWrite the reply to the customer.",
                          metrics=("bleu", "chrf", "rouge_l", "exact_match", "perplexity")),
        "general": TaskSpec(dataset="general", kind="likelihood", template="none", reference="text",
                            metrics=("perplexity", "bits_per_byte")),
    }  # fmt: skip
    chosen = {name: every[name] for name in tasks}
    datasets = {
        "tickets": DatasetSpec(path="data/tickets.eval.jsonl", language="language", tags=("category", "hard")),
        "general": DatasetSpec(path="data/general.eval.jsonl", language="language"),
    }
    return RunSpec(
        id=run_id, created="2026-11-22T16:00:00Z",
        models=ModelSet(base=ModelRef(path="cache:smollm2-135m"),
                        adapters={name: AdapterRef(path=f"adapters/{name}") for name in variants if name != BASELINE}),
        datasets={name: datasets[name] for name in dict.fromkeys(task.dataset for task in chosen.values())},
        tasks=chosen, settings=Settings(seed=seed),
        family=tuple(f"{name}/{metric}" for name, task in chosen.items() for metric in task.metrics),
    )  # fmt: skip


def _probe(variants: Sequence[str], seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 4])
    repeats = []
    for repeat in range(5):
        for variant in variants:
            first = 0.12 * float(rng.normal(1, 0.03))
            seconds = first + 32 * _SECONDS_TOKEN.get(variant, 0.0103) * float(rng.normal(1, 0.02))
            repeats.append({
                "variant": variant, "repeat": repeat, "prompt": repeat, "n_prompt_tokens": 60, "n_new_tokens": 32,
                "seconds_to_first_token": first, "seconds": seconds,
                "peak_bytes": 917_000_000 + 4 * _PARAMETERS.get(variant, 460_800),
            })  # fmt: skip
    return {"settings": {"prompts": 5, "repeats": 5, "max_new_tokens": 32, "warm_up": 1}, "repeats": repeats}


def _write_companions(run: Run, variants: Sequence[str]) -> None:
    """Write environment.json, preflight.json and log.txt."""
    adapters = [name for name in variants if name != BASELINE]
    sha = {name: hashlib.sha256(name.encode()).hexdigest() for name in (*run.spec.datasets, "base", *adapters)}
    write_json(run.folder / "environment.json", {
        "lorascope": "0.1.0", "python": "3.11.2", "platform": "Linux", "device": "cpu", "dtype": "float32", "git": None,
        "versions": {"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.2"},
        "hashes": {"datasets": {name: sha[name] for name in run.spec.datasets}, "base": sha["base"],
                   "adapters": {name: sha[name] for name in adapters}},
        "tokenizer": hashlib.sha256(b"tokenizer").hexdigest(),
    })  # fmt: skip
    found: dict[str, Any] = {}
    for name in adapters:
        findings = [{"level": "ok", "code": "keys", "sentence": f"Every weight of {name} was loaded."}]
        if name == "qv-r2":
            sentence = "qv-r2 moves the next-token distribution very little (mean KL 0.0004 nats on 8 prompts)."
            findings.append({"level": "warning", "code": "small_effect", "sentence": sentence})
        parameters = _PARAMETERS.get(name, 460_800)
        found[name] = {"ok": True, "findings": findings, "mean_kl": 0.0004 if name == "qv-r2" else 0.31,
                       "trainable_parameters": parameters, "adapter_bytes": 2 * parameters, "tensor_hash": sha[name]}  # fmt: skip
    write_json(run.folder / "preflight.json", {"variants": found})
    log = "16:00:01 loading the base\n16:00:09 pre-flight of " + ", ".join(adapters) + "\n16:00:20 evaluating\n"
    (run.folder / "log.txt").write_text(log, encoding="utf-8")


def _write_state(run: Run, state: State, done: int, total: int) -> None:
    now = time.time()
    status = RunStatus(state, done=done, total=total, started=now - 95.0, message="Finished")
    if state == "failed":
        error = "The disk is full: evidence.parquet could not be written. Free some space and resume; nothing is lost."
        status = RunStatus(state, done=done, total=total, started=now - 95.0, message="Failed", error=error)
        with (run.folder / "log.txt").open("a", encoding="utf-8") as log:
            log.write("16:01:34 OSError: [Errno 28] No space left on device\n")
    elif state != "finished":
        status = RunStatus(state, done=done, total=total, started=now - 95.0, seconds_left=240.0, tokens_per_second=148.0,
                           variant="all-r8", message="Evaluating all-r8 on reply")  # fmt: skip
    write_status(run.folder, status)


def _write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
