"""Runs of one task for tests of the comparison: rates and perplexities that can be reckoned on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.records import BASELINE
from core.store import Run
from tests.core import mini

BOTH, ONLY_LORA, ONLY_BASE, NEITHER = 9, 12, 2, 3
N = BOTH + ONLY_LORA + ONLY_BASE + NEITHER
BASE_RIGHT = [True] * BOTH + [False] * ONLY_LORA + [True] * ONLY_BASE + [False] * NEITHER
LORA_RIGHT = [True] * (BOTH + ONLY_LORA) + [False] * (ONLY_BASE + NEITHER)


def rate_run(folder: Path, n: int = N, groups: bool = False, **task: Any) -> Run:
    examples = [mini.example("t", number, "yes", group=f"g{number // 2}" if groups else None) for number in range(n)]
    evidence = [
        mini.chosen("t", variant, number, "yes" if right[number] else "no")
        for variant, right in ((BASELINE, BASE_RIGHT), ("lora", LORA_RIGHT))
        for number in range(n)
    ]
    spec = mini.spec({"t": mini.task(**{"metrics": ["accuracy"], **task})})
    return mini.write(folder, spec, examples, evidence)


def perplexity_run(folder: Path, lora: list[list[float] | None], base: list[list[float] | None], **more: Any) -> Run:
    examples = [
        mini.example("t", number, "text", (), language="zh" if number % 4 == 0 else "en") for number in range(len(base))
    ]
    evidence = [
        mini.failed("t", variant, number, "too long") if one is None else mini.likely("t", variant, number, one)
        for variant, all_of in ((BASELINE, base), ("lora", lora))
        for number, one in enumerate(all_of)
    ]
    spec = mini.spec({"t": mini.task("likelihood", metrics=["perplexity"], **more)})
    return mini.write(folder, spec, examples, evidence)


def drawn(seed: int, n: int, shift: float = 0.0) -> list[list[float] | None]:
    rng = np.random.default_rng(seed)
    # The reference of an example has as many tokens for every variant.
    lengths = np.random.default_rng(0).integers(2, 9, n)
    return [(-rng.gamma(2, 1, length) - shift).tolist() for length in lengths]


def labelled_run(folder: Path, **task: Any) -> Run:
    rng = np.random.default_rng(4)
    labels = rng.choice(["yes", "no", "maybe"], 60)
    examples = [mini.example("t", number, str(label)) for number, label in enumerate(labels)]
    evidence = [
        mini.chosen("t", name, number, str(label) if rng.random() < skill else "no")
        for name, skill in ((BASELINE, 0.5), ("lora", 0.8))
        for number, label in enumerate(labels)
    ]
    return mini.write(folder, mini.spec({"t": mini.task(**task)}), examples, evidence)
