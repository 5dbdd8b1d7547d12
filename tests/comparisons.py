"""Hand-made comparisons: every verdict, every unit and a missing value, with round numbers that a test can name."""

from __future__ import annotations

from collections.abc import Sequence

from core.metrics.metric import Unit
from core.records import BASELINE
from core.results import Comparison, Difference, MetricRow, Value, Verdict

VARIANTS = (BASELINE, "qv-r8", "all-r8", "qv-r2")

_ROWS: tuple[tuple[str, str, str, Unit, bool, float, tuple[float | None, ...]], ...] = (
    ("category", "accuracy", "Accuracy", "share", True, 0.5, (0.25, 0.3, 0.02)),
    ("category", "f1_macro", "F1 (macro)", "share", True, 0.45, (0.2, 0.28, 0.01)),
    ("reply", "bleu", "BLEU", "points", True, 12.0, (8.5, 11.0, 0.4)),
    ("reply", "rouge_l", "ROUGE-L", "share", True, 0.31, (0.12, 0.15, 0.001)),
    ("reply", "perplexity", "Perplexity", "perplexity", False, 11.2, (-5.1, -6.0, -0.3)),
    ("general", "perplexity", "Perplexity", "perplexity", False, 18.1, (0.2, 4.4, None)),
)
_VERDICTS: dict[str, tuple[Verdict, Verdict, Verdict]] = {
    "category/accuracy": ("better", "better", "unclear"), "category/f1_macro": ("better", "better", "unclear"),
    "reply/bleu": ("better", "better", "unclear"), "reply/rouge_l": ("better", "better", "same"),
    "reply/perplexity": ("better", "better", "unclear"), "general/perplexity": ("unclear", "worse", "none"),
}  # fmt: skip


def make_comparison(variants: Sequence[str] = VARIANTS, run_id: str = "made", n: int = 160) -> Comparison:
    """Return a comparison over two to four variants; ``all-r8`` forgets, ``qv-r2`` does little and misses one value."""
    rows = []
    for task, metric, label, unit, higher, base, steps in _ROWS:
        values = {variants[0]: _value(base, n, metric)}
        differences = {}
        for name, step, verdict in zip(variants[1:], steps, _VERDICTS[f"{task}/{metric}"], strict=False):
            values[name] = _value(None if step is None else base + step, n, metric)
            differences[name] = _difference(step, base, n, verdict)
        rows.append(MetricRow(task, metric, label, task, unit, higher, True, None, values, differences))
    first = rows[-1]
    rows.append(MetricRow("general", "perplexity", "Perplexity", "general", "perplexity", False, False, "zh",
                          first.values, first.differences))  # fmt: skip
    return Comparison(
        run_id, variants[0], tuple(variants), tuple(rows), 0.95, 0, 10_000, 25_000, 6 * (len(variants) - 1)
    )


def _value(number: float | None, n: int, metric: str) -> Value:
    if number is None:
        return Value(None, None, None, 0, n, "no example has a likelihood", f"{metric}|v1", "")
    spread = 0.1 * abs(number)
    return Value(number, number - spread, number + spread, n, 0, None, f"{metric}|v1", "bootstrap (10,000 resamples)")


def _difference(step: float | None, base: float, n: int, verdict: Verdict) -> Difference:
    if step is None:
        return Difference(None, None, None, None, None, 0, verdict, "no example has both values", "")
    spread = 0.06 * abs(base)
    p = {"better": 0.0004, "worse": 0.012, "same": 0.8, "unclear": 0.21}.get(verdict)
    adjusted = None if p is None else min(1.0, 3 * p)
    return Difference(step, step - spread, step + spread, p, adjusted, n, verdict, None, "swap test, bootstrap")
