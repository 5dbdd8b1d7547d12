"""Resampling corpus BLEU beside sacrebleu, on the same sentences: ``python -m benchmarks.peers [--sentences N --resamples N]``.

Two systems of 3,004 made-up sentences, 10,000 resamples. sacrebleu (Post, 2018) keeps statistics and loops over resamples, with one
processor; we use all. So processor time stands beside the clock's: what one processor alone would need. sacrebleu resamples the
baseline twice, once for its interval and once for the test; the second row leaves the first of them out.
Both print the half width of the 95 % interval, which sacrebleu takes between the scores ranked 2.5 % from each end and we by
interpolated percentiles.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
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


class GivenBleu(BLEU):
    """sacrebleu's BLEU that computes the statistics of a system once and gives them again."""

    def __init__(self, references: list[str]) -> None:
        """Remember the references, and no statistics yet."""
        super().__init__(references=[references])
        self._made: dict[int, Any] = {}

    def _extract_corpus_statistics(self, hypotheses: Any, references: Any) -> Any:
        if id(hypotheses) not in self._made:
            self._made[id(hypotheses)] = super()._extract_corpus_statistics(hypotheses, references)
        return self._made[id(hypotheses)]


@dataclass(frozen=True)
class Timed:
    """Seconds by the clock, and of all processors together."""

    clock: float
    processors: float


@dataclass(frozen=True)
class Found:
    """Half widths of the systems' intervals, and how long they took."""

    given: Timed
    """The statistics being there."""
    test: Timed
    """Of it the test alone, where each system is resampled once."""
    whole: Timed
    """With making the statistics."""
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


class Watch:
    """Tells the time since it was made."""

    def __init__(self) -> None:
        """Start."""
        self._clock, self._processors = time.perf_counter(), time.process_time()

    def read(self) -> Timed:
        """Return the time since the start."""
        return Timed(time.perf_counter() - self._clock, time.process_time() - self._processors)


def peer(data: Data, resamples: int) -> Found:
    """Return sacrebleu's paired bootstrap."""
    os.environ["SACREBLEU_SEED"] = "1"
    watch = Watch()
    test = _paired_test(data, BLEU(references=[data.references]), resamples)
    test()
    whole = watch.read()
    given = GivenBleu(data.references)
    for name in SYSTEMS:
        given._extract_corpus_statistics(data.systems[name], None)
    watch = Watch()
    test = _paired_test(data, given, resamples)
    alone = Watch()
    _, scores = test()
    return Found(watch.read(), alone.read(), whole, tuple(float(cast(Any, one).ci) for one in scores["BLEU"]))


def _paired_test(data: Data, metric: BLEU, resamples: int) -> PairedTest:
    systems: list[tuple[str, Sequence[str]]] = list(data.systems.items())
    return PairedTest(systems, {"BLEU": metric}, references=None, test_type="bs", n_samples=resamples)


def ours(data: Data, resamples: int) -> Found:
    """Return our bootstrap: values of both systems and their paired difference."""
    metric = get_metric("bleu")
    whole = Watch()
    statistics = [_statistics(metric, data, name) for name in SYSTEMS]
    given = Watch()
    everyone = np.ones(len(data.references), dtype=bool)
    draws = Resampler(len(everyone), None, seed=1, resamples=resamples, trials=1)
    values = draws.bootstrap([BootstrapJob(metric, [Masked(array, everyone) for array in statistics])])[0]
    bounds = [np.quantile(some, (0.025, 0.975)) for some in (values[:, 0], values[:, 1], values[:, 1] - values[:, 0])]
    widths = tuple(float(high - low) / 2 for low, high in bounds[: len(SYSTEMS)])
    timed = given.read()
    return Found(timed, timed, whole.read(), widths)


def _statistics(metric: Metric, data: Data, name: str) -> np.ndarray:
    n = len(data.references)
    observed = Observations(
        example_ids=[str(i) for i in range(n)],
        predictions=data.systems[name],
        references=data.references,
        reasons=[None] * n,
    )
    return metric.statistics(observed).array


def _fastest(found: list[Found], read: Callable[[Found], Timed]) -> Timed:
    times = [read(one) for one in found]
    return Timed(min(some.clock for some in times), min(some.processors for some in times))


def main() -> None:
    """Print the table, and fail where the two disagree by more than a twentieth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=3_004)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3, help="of both, in turn; the fastest counts")
    arguments = parser.parse_args()
    # New sentences each time: what either has kept of earlier ones must not serve it.
    each = [made(arguments.sentences, seed) for seed in range(arguments.repeats)]
    both = [(peer(data, arguments.resamples), ours(data, arguments.resamples)) for data in each]
    theirs, mine = [one for one, _ in both], [one for _, one in both]
    print(f"{len(SYSTEMS)} systems of {arguments.sentences:,} sentences, {arguments.resamples:,} resamples\n")
    print("| what | sacrebleu, s | lorascope, s | of all processors, s | times faster | in processor time |")
    print("|---|---|---|---|---|---|")
    ways: tuple[tuple[str, Callable[[Found], Timed]], ...] = (
        ("statistics given", lambda found: found.given),
        ("statistics given, each system resampled once", lambda found: found.test),
        ("with statistics", lambda found: found.whole),
    )
    for what, read in ways:
        slow, fast = _fastest(theirs, read), _fastest(mine, read)
        ratios = f"{slow.clock / fast.clock:.1f} | {slow.processors / fast.processors:.1f}"
        print(f"| {what} | {slow.clock:.2f} | {fast.clock:.2f} | {fast.processors:.2f} | {ratios} |")
    for name, found in (("sacrebleu", theirs[0]), ("lorascope", mine[0])):
        print(f"\nHalf widths by {name}: {' '.join(f'{width:.3f}' for width in found.half_widths)}")
    np.testing.assert_allclose(mine[0].half_widths, theirs[0].half_widths, rtol=0.05)


if __name__ == "__main__":
    main()
