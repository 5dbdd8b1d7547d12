"""Write README's list of metrics and docs/metrics.md from the code: ``python -m benchmarks.metric_tables`` (``--check``)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from core.metrics.catalogue import Entry, by_family, entries

ROOT = Path(__file__).resolve().parent.parent
README, DOCS = ROOT / "README.md", ROOT / "docs" / "metrics.md"
BEGIN, END = "<!-- metrics: written by benchmarks/metric_tables.py -->", "<!-- end of metrics -->"
ARROWS = {"higher": "↑", "lower": "↓", "none": ""}
RUN_WIDE = (
    ("robustness", "the drop of any metric under a perturbation (`robustness: [typos, option_order]` in a task)"),
    ("forgetting", "the change of perplexity and token accuracy on a general text beside the gain in domain"),
    ("efficiency", "training time, tokens/s, time to first token, latency p50 and p95, peak memory, CPU seconds, mean cores, "
                   "energy, trainable parameters, adapter size"),
    ("user feedback", "`satisfaction` ↑: the share of thumbs up, given in the pages or imported"),
    ("composite", "a weighted score of your own over any metrics"),
    ("own", "one file in the workspace's `metrics/` folder"),
)  # fmt: skip
"""What is told of a whole run rather than named in a task."""


SHARED = {"medical": ("roc_auc",), "multilabel": ("f1_micro", "f1_macro"), "finance": ("hit_rate",)}
"""Metrics that a family shares with the one that they are listed under."""


def readme_table() -> str:
    """Return a row for each family: the metrics with their direction."""
    known = {entry.name: entry for entry in entries()}
    lines = ["| family | metrics |", "|---|---|"]
    for family, listed in by_family(entries()).items():
        everything = [*listed, *(known[name] for name in SHARED.get(family, ()))]
        names = ", ".join(f"`{entry.name}` {ARROWS[entry.direction]}".rstrip() for entry in everything)
        lines.append(f"| {family} | {names} |")
    return "\n".join(lines + [f"| {family} | {told} |" for family, told in RUN_WIDE])


def document() -> str:
    """Return docs/metrics.md."""
    parts = [
        "# Metrics",
        "Written from the code by `python -m benchmarks.metric_tables`; `lorascope metrics` prints the same. A name that ends in a "
        "number takes any number (`ndcg_at_7`). What is read by a formula of its own is checked in the tests against scikit-learn, "
        "scipy, sacrebleu, rouge_score, nltk, torchmetrics, ranx, empyrical or pycocotools.",
    ]
    for family, listed in by_family(entries()).items():
        lines = ["| metric | | range | definition | uncertainty |", "|---|---|---|---|---|"]
        lines += [
            f"| `{entry.name}` | {ARROWS[entry.direction]} | {_range(entry)} | {_told(entry)} | {entry.uncertainty} |"
            for entry in listed
        ]
        parts.append(f"## {family[:1].upper()}{family[1:]}\nTasks: {_kinds(listed)}.\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _kinds(listed: Sequence[Entry]) -> str:
    return ", ".join(dict.fromkeys(kind for entry in listed for kind in entry.kinds))


def _range(entry: Entry) -> str:
    low, high = ("∞" if bound is None else f"{bound:g}" for bound in (entry.lowest, entry.highest))
    return f"{'−' if entry.lowest is None else ''}{low} to {high}"


def _told(entry: Entry) -> str:
    caution = f" {entry.caution[:1].upper()}{entry.caution[1:].rstrip('.')}." if entry.caution else ""
    return f"{entry.definition}.{caution}".replace("|", "\\|")


def expected_readme(text: str) -> str:
    """Return README's text with the list as the code gives it."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{readme_table()}\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """Write both, or with ``--check`` say whether they are up to date (exit code 1 if not)."""
    text = README.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        same = text == expected_readme(text) and DOCS.is_file() and DOCS.read_text(encoding="utf-8") == document()
        return int(not same)
    README.write_text(expected_readme(text), encoding="utf-8")
    DOCS.write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
