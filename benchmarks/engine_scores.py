"""How well the scores and answers of `benchmarks.engine`'s systems agree, and how far they are from float64."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from benchmarks.engine import Benchmark

FEW = 8
"""Prompts that are scored one by one in float64."""


def agreement(benchmark: Benchmark, ours: dict[str, Any], ran: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the largest differences in nats, print them, and count the answers that differ from the harness's."""
    evidence = {workload: _evidence(Path(found["folder"])) for workload, found in ours.items()}
    token, sequence = _against_float64(benchmark, evidence)
    benchmark.say(
        f"Against float64, one sequence at a time, on {FEW} prompts: {token:.1e} nats a token, {sequence:.1e} a sequence"
    )
    result: dict[str, Any] = {"worst_logprob_difference": token, "worst_sequence_difference": sequence}
    theirs = {
        name: scores for process in ran.get("b") or ran.get("a") or [] for name, scores in process["found"].items()
    }
    if theirs:
        worst, alike, answers = _against_harness(benchmark, evidence, theirs)
        benchmark.say(f"Against the harness: {worst:.1e} nats a sequence; {alike} of {answers} answers equal")
        result |= {"worst_difference_from_harness": worst, "equal_answers": alike, "answers": answers}
    return result


def _evidence(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    rows = pq.read_table(folder / "evidence.parquet").to_pylist()
    return {(row["variant"], row["example_id"]): row for row in rows}


def _against_float64(benchmark: Benchmark, evidence: dict[str, Any]) -> tuple[float, float]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(benchmark.model)
    worst_token = worst_sequence = 0.0
    for variant in benchmark.variants[:2]:
        model: Any = AutoModelForCausalLM.from_pretrained(benchmark.model, dtype=torch.float64)
        if (variant["name"], benchmark.rows[0]["id"]) not in evidence["choice"]:
            break
        if variant["folder"]:
            model = PeftModel.from_pretrained(model, variant["folder"], autocast_adapter_dtype=False).double()
        for row in benchmark.rows[:FEW]:
            found = evidence["likelihood"][variant["name"], row["id"]]["token_logprobs"]
            expected = _token_logprobs(model.eval(), tokenizer, row["prompt"], row["reference"])
            pairs = list(zip(found, expected, strict=True))
            worst_token = max(worst_token, *(abs(a - b) for a, b in pairs))
            worst_sequence = max(worst_sequence, abs(sum(found) - sum(expected)))
            sums = evidence["choice"][variant["name"], row["id"]]["option_logprob_sums"]
            for total, option in zip(sums, row["options"], strict=True):
                expected = _token_logprobs(model, tokenizer, row["prompt"], option)
                worst_sequence = max(worst_sequence, abs(total - sum(expected)))
    return worst_token, worst_sequence


def _token_logprobs(model: Any, tokenizer: Any, prompt: str, text: str) -> list[float]:
    import torch

    before, after = tokenizer(prompt)["input_ids"], tokenizer(f" {text}")["input_ids"]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([before + after])).logits[0, len(before) - 1 : -1]
    return torch.log_softmax(logits, dim=-1)[torch.arange(len(after)), torch.tensor(after)].tolist()


def _against_harness(
    benchmark: Benchmark, evidence: dict[str, Any], theirs: dict[str, dict[str, Any]]
) -> tuple[float, int, int]:
    worst, alike, answers = 0.0, 0, 0
    for variant, scores in theirs.items():
        for place, row in enumerate(benchmark.rows):
            total = sum(evidence["likelihood"][variant, row["id"]]["token_logprobs"])
            worst = max(worst, abs(total - scores["likelihood"][place]))
            sums = evidence["choice"][variant, row["id"]]["option_logprob_sums"]
            width = len(row["options"])
            worst = max(worst, *(abs(a - b) for a, b in zip(sums, scores["choice"][width * place :], strict=False)))
            ours, other = evidence["answer"][variant, row["id"]]["text"].strip(), scores["answer"][place].strip()
            alike += ours == other or difflib.SequenceMatcher(None, ours, other).ratio() > 0.999
            answers += 1
    return worst, alike, answers
