"""Resampling corpus BLEU beside sacrebleu, on the same sentences: ``python -m benchmarks.peers [--sentences N --resamples N]``.

Two systems of 3,004 made-up sentences, 10,000 resamples. sacrebleu (Post, 2018) keeps statistics and loops over resamples;
its time is taken without and with making the statistics, as is ours. Both print the half width of the 95 % interval, which
sacrebleu takes from a normal's quantile and we from the resamples' percentiles.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

from core.metrics.metric import Metric, Observations
from core.metrics.registry import get_metric
from core.resampler import BootstrapJob, Masked, Resampler

WORDS = tuple(f"word{number}" for number in range(4_000))
SYSTEMS = ("baseline", "system")


@dataclass(frozen=True)
class Data:
    """Sentences of two systems and the reference."""

    systems: dict[str, list[str]]
    references: list[str]


@dataclass(frozen=True)
class Found:
    """Half widths of the systems' intervals, and the seconds that they took."""

    seconds: float
    half_widths: tuple[float, ...]


def made(n: int, seed: int = 0) -> Data:
    """Return sentences of 5 to 45 words that follow Zipf's law; a system keeps words of the reference, or draws others."""
    rng = np.random.default_rng(seed)
    chances = 1 / np.arange(1, len(WORDS) + 1)
    chances /= chances.sum()
    references = [rng.choice(len(WORDS), rng.integers(5, 46), p=chances) for _ in range(n)]

    def said(keep: float) -> list[str]:
        out = []
        for words in references:
            kept = np.where(rng.random(len(words)) < keep, words, rng.choice(len(WORDS), len(words), p=chances))
            out.append(" ".join(WORDS[word] for word in kept))
        return out

    return Data(
        {SYSTEMS[0]: said(0.70), SYSTEMS[1]: said(0.71)}, [" ".join(WORDS[w] for w in words) for words in references]
    )


def peer(data: Data, resamples: int) -> tuple[Found, Found]:
    """Return sacrebleu's paired bootstrap without and with its statistics."""
    os.environ["SACREBLEU_SEED"] = "1"
    started = time.perf_counter()
    test = PairedTest(
        list(data.systems.items()), {"BLEU": BLEU(references=[data.references])}, references=None, test_type="bs",
        n_samples=resamples,
    )  # fmt: skip
    prepared = time.perf_counter()
    _, scores = test()
    done = time.perf_counter()
    widths = tuple(float(cast(Any, one).ci) for one in scores["BLEU"])
    return Found(done - prepared, widths), Found(done - started, widths)


def ours(data: Data, resamples: int) -> tuple[Found, Found]:
    """Return our bootstrap without and with the statistics: values of both systems and their paired difference."""
    metric = get_metric("bleu")
    started = time.perf_counter()
    statistics = [_statistics(metric, data, name) for name in SYSTEMS]
    prepared = time.perf_counter()
    everyone = np.ones(len(data.references), dtype=bool)
    draws = Resampler(len(everyone), None, seed=1, resamples=resamples, trials=1)
    values = draws.bootstrap([BootstrapJob(metric, [Masked(array, everyone) for array in statistics])])[0]
    bounds = [np.quantile(some, (0.025, 0.975)) for some in (values[:, 0], values[:, 1], values[:, 1] - values[:, 0])]
    done = time.perf_counter()
    widths = tuple(float(high - low) / 2 for low, high in bounds[: len(SYSTEMS)])
    return Found(done - prepared, widths), Found(done - started, widths)


def _statistics(metric: Metric, data: Data, name: str) -> np.ndarray:
    n = len(data.references)
    observed = Observations(
        example_ids=[str(i) for i in range(n)],
        predictions=data.systems[name],
        references=data.references,
        reasons=[None] * n,
    )
    return metric.statistics(observed).array


def best(work: Callable[[], tuple[Found, Found]], repeats: int) -> tuple[Found, Found]:
    """Return the fastest of some repeats, without and with statistics each."""
    runs: list[Any] = [work() for _ in range(repeats)]
    return min((run[0] for run in runs), key=_seconds), min((run[1] for run in runs), key=_seconds)


def _seconds(found: Found) -> float:
    return found.seconds


def main() -> None:
    """Print the table, and fail where the two disagree by more than a twentieth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=3_004)
    parser.add_argument("--resamples", type=int, default=10_000)
    arguments = parser.parse_args()
    data = made(arguments.sentences)
    theirs, mine = best(lambda: peer(data, arguments.resamples), 1), best(lambda: ours(data, arguments.resamples), 3)
    print(f"{len(SYSTEMS)} systems of {arguments.sentences:,} sentences, {arguments.resamples:,} resamples\n")
    print("| what | sacrebleu, s | lorascope, s | times faster | half widths, sacrebleu | lorascope |")
    print("|---|---|---|---|---|---|")
    for what, peers, own in zip(("statistics given", "with statistics"), theirs, mine, strict=True):
        widths = [" ".join(f"{width:.3f}" for width in found.half_widths) for found in (peers, own)]
        print(
            f"| {what} | {peers.seconds:.2f} | {own.seconds:.2f} | {peers.seconds / own.seconds:.1f} | {widths[0]} | {widths[1]} |"
        )
    np.testing.assert_allclose(mine[0].half_widths, theirs[0].half_widths, rtol=0.05)


if __name__ == "__main__":
    main()
