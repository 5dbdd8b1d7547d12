"""What this machine can do at most, and how much arithmetic the workloads of `benchmarks.engine` need."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.engine import Benchmark


@dataclass(frozen=True)
class Limit:
    """Measured in this very call."""

    gflops: float
    """Of a float32 product of two square matrices, 10^9 operations a second."""
    gbytes: float
    """Read from memory, 10^9 bytes a second."""


def measure_limit() -> Limit:
    """Return the best of several tries."""
    import torch

    size = 2048
    one, two = torch.randn(size, size), torch.randn(size, size)
    block = np.ones(1 << 27, dtype=np.float32)
    gflops = gbytes = 0.0
    for _ in range(5):
        start = time.perf_counter()
        torch.mm(one, two)
        gflops = max(gflops, 2 * size**3 / (time.perf_counter() - start) / 1e9)
        tensor = torch.from_numpy(block)
        start = time.perf_counter()
        tensor.sum()
        gbytes = max(gbytes, block.nbytes / (time.perf_counter() - start) / 1e9)
    return Limit(gflops, gbytes)


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
