"""What this machine can do at most, and how much arithmetic the workloads of `benchmarks.engine` need."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.engine import Benchmark


@dataclass(frozen=True)
class Limit:
    """Measured in this very call."""

    gflops: float
    """Of a product of two square matrices in the precision of the run, 10^9 operations a second."""
    gbytes: float
    """Read from the device's memory, 10^9 bytes a second."""


def measure_limit(device: str, dtype: str) -> Limit:
    """Return the best of several tries."""
    import torch

    from core.engine.device import synchronise

    where, kind = torch.device(device), getattr(torch, dtype)
    size = 2048 if where.type == "cpu" else 8192
    one, two = torch.randn(2, size, size, device=where, dtype=kind)
    block = torch.ones(1 << (27 if where.type == "cpu" else 30), device=where)

    def rate(amount: float, work: Callable[[], object]) -> float:
        synchronise(where)
        start = time.perf_counter()
        work()
        synchronise(where)
        return amount / (time.perf_counter() - start) / 1e9

    gflops = max(rate(2 * size**3, lambda: torch.mm(one, two)) for _ in range(5))
    return Limit(gflops, max(rate(block.nbytes, block.sum) for _ in range(5)))


def arithmetic(benchmark: Benchmark, workload: str) -> float:
    """Return the operations that one variant needs at least: every distinct token once, the output layer where it is needed.

    Two operations a weight and token; attention and adapters are left out, as is the length of answers beyond one token.
    """
    from tokenizers import Tokenizer

    config = json.loads((benchmark.model / "config.json").read_text())
    tokenizer = Tokenizer.from_file(str(benchmark.model / "tokenizer.json"))

    def ids(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    heads, shared = config["num_attention_heads"], config["num_key_value_heads"]
    size = config.get("head_dim") or hidden // heads
    body = layers * (2 * hidden * size * (heads + shared) + 3 * hidden * inner)
    output = hidden * config["vocab_size"]
    prefixes: set[tuple[int, ...]] = set()
    outputs = 0
    for row in benchmark.rows:
        prompt = ids(row["prompt"])
        told = {"likelihood": [row["reference"]], "choice": row["options"], "answer": []}[workload]
        continuations = [ids(f" {text}") for text in told]
        outputs += sum(map(len, continuations)) or 1
        for continuation in continuations or [[0]]:
            whole = (*prompt, *continuation[:-1])
            prefixes.update(whole[:k] for k in range(1, len(whole) + 1))
    return 2.0 * (body * len(prefixes) + output * outputs)
